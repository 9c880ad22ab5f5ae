"""Verdicts in words and on the wire; what a person said stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import Category, Hit, Verdict
from appliance.keeper.devices.fingerprint.verdict import MAX_CAPTURED, MAX_CONFLICTS, MAX_REASONS
from wire.base import Correction


@given(st.text(max_size=200))
def test_any_text_can_be_read_as_a_hit(text: str) -> None:
    hit = Hit.from_text(text)
    assert len(hit.model or "") <= MAX_CAPTURED


def test_a_hit_goes_to_text_and_back() -> None:
    for hit in (Hit("name-hue"), Hit("name-dlink-camera", "DCS-935L")):
        assert Hit.from_text(hit.text) == hit
    assert {Hit("a"), Hit("a")} == {Hit("a")}


@pytest.mark.req("R12")
@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(), ""),
        (
            Verdict(category=Category.PHONE, confidence=0.9, os_family="Android", vendor="Samsung"),
            "Samsung phone with Android",
        ),
        (
            Verdict(category=Category.PHONE, confidence=0.55, vendor="Apple", group="phone or tablet"),
            "Apple phone or tablet",
        ),
        (Verdict(category=Category.PHONE, confidence=0.9, group="phone or tablet"), "Phone"),
        (Verdict(group="computer", confidence=0.8, os_family="Windows"), "Computer with Windows"),
        (
            Verdict(category=Category.CAMERA, confidence=0.9, vendor="D-Link", model="DCS-935L"),
            "D-Link camera (DCS-935L)",
        ),
        (Verdict(vendor="Edimax", confidence=0.9), "Device of Edimax"),
        (Verdict(os_family="Linux", confidence=0.7), "Device with Linux"),
        (Verdict(category="boat", confidence=1.0), "Boat"),
    ],
)
def test_the_text_is_as_coarse_as_it_must_be(verdict: Verdict, text: str) -> None:
    verdict = replace(verdict, text_confidence=0.75)
    assert verdict.text == text
    looks = verdict.looks_like()
    assert (looks is None) == (text == "")
    if looks is not None:
        assert (looks.text, looks.confidence, looks.category) == (text, 0.75, verdict.category)


def test_the_wire_gets_no_more_than_it_takes() -> None:
    full = Verdict(category=Category.TV, confidence=0.9, reasons=("x" * 400,) * 40, conflicts=("y" * 400,) * 40)
    looks = full.looks_like()
    assert looks is not None
    assert (len(looks.reasons), len(looks.conflicts or ())) == (MAX_REASONS, MAX_CONFLICTS)


@pytest.mark.req("N12")
def test_what_a_person_said_is_locked() -> None:
    seen = Verdict(category=Category.TV, confidence=0.9, vendor="LG", os_family="webOS", reasons=("It says so.",))
    said = seen.correct(Correction(category="camera", model="made up"))
    assert (said.category, said.model, said.vendor, said.confidence) == ("camera", "made up", "LG", 1.0)
    assert said.reasons[0] == "A person said what it is."
    assert any("LG television" in conflict for conflict in said.conflicts)
    assert seen.correct(None) is seen
    assert seen.correct(Correction()) is seen
    agreed = seen.correct(Correction(category="tv"))
    assert (agreed.confidence, agreed.conflicts) == (1.0, ())
    brand = seen.correct(Correction(vendor="Sony"))
    assert (brand.vendor, brand.category, brand.confidence) == ("Sony", "tv", 0.9)
    looks = Verdict().correct(Correction(category="phone")).looks_like()
    assert looks is not None
    assert looks.confidence == 1.0
    alone = Verdict(os_family="embedded").correct(Correction(vendor="Made-up"))
    assert (alone.text, alone.confidence, alone.text_confidence) == ("Device of Made-up", 0.0, 1.0)
    beside = Verdict(os_family="Linux", text_confidence=0.7).correct(Correction(vendor="Made-up"))
    assert (beside.text, beside.text_confidence) == ("Device of Made-up with Linux", 0.7)


def test_on_the_wire_the_kind_has_a_figure_of_its_own() -> None:
    told = Verdict(category=Category.PHONE, confidence=0.62, text_confidence=0.83).looks_like()
    assert told is not None
    assert (told.confidence, told.category, told.category_confidence) == (0.83, "phone", 0.62)
    untold = Verdict(vendor="Example", text_confidence=0.7).looks_like()
    assert untold is not None
    assert untold.category_confidence is None
