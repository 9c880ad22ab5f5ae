from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from appliance.fitting import label
from wire.claim import parse_label

PRINTED = label.Printed(
    link="https://gatehouse.example.org/install/claim#box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    site="box-0123456789",
    text="box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    fingerprint="0123456789abcdef",
    wifi_name="Gatehouse setup 6789",
    wifi_passphrase="abcd-efgh-jkmn-pqrs",
    operator="The <Example> (Service)",
)


@pytest.mark.req("R2")
def test_the_label_says_what_it_takes_to_claim_and_to_join() -> None:
    root = ET.fromstring(label.svg(PRINTED))  # noqa: S314 - our own
    text = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    whole = "\n".join(text)
    for wanted in ("box-0123456789", "ABCD EFGH JKMN PQRS", "0123 4567", PRINTED.wifi_name, PRINTED.wifi_passphrase):
        assert wanted in whole
    assert text[0] == PRINTED.operator
    assert (root.get("width"), root.get("height")) == ("62mm", "100mm")
    assert parse_label(PRINTED.link) is not None


def test_the_pdf_is_one_that_readers_take(tmp_path: Path) -> None:
    made = label.pdf(PRINTED)
    assert made.startswith(b"%PDF-1.4\n")
    table = int(re.search(rb"startxref\n(\d+)\n", made)[1])  # type: ignore[index]
    assert made[table:].startswith(b"xref\n0 7\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n ", made, re.MULTILINE), start=1):
        assert made[int(place) :].startswith(b"%d 0 obj\n" % number)
    assert rb"The <Example> \(Service\)" in made
    if shutil.which("pdftotext"):
        (tmp_path / "label.pdf").write_bytes(made)
        said = subprocess.run(
            ["pdftotext", "-layout", tmp_path / "label.pdf", "-"], capture_output=True, text=True, check=True
        )
        assert PRINTED.wifi_passphrase in said.stdout
        assert said.stderr == ""


def test_the_code_alone_is_a_picture() -> None:
    assert label.png(PRINTED).startswith(b"\x89PNG\r\n")
    assert label.qr_svg(PRINTED.link).startswith("<svg")
    assert "<script" not in label.qr_svg(PRINTED.link)
