from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.keeper import findings, hits
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.lists.match import Lists, Match, NameList, load
from appliance.keeper.now import Now
from appliance.messages import How
from wire.base import Standing
from wire.findings import Finding, Severity

META = NameList(id="l", version="v" * 64, title="t" * 120, severity=Severity.ACT_NOW, sha256="0" * 64)
DEVICE = Device(
    device_id="d-1",
    revision=1,
    standing=Standing.REGISTERED,
    addresses=(Address(mac="02:00:00:00:00:01", first_seen=1.0, last_seen=1.0),),
    first_seen=1.0,
    last_seen=1.0,
    reported_at=1.0,
)


def listed(scope: Scope, match: Match, name: str, how: How = How.DNS, **more: str) -> Finding:
    now = Now(scope=scope, ts=1.0, at=2.0)
    return hits.listed(DEVICE, match, clause="4", name=name, how=how, now=now, finding_id="f-1", **more)


@pytest.mark.req("R29", "N16")
@pytest.mark.parametrize("how", list(How))
def test_the_longest_name_fits(scope: Scope, how: How) -> None:
    name = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 60, "example"])
    found = replace(META, owner="o" * 300, source="s" * 500, category="c" * 99)
    finding = listed(scope, Match(list=found, entry=name), name, how, asked=name, because="r" * 300)
    assert (finding.severity, finding.cause) == (Severity.ACT_NOW, None)
    assert finding.hit is not None
    assert finding.hit.list_sha256 == found.sha256
    assert (finding.hit.how, finding.hit.asked) == (how.value, name)
    assert all(len(reason) <= findings.MAX_TEXT for reason in finding.reasons)


@pytest.mark.req("R29", "N16")
def test_whose_list_it_is_and_which_entry(scope: Scope) -> None:
    found = load(
        b"*.bets.example\n",
        id_="gambling",
        version="7",
        title="Gambling",
        severity=Severity.TODAY,
        category="gambling",
        owner="Example Trust",
        source="https://lists.example/gambling",
    )
    (match,) = Lists([found]).match("www.bets.example", ["gambling"])
    finding = listed(scope, match, "www.bets.example", How.TLS)
    assert finding.reasons == (
        "The device opened a protected connection to www.bets.example.",
        "It is on the list “Gambling”, version 7, kept by Example Trust.",
        "The entry that covers it is *.bets.example.",
        "Clause 4 puts this list in force for this device.",
    )
    assert finding.hit is not None
    assert (finding.hit.category, finding.hit.owner, finding.hit.source) == (
        "gambling",
        "Example Trust",
        "https://lists.example/gambling",
    )
    assert (finding.rule.clause, finding.cause) == ("4", "d-1-gambling")
    assert len(finding.alternatives) == 2


@pytest.mark.req("R29")
def test_what_led_to_it_is_said(scope: Scope) -> None:
    finding = listed(scope, Match(list=META, entry="x.example"), "x.example", How.ANSWER, asked="shop.example")
    assert finding.reasons[0] == "The device was sent on to x.example when it asked where to find shop.example."
    assert len(finding.alternatives) == 3


@pytest.mark.req("R24")
def test_names_in_other_letters_are_shown_and_remarked_on(scope: Scope) -> None:
    name = "xn--pypal-4ve.example"
    finding = listed(scope, Match(list=META, entry=name), name)
    assert finding.hit is not None
    assert finding.hit.shown == "p\u0430ypal.example"
    assert "In letters the name reads p\u0430ypal.example." in finding.reasons
    assert "Its letters are of more than one script: Cyrillic and Latin." in finding.reasons


@pytest.mark.req("N16", "R63")
@pytest.mark.parametrize("how", list(How))
def test_a_confidential_name_is_nowhere_in_the_finding(scope: Scope, how: How) -> None:
    match = Match(list=replace(META, confidential=True), entry="keyed:" + "0" * 32)
    finding = listed(scope, match, "xn--pypal-4ve.example", how, asked="led.example")
    told = finding.model_dump_json().lower()
    for word in ("example", "xn--", "ypal", "breach"):
        assert word not in told
    assert finding.hit is not None
    assert (finding.hit.name, finding.hit.asked, finding.hit.shown) == (None, None, None)
    assert finding.hit.entry == "keyed:" + "0" * 32
