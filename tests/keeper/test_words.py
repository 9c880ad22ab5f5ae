from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper import words
from appliance.keeper.authority import Scope
from wire.authority import DataClass
from wire.base import Standing


@pytest.mark.req("R10", "R59")
def test_groups_are_said_once_and_nothing_is_said_too(make_authority: Any) -> None:
    clauses = [
        {"number": "1", "kind": "collect", "standings": ["registered"], "classes": ["presence", "full_names"]},
        {"number": "2", "kind": "collect", "standings": ["unknown", "guest"], "classes": ["presence"]},
        {"number": "3", "kind": "quarantine", "standings": ["unknown"]},
        {"number": "4", "kind": "lists", "standings": ["registered"], "lists": ["gambling"]},
        {"number": "5", "kind": "register"},
    ]
    authority = make_authority(clauses=clauses)
    assert words.kept(Scope(authority=authority)) == (
        "Of registered devices: when they are connected and the names of all sites and services they ask for.",
        "Of visitors' devices and devices that are not registered: when they are connected.",
        "A device that is not registered is shown to the officers in charge.",
        "Until an officer decides, devices that are not registered may be kept from the internet.",
        "Of all other devices: nothing.",
        "What is written, said, seen or sent is never kept, of any device.",
    )
    assert len(words.clauses(authority)) == 5
    assert words.headline(authority).startswith("Under a court order, reference EX-0001, from ")


def test_every_standing_and_class_has_words() -> None:
    assert set(words.DEVICES) == set(Standing)
    assert set(words.KEPT) == set(DataClass)


FILTERS = [
    {"number": "1", "kind": "collect", "standings": ["registered"], "classes": ["presence"]},
    {"number": "2", "kind": "block", "standings": ["registered"], "lists": ["gambling"], "fail_closed": True},
    {"number": "3", "kind": "allow-only", "standings": ["unknown"], "lists": ["school"]},
    {"number": "4", "kind": "safe-search", "standings": ["registered"]},
    {"number": "5", "kind": "answers", "standings": ["registered"], "refuse": ["canary", "relay"]},
    {"number": "6", "kind": "nearby"},
]


@pytest.mark.req("R22", "R59")
def test_filters_are_as_open_as_everything_else(make_authority: Any) -> None:
    authority = make_authority(clauses=FILTERS)
    said = words.kept(Scope(authority=authority))
    assert "Some addresses are not opened on registered devices." in said
    assert "On devices that are not registered, only addresses on a list are opened." in said
    assert "Search engines answer registered devices in their strict mode." in said
    assert "Services that would hide look-ups from the box are turned down for registered devices." in said
    assert "The box counts, by the hour, how many phones are near. Of each of them it keeps nothing." in said
    clauses = words.clauses(authority)
    assert len(clauses) == len(FILTERS)
    assert clauses[1] == (
        "Clause 2: registered devices do not reach what is on these lists: gambling; "
        "this also holds while the box's software does not run."
    )
