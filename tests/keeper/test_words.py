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
