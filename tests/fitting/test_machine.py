from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.fitting import answer, machine, taking
from firmware import layout
from firmware.household import load


@pytest.mark.parametrize(
    ("text", "board", "encrypted"),
    [
        ('{"compatible": "gatehouse-pi4", "encrypted": "board-key"}', "gatehouse-pi4", "board-key"),
        ('{"compatible": "Not a board", "encrypted": "file-key"}', None, "file-key"),
        ('{"compatible": 7, "encrypted": "else"}', None, "none"),
        ("[]", None, "none"),
        ("[" * 50_000, None, "none"),
        ("", None, "none"),
    ],
)
def test_files_of_the_image_are_read_with_care(tmp_path: Path, text: str, board: str | None, encrypted: str) -> None:
    path = tmp_path / "said.json"
    path.write_text(text)
    assert (machine.board(path), machine.encrypted(path)) == (board, encrypted)
    assert machine.board(tmp_path / "none") is None


def test_the_certificate_that_serves_longest_counts(box: Any, service: Any, now: float) -> None:
    assert machine.certificate_ends(box.places) is None
    said = answer.read(service.answer(box), keys=box.keys, operator=box.operator, site=box.site, csr=box.csr, now=now)
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    taking.take(box.places, answer.files(said, keys=box.keys, operator=box.operator, house=house))
    week = 7 * 86400 - 3600
    assert machine.certificate_ends(box.places) == pytest.approx(now + week)
    renewed = service.certificate(box.csr, now=now + 86400)
    box.places.at(f"{layout.STATE}/courier/tls.pem").write_text(renewed + "what else is in it")
    assert machine.certificate_ends(box.places) == pytest.approx(now + 86400 + week)


def test_keys_and_files_are_counted(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.kept(box.places) == (4, len(box.everything()))
    monkeypatch.setattr(machine, "MAX_COUNTED", 3)
    assert machine.kept(box.places)[1] == 3


def test_a_file_system_that_counts_no_errors_has_none(box: Any) -> None:
    assert machine.card_errors(box.places) == 0
