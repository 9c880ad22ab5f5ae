"""Somebody hides a second device behind one on the register, or behind a crowd: what the officer sees then."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.household import proposals
from appliance.keeper.store import evidence
from appliance.traits import Trait
from wire.base import Standing
from wire.models import JoinedBy, Proposal
from wire.orders import AnswerProposal, BindPassphrase

OWN, HIDDEN, NEXT = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
LAPTOP = "00:00:5e:00:53:01"
DUID = (Trait.DHCP6_DUID, "0004c0ffee00c0ffee00c0ffee00c0ffee01")
AS_LAPTOP = (
    (Trait.DHCP4_VENDOR_CLASS, "MSFT 5.0"),
    (Trait.DHCP4_HOST_NAME, "LAPTOP-7QK2M9XA"),
    (Trait.DHCP4_PARAMETERS, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
)
AS_IPHONE = (
    (Trait.DHCP4_HOST_NAME, "iPhone"),
    (Trait.MDNS_TXT, "_device-info._tcp model=iPhone15,2"),
    (Trait.MDNS_TXT, "_rdlink._tcp rpMd=iPhone15,2"),
    (Trait.DHCP4_PARAMETERS, "1,121,3,6,15,108,114,119,252"),
)
AS_ANDROID = (
    (Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14"),
    (Trait.DHCP4_HOST_NAME, "Galaxy-S24"),
    (Trait.DHCP4_PARAMETERS, "1,3,6,15,26,28,51,58,59,43,114,108"),
)


def speaks(bench: Any, mac: str, traits: tuple[tuple[Trait, str], ...]) -> list[Any]:
    return [payload for trait, value in traits for payload in bench.payloads(bench.trait(mac, trait, value))]


def registered(bench: Any, mac: str, traits: tuple[tuple[Trait, str], ...], key: str | None = None) -> str:
    """A device on the register that is away by now."""
    bench.station(mac, key)
    speaks(bench, mac, traits)
    device_id = str(bench.device(mac).device_id)
    bench.down(bench.command(device_id, Standing.REGISTERED, label="Phone"))
    for _ in range(10):
        bench.wait(1)
    bench.station(mac, joined=False)
    bench.wait(600)
    bench.acknowledge()
    return device_id


def stays_there(bench: Any, *macs: str, seconds: float = 300.0) -> list[Any]:
    """These addresses are heard of again and again."""
    sent = []
    for _ in range(int(seconds // 10)):
        bench.wait(10)
        for mac in macs:
            sent += bench.payloads(bench.sight(mac, m.Via.FLOW))
    bench.acknowledge()
    return sent


@pytest.mark.req("R12", "R47", "N8")
def test_a_phone_with_the_address_of_the_registered_laptop(bench: Any) -> None:
    device_id = registered(bench, LAPTOP, AS_LAPTOP)
    assert bench.device(LAPTOP).looks_like.category == "laptop"
    bench.station(LAPTOP)
    speaks(bench, LAPTOP, AS_IPHONE)
    assert bench.device(LAPTOP).device_id == device_id
    assert bench.open_kinds(LAPTOP) == ["class-changed"]


@pytest.mark.req("R12", "N9", "N8")
@pytest.mark.parametrize("frames_first", [False, True])
@pytest.mark.parametrize(
    ("own", "hidden", "words"),
    [(AS_LAPTOP, AS_IPHONE, "points to: phone"), (AS_ANDROID, AS_IPHONE, "points to iOS")],
)
def test_another_device_with_the_passphrase_of_one_that_is_off(
    bench: Any, own: Any, hidden: Any, words: str, *, frames_first: bool
) -> None:
    """It counts as that device, but not in silence; also where all it says is heard before the join is told."""
    device_id = registered(bench, OWN, own, "key-7")
    if frames_first:
        speaks(bench, HIDDEN, hidden)
    bench.station(HIDDEN, "key-7")
    speaks(bench, HIDDEN, hidden)
    assert bench.device(HIDDEN).device_id == device_id
    assert bench.open_kinds(HIDDEN) == ["class-changed"]
    (stored,) = bench.store.findings.open_of(device_id)
    assert words in " ".join(stored.finding.reasons)


@pytest.mark.req("N8", "N9")
def test_the_same_device_with_a_new_address_is_no_finding(bench: Any) -> None:
    for number, traits in enumerate((AS_LAPTOP, AS_IPHONE, AS_ANDROID)):
        own, new = f"02:00:00:00:{number:02x}:01", f"02:00:00:00:{number:02x}:02"
        registered(bench, own, traits, f"key-{number}")
        bench.station(new, f"key-{number}")
        speaks(bench, new, traits)
        stays_there(bench, new)
        assert bench.open_kinds(new) == []
        assert bench.device(new) == bench.device(own)
        bench.station(new, joined=False)
        bench.wait(60)


@pytest.mark.req("N9", "N8")
def test_when_the_owner_comes_back_both_are_there_and_that_shows(bench: Any) -> None:
    """A look-alike with the passphrase of a phone that was off: nothing tells them apart until both are there."""
    device_id = registered(bench, OWN, AS_IPHONE, "key-7")
    bench.station(HIDDEN, "key-7")
    speaks(bench, HIDDEN, AS_IPHONE)
    stays_there(bench, HIDDEN)
    assert bench.open_kinds(HIDDEN) == []
    bench.station(OWN, "key-7")
    stays_there(bench, OWN, HIDDEN)
    assert bench.device(OWN).device_id == device_id
    assert bench.device(HIDDEN).device_id != device_id
    assert bench.device(HIDDEN).standing is Standing.UNKNOWN
    assert HIDDEN not in bench.core._collection.mask
    assert bench.open_kinds(HIDDEN) == ["passphrase-shared", "unregistered-device"]
    assert bench.open_kinds(OWN) == []
    bench.station(HIDDEN, joined=False)
    bench.station(OWN, joined=False)
    bench.wait(600)
    bench.station(HIDDEN, "key-7")
    assert bench.device(HIDDEN).device_id != device_id, "what was found to be two does not become one again"


@pytest.mark.req("N9", "R11")
def test_a_device_that_was_there_beside_the_owner_is_not_counted_as_it_later(bench: Any) -> None:
    """Its finding does not vanish by its joining with the passphrase of one that is off."""
    device_id = registered(bench, OWN, AS_IPHONE, "key-7")
    bench.station(OWN, "key-7")
    bench.station(HIDDEN, "household")
    stays_there(bench, OWN, HIDDEN)
    assert bench.open_kinds(HIDDEN) == ["unregistered-device"]
    for mac in (OWN, HIDDEN):
        bench.station(mac, joined=False)
    bench.wait(60)
    bench.station(HIDDEN, "key-7")
    assert bench.device(HIDDEN).device_id != device_id
    assert bench.open_kinds(HIDDEN) == ["passphrase-shared", "unregistered-device"]
    (shared,) = [
        item.finding for item in bench.store.findings.open_of(bench.device(HIDDEN).device_id) if item.subject == "key-7"
    ]
    assert "at the same time" in shared.reasons[1]


def confirmed(bench: Any) -> str:
    """A registered phone, away, of which a person once confirmed a second address by an identifier."""
    device_id = registered(bench, OWN, (*AS_ANDROID, DUID))
    speaks(bench, NEXT, (*AS_ANDROID, DUID))
    found = [item for _ in range(8) for item in bench.payloads(bench.wait(1)) if isinstance(item, Proposal)]
    bench.order(AnswerProposal(proposal_id=found[-1].proposal_id, confirm=True))
    assert bench.device(NEXT).device_id == device_id
    bench.station(NEXT, joined=False)
    bench.wait(600)
    bench.acknowledge()
    return device_id


@pytest.mark.req("N8", "R12")
def test_a_copied_identifier_on_another_kind_of_device(bench: Any) -> None:
    device_id = confirmed(bench)
    speaks(bench, HIDDEN, (DUID,))
    assert bench.device(HIDDEN).address(HIDDEN).joined_by is JoinedBy.IDENTIFIER
    speaks(bench, HIDDEN, AS_IPHONE)
    assert bench.open_kinds(HIDDEN) == ["class-changed"]
    assert bench.device(HIDDEN).device_id == device_id


@pytest.mark.req("N8")
def test_a_copied_identifier_beside_the_device_it_was_copied_from(bench: Any) -> None:
    device_id = confirmed(bench)
    speaks(bench, HIDDEN, (DUID, *AS_ANDROID))
    assert bench.device(HIDDEN).device_id == device_id
    stays_there(bench, HIDDEN, NEXT)
    assert bench.device(HIDDEN).device_id != device_id
    assert bench.open_kinds(HIDDEN) == ["unregistered-device"]
    assert bench.device(NEXT).device_id == device_id, "what a person joined stays joined"
    speaks(bench, HIDDEN, (DUID,))
    assert bench.device(HIDDEN).device_id != device_id


@pytest.mark.req("R47", "N8")
def test_a_phone_that_calls_itself_like_the_television(bench: Any) -> None:
    tv = registered(bench, OWN, ((Trait.DHCP4_HOST_NAME, "livingroom-tv-7f3a91"), (Trait.SSDP_TYPE, "urn:x:tv:1")))
    speaks(bench, HIDDEN, ((Trait.DHCP4_HOST_NAME, "livingroom-tv-7f3a91"), (Trait.SSDP_TYPE, "urn:x:tv:1")))
    for _ in range(8):
        bench.wait(1)
    assert bench.device(HIDDEN).device_id != tv
    assert bench.open_kinds(HIDDEN) == ["unregistered-device"]
    assert bench.rows("proposal") == 0


@pytest.mark.req("N9")
def test_a_passphrase_that_several_use_tells_nobody_apart(bench: Any) -> None:
    """Not told to the box whose it is, used by all: it is no sign, and registering one user does not make it hers."""
    for number in range(3):
        bench.station(f"02:00:00:00:01:0{number}", "visitors")
    profiles = bench.core._book._profiles
    profiles.begin()
    scope = bench.core._judgement.scope
    assert Trait.WIFI_KEY not in profiles.of(bench.device("02:00:00:00:01:00"), scope).evidence
    bench.down(bench.command(bench.device("02:00:00:00:01:00").device_id, Standing.REGISTERED))
    assert bench.store.kinship.passphrases().get("visitors") is None
    for key, purpose in (("home", "household"), ("guests", "guest"), ("own", "device")):
        bench.order(BindPassphrase(key_id=key, purpose=purpose))
        bench.station(OWN, key)
        told = profiles.of(bench.device(OWN), scope).evidence.get(Trait.WIFI_KEY, {})
        assert set(told) == ({"own"} if key == "own" else set())
    bench.station(OWN, "household")
    assert Trait.WIFI_KEY not in profiles.of(bench.device(OWN), scope).evidence


@pytest.mark.req("R12")
def test_a_table_full_of_rules_hides_no_change_of_kind(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(bench, LAPTOP, AS_LAPTOP)
    monkeypatch.setattr(evidence, "MAX_HITS", bench.rows("hit"))
    bench.station(LAPTOP)
    speaks(bench, LAPTOP, AS_IPHONE)
    assert bench.open_kinds(LAPTOP) == ["class-changed"]
    assert bench.store.evidence.hits_overflow > 0
    assert bench.core._book.overflow() > 0


@pytest.mark.req("R12")
def test_invented_models_do_not_fill_the_table(bench: Any) -> None:
    for number in range(20, 60):
        bench.trait(HIDDEN, Trait.MDNS_TXT, f"_device-info._tcp model=iPhone{number},1")
    most = bench.store._db.execute(
        "select count(*) from hit group by mac, substr(rule, 1, instr(rule || char(9), char(9)))"
    ).fetchall()
    assert max(count for (count,) in most) == evidence.MAX_OF_ONE_RULE
    assert bench.store.evidence.hits_overflow >= 36


@pytest.mark.req("R11", "N8")
def test_a_crowd_of_invented_addresses_leaves_room_for_the_right_proposal(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "MAX_OPEN", 2)
    registered(bench, OWN, (*AS_ANDROID, DUID))
    most = 0
    for number in range(8):
        # Each comes as if the phone had just changed its address.
        bench.station(OWN)
        bench.station(OWN, joined=False)
        mac = f"02:00:00:00:02:{number:02x}"
        speaks(bench, mac, AS_ANDROID)
        for _ in range(8):
            bench.wait(1)
        bench.wait(200)
        most = max(most, bench.store.kinship.open_count())
    assert most == 2
    assert bench.core._book.proposals.overflow > 0
    bench.acknowledge()
    speaks(bench, NEXT, (*AS_ANDROID, DUID))
    sent = [item for _ in range(8) for item in bench.payloads(bench.wait(1))]
    told = [item for item in sent if isinstance(item, Proposal) and item.other_id == bench.device(NEXT).device_id]
    assert told[-1].state == "open"
    assert bench.store.kinship.open_count() <= 2
