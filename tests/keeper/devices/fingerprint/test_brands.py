"""Registered owners become names that people know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint.brands import brand


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("D-Link International", "D-Link"),
        ("Edimax Technology Co. Ltd.", "Edimax"),
        ("Made-up Lamps GmbH", "Made-up Lamps"),
        ("SHENZHEN MADEUP ELECTRONICS CO.,LTD", "Madeup"),
        ("Withings", "Withings"),
        ("Co. Ltd.", "Co"),
        ("IBM Corp", "IBM"),
    ],
)
def test_legal_forms_and_towns_are_cut_off(owner: str, name: str) -> None:
    assert brand(owner) == name


@given(st.text(max_size=300))
def test_any_owner_gives_a_short_name(owner: str) -> None:
    assert len(brand(owner)) <= 40
