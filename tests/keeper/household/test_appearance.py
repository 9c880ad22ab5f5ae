from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household import appearance as module
from appliance.traits import Trait
from wire.authority import DataClass
from wire.base import Correction, Standing
from wire.findings import Finding
from wire.models import Device
from wire.orders import CorrectDevice

TV = "02:00:00:00:00:0a"
AS_TV = (
    (Trait.SSDP_TYPE, "urn:dial-multiscreen-org:device:dial:1"),
    (Trait.MDNS_SERVICE, "_googlecast._tcp"),
    (Trait.MDNS_TXT, "_googlecast._tcp md=BRAVIA 4K VH2"),
    (Trait.HTTP_USER_AGENT, "Mozilla/5.0 (Linux; Android 10; BRAVIA 4K VH2) AppleWebKit/537.36"),
)
AS_PHONE = (
    (Trait.DHCP4_HOST_NAME, "iPhone"),
    (Trait.MDNS_TXT, "_device-info._tcp model=iPhone15,2"),
    (Trait.MDNS_TXT, "_rdlink._tcp rpMd=iPhone15,2"),
    (Trait.DHCP4_PARAMETERS, "1,121,3,6,15,108,114,119,252"),
)


def speaks(bench: Any, mac: str, traits: tuple[tuple[Trait, str], ...]) -> list[Any]:
    return [payload for trait, value in traits for payload in bench.payloads(bench.trait(mac, trait, value))]


@pytest.mark.req("R12", "R47")
def test_a_television_that_begins_to_speak_like_a_phone_is_a_finding(bench: Any) -> None:
    bench.sight(TV)
    speaks(bench, TV, AS_TV)
    device = bench.device(TV)
    assert device.looks_like.category == "tv"
    bench.down(bench.command(device.device_id, Standing.HOUSEHOLD))
    bench.acknowledge()
    bench.wait(module.ESTABLISHED_SECONDS + 1)
    assert [item for item in speaks(bench, TV, AS_TV) if isinstance(item, Finding)] == [], "as ever"
    sent = speaks(bench, TV, AS_PHONE)
    changed = [item for item in sent if isinstance(item, Finding) and item.kind.value == "class-changed"]
    assert len({item.finding_id for item in changed}) == 1
    assert (changed[0].device_id, changed[0].rule.clause) == (device.device_id, "1")
    assert changed[0].alternatives
    assert bench.device(TV).looks_like.conflicts, "what speaks against it is shown"
    bench.order(CorrectDevice(device_id=device.device_id, correction=Correction(category="tv")))
    assert bench.open_kinds(TV) == []


@pytest.mark.req("R12")
def test_news_of_a_new_device_within_the_hour_are_no_change(bench: Any) -> None:
    bench.sight(TV)
    speaks(bench, TV, AS_TV)
    speaks(bench, TV, AS_PHONE)
    assert bench.open_kinds(TV) == ["unregistered-device"]


@pytest.mark.req("R12", "R13")
def test_the_verdict_comes_back_after_a_restart_from_the_rules_met(bench: Any, signed: Any) -> None:
    bench.sight(TV)
    speaks(bench, TV, AS_TV)
    before = bench.device(TV).looks_like
    assert before.category == "tv"
    bench.stop()
    bench.start(signed())
    bench.online()
    assert bench.device(TV).looks_like == before
    again = bench.core._book._appearance.judge(bench.device(TV))
    assert again.looks_like == before


@pytest.mark.req("R56", "R55")
def test_a_name_is_asked_about_and_not_kept(bench: Any) -> None:
    bench.sight(TV)
    bench.trait(TV, Trait.DHCP4_HOST_NAME, "Galaxy-S24-canary")
    kept = b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    assert b"canary" not in kept
    assert bench.device(TV).looks_like is not None, "and yet it told something"


@pytest.mark.req("R26", "R12")
def test_what_it_looks_like_is_told_at_most_every_two_seconds(bench: Any) -> None:
    bench.sight(TV)
    bench.acknowledge()
    sent = speaks(bench, TV, AS_TV)
    assert sent == []
    told = [item for item in bench.payloads(bench.wait(2)) if isinstance(item, Device)]
    assert [item.looks_like.category for item in told] == ["tv"]
    assert speaks(bench, TV, AS_TV) + bench.payloads(bench.wait(3)) == [], "nothing new"


@pytest.mark.req("R56", "R61")
def test_without_leave_for_fingerprints_nothing_is_asked(make_bench: Any, signed: Any) -> None:
    clauses = [{"number": "1", "kind": "collect", "standings": ["unknown"], "classes": [DataClass.PRESENCE]}]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    bench.sight("00:00:5e:00:53:09")
    speaks(bench, TV, AS_TV)
    assert bench.rows("device") == 2
    assert (bench.rows("evidence"), bench.rows("hit")) == (0, 0)


def test_what_is_remembered_as_asked_is_bounded(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    for number in range(10):
        bench.trait(TV, Trait.TLS_JA4, f"t13d{number}")
        assert len(bench.core._book._appearance._asked) <= 3
