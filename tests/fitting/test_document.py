"""The document for installers says what the box does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.fitting.defaults import NETWORKS
from appliance.fitting.light import TABLE

DOCUMENT = Path(__file__).parents[2] / "docs" / "first-boot.md"


@pytest.mark.req("R9")
def test_the_table_of_the_light_is_the_boxs_own() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", DOCUMENT.read_text(), re.MULTILINE)
    light = [row for row in rows if row[0] in {pattern.looks for pattern in TABLE.values()}]
    assert light == [(pattern.looks, pattern.means, pattern.do) for pattern in TABLE.values()]


def test_the_address_that_is_named_is_the_first_choice() -> None:
    assert f"http://{NETWORKS[0][1]}" in DOCUMENT.read_text()
