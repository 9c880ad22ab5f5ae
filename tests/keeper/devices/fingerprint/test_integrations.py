"""One line an integration becomes a rule."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from appliance.keeper.devices.fingerprint.integrations import IntegrationFile

FILE = {
    "version": "2026.1",
    "reason": "It announces itself so.",
    "confidence": 0.8,
    "prefix_reason": "Its address begins so.",
    "prefix_confidence": 0.7,
}


def test_a_line_becomes_a_rule() -> None:
    line = {"domain": "made_up", "vendor": "Made-up", "category": "plug", "what": "plugs"}
    (rule,) = IntegrationFile.model_validate(FILE | {"integration": [line]}).as_rules().rule
    assert (rule.id, rule.equals, rule.vendor, rule.shares) == ("ha-made-up", ("made_up",), "Made-up", {"plug": 0.8})
    assert "made_up: plugs" in rule.source


def test_its_own_confidence_goes_before_the_file_s() -> None:
    line = {"domain": "x", "category": "tv", "confidence": 0.5, "what": "boxes"}
    (rule,) = IntegrationFile.model_validate(FILE | {"integration": [line]}).as_rules().rule
    assert rule.shares == {"tv": 0.5}


def test_a_prefix_says_less_and_what_an_owner_says() -> None:
    line = {"domain": "made_up", "vendor": "Made-up", "category": "plug", "os_family": "Linux", "what": "plugs"}
    file = IntegrationFile.model_validate(FILE | {"integration": [line]}).as_prefix_rules()
    (rule,) = file.rule
    assert (file.kind, file.reason, rule.id) == ("owner", "Its address begins so.", "prefix-made-up")
    assert (rule.shares, rule.vendor, rule.os_family) == ({"plug": 0.7}, "Made-up", None)


def test_a_bad_line_is_refused() -> None:
    with pytest.raises(ValidationError, match="category"):
        IntegrationFile.model_validate(FILE | {"integration": [{"domain": "x", "category": "boat", "what": "boats"}]})
