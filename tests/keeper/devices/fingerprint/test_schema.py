"""A bad rule is refused, and the text says what is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.keeper.devices.fingerprint.schema import MAX_RULES, MOST, Rule, RuleFile


@pytest.mark.req("R12")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"match": None}, "needs `equals`, `match` or both"),
        ({"match": "("}, "is not a regular expression"),
        ({"match": "(a+)+b"}, "that may take very long"),
        ({"match": "a*b*c*d"}, "more than 2 unbounded repeats"),
        ({"match": "(?P<name>x)"}, "may name only the group `model`"),
        ({"match": "x" * 1001}, "longer than 1000 characters"),
        ({"on": "name", "match": "^(?P<model>.{1,5})"}, "what a person may have chosen"),
        ({"on": "dhcp4-host-name", "match": r"^(?P<model>[A-Za-z]{1,20})"}, "what a person may have chosen"),
        ({"on": "mdns-instance", "match": r"^(?P<model>\w{1,5})"}, "what a person may have chosen"),
        ({"on": "name", "match": r"^(?P<model>\d+)"}, "what a person may have chosen"),
        ({"confidence": None}, "`category` and `confidence` go together"),
        ({"among": {"phone": 0.5}}, "not both"),
        ({"category": None, "confidence": None, "among": {"phone": 0.6, "tablet": 0.5}}, "add up to more than"),
        ({"category": None, "confidence": None}, "must vote for something"),
        ({"category": "toaster"}, "category"),
        ({"confidence": 0.99}, "less than or equal to 0.97"),
        ({"os_family": "Plan 9"}, "is no operating system of the table"),
        ({"on": "dhcp4-parameters"}, "never of a device"),
        ({"on": "shoe-size"}, "on"),
        ({"source": "x"}, "at least 10 characters"),
        ({"example": []}, "at least 1 item"),
        ({"colour": "red"}, "Extra inputs"),
        ({"id": "Not An Id"}, "pattern"),
    ],
)
def test_bad_rules_are_refused_in_words(make_rule: Any, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        Rule.model_validate(make_rule(**changes))


def test_a_file_refuses_an_id_twice_and_too_many_rules(make_rule: Any, make_file: Any) -> None:
    with pytest.raises(ValidationError, match="used more than once: lamp"):
        make_file(make_rule(), make_rule())
    with pytest.raises(ValidationError, match=f"at most {MAX_RULES}"):
        make_file(*(make_rule(id=f"rule-{number}") for number in range(MAX_RULES + 1)))


def test_a_rule_holds_for_equal_values_and_for_matches(make_rule: Any) -> None:
    rule = Rule.model_validate(make_rule(equals=["exactly"]))
    assert rule.holds("exactly") is True
    assert isinstance(rule.holds("lamp 7"), re.Match)
    assert rule.holds("a lamp") is False
    assert rule.shares == {"iot-other": 0.9}
    assert rule.strength <= MOST


def test_a_file_says_what_kind_of_evidence_it_is(make_rule: Any) -> None:
    with pytest.raises(ValidationError, match="kind"):
        RuleFile.model_validate({"version": "2026.1", "reason": "It shows something.", "rule": [make_rule()]})
