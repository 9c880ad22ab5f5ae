"""The shipped rules: each with its example; hits; bounds."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import Hit, Rules, services, vendors
from appliance.keeper.devices.fingerprint.elect import Filed
from appliance.keeper.devices.fingerprint.judge import MAX_OF_A_KIND
from appliance.keeper.devices.fingerprint.rules import MAX_HITS, MAX_HITS_OF_ONE, load, shipped_files
from appliance.keeper.devices.fingerprint.schema import Of
from appliance.keeper.devices.fingerprint.verdict import MAX_CAPTURED
from appliance.traits import MAX_VALUE, Trait
from wire.files import FileError

ALL = [rule for file in shipped_files() for rule in file.rule]
HOSTILE = (
    "a" * MAX_VALUE,
    "-" * MAX_VALUE,
    " " * MAX_VALUE,
    "1," * 256,
    "a-" * 256,
    "A1" * 256,
    "iphone" * 85,
    "(;" * 256,
)
CAPTURES = Path(__file__).resolve().parents[4].parent / "shared" / "captures" / "iot"


def of(rules: Rules, on: Trait | Of, value: str) -> tuple[Hit, ...]:
    """What a rule's own example gives, through the public way where there is one."""
    if isinstance(on, Trait):
        return rules.hits(on, value)
    if on is Of.NAME:
        return rules.hits(Trait.DHCP4_HOST_NAME, value)
    return tuple(rules._of(on, value))


OWN = Rules(shipped_files())
"""Without the published tables, which may speak in a rule's place."""


@pytest.mark.req("R12")
@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_holds_for_its_examples(rule: Any) -> None:
    for value in rule.example:
        hits = [hit for hit in of(OWN, rule.on, value) if hit.rule == rule.id]
        assert hits, f"{rule.id} does not hold for {value!r}"
    if rule.model_in_example is not None:
        found = [hit.model for hit in of(OWN, rule.on, rule.example[0]) if hit.rule == rule.id]
        assert found == [rule.model_in_example]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_no_pattern_is_slow_on_hostile_text(rule: Any) -> None:
    # A bound far above what any of them takes (below a millisecond), far below what an exponential one would.
    before = time.process_time()
    for text in (*HOSTILE, rule.example[0] * 20):
        rule.holds(text[:MAX_VALUE])
    assert time.process_time() - before < 2


@pytest.mark.req("N2", "R56")
def test_no_rule_captures_what_a_person_chose(rules: Rules) -> None:
    for value in ("Quentins-iPhone", "made-up-owner-galaxy-s21", "Zelda's MacBook Pro", "Quentin-DCS-932L"):
        for trait in (Trait.DHCP4_HOST_NAME, Trait.MDNS_HOST, Trait.MDNS_INSTANCE, Trait.NBNS_NAME):
            captured = " ".join(hit.text for hit in rules.hits(trait, value))
            assert not re.search("(?i)quentin|zelda|owner", captured)


def test_every_rule_says_whether_it_was_learned_from_a_labelled_capture() -> None:
    learned = {name for rule in ALL for name in rule.learned_from}
    if not CAPTURES.is_dir():
        pytest.skip("the labelled captures are not on this machine")
    assert learned <= {path.name for path in CAPTURES.iterdir()}
    assert learned, "some rules were"


def test_rules_learned_from_a_type_can_be_left_out() -> None:
    without = Rules(shipped_files(), without=frozenset({"Lightify"}))
    assert "name-lightify" not in without.rules
    assert without.hits(Trait.DHCP4_HOST_NAME, "Lightify-012345") == ()
    assert len(without.rules) < len(ALL)


@given(st.sampled_from(list(Trait)), st.text(max_size=700))
def test_any_value_gives_few_hits_and_no_error(trait: Trait, value: str) -> None:
    rules = Rules(shipped_files(), owners=vendors.shipped(), known=services.shipped())
    hits = rules.hits(trait, value)
    assert len(hits) <= MAX_HITS_OF_ONE
    assert all(len(hit.model or "") <= MAX_CAPTURED for hit in hits)
    assert all(Hit.from_text(hit.text) == hit for hit in hits)
    assert 0 <= rules.judge(hits).confidence <= 0.97


def test_only_the_surest_hits_of_each_kind_are_kept(rules: Rules) -> None:
    many = [Hit(name, str(number)) for name in rules.rules for number in range(2)]
    kept = rules.strongest(many)
    assert kept == rules.strongest(reversed(many))
    assert rules.strongest([Hit("no-such-rule")]) == ()
    kinds = {filed.kind for filed in rules.rules.values()}
    assert len(kinds) * MAX_OF_A_KIND <= MAX_HITS, "no kind pushes another out"
    for kind in kinds:
        of_kind = {name: filed.rule.strength for name, filed in rules.rules.items() if filed.kind == kind}
        told = [of_kind[hit.rule] for hit in kept if hit.rule in of_kind]
        assert len(told) == min(MAX_OF_A_KIND, 2 * len(of_kind))
        assert min(told) == min(sorted([*of_kind.values(), *of_kind.values()], reverse=True)[:MAX_OF_A_KIND])


def test_a_fallback_speaks_only_where_no_other_rule_does(make_rule: Any, make_file: Any) -> None:
    rules = Rules([make_file(make_rule(), make_rule(id="anything", match="^.", fallback=True))])
    assert [hit.rule for hit in rules.hits(Trait.DHCP4_VENDOR_CLASS, "lamp")] == ["lamp"]
    assert [hit.rule for hit in rules.hits(Trait.DHCP4_VENDOR_CLASS, "other")] == ["anything"]


def test_names_are_read_alike_by_whatever_protocol_they_come(rules: Rules) -> None:
    for trait in (Trait.DHCP4_HOST_NAME, Trait.DHCP6_FQDN, Trait.MDNS_HOST, Trait.NBNS_NAME, Trait.LLMNR_NAME):
        assert [hit.rule for hit in rules.hits(trait, "DESKTOP-1A2B3C4")] == ["name-windows"]
    assert rules.hits(Trait.DHCP6_FQDN, "DESKTOP-1A2B3C4.home.example")[0].rule == "name-windows"


def test_two_files_cannot_share_an_id(make_rule: Any, make_file: Any) -> None:
    with pytest.raises(ValueError, match="two rules are called lamp"):
        Rules([make_file(make_rule()), make_file(make_rule(), kind="other")])


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('version = "2026.1"\nkind = "x"\nreason = "It is made up."\nrule = []\n')
    with pytest.raises(FileError, match=r"bad\.toml.*rule"):
        load(tmp_path)
    (tmp_path / "bad.toml").unlink()
    assert load(tmp_path) == ()


@pytest.mark.req("R12")
def test_a_made_up_address_has_no_owner(rules: Rules) -> None:
    assert rules.of_address("02:00:5e:10:00:01") == ()
    assert rules.of_address("not an address") == ()


def test_filed_rules_carry_their_kind(rules: Rules) -> None:
    filed = rules.rules["windows-list"]
    assert isinstance(filed, Filed)
    assert filed.kind == "dhcp4"


@pytest.mark.req("R12")
def test_option_55_alone_names_no_device(rules: Rules) -> None:
    for value in ("1,3,6,15,26,28,51,58,59,43,114,108", "1,121,3,6,15,108,114,119,252", "1,3,6,12,15,28,42"):
        verdict = rules.judge(rules.hits(Trait.DHCP4_PARAMETERS, value))
        assert verdict.category is None
        assert verdict.os_family is not None
