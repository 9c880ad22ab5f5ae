"""Passphrases of the Wi-Fi as the keeper keeps them: orders in, the whole state for the warden out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.devices.passphrases import Purpose
from appliance.keeper.household.guessing import CALM_SECONDS, FEW
from appliance.keeper.law.acts import Given
from appliance.keeper.store.database import Store
from appliance.keeper.wifi import SAY_SECONDS, Setting, Wifi
from appliance.requests import RequestError, SetNetworkRequest
from wire.authority import Authority
from wire.findings import Finding, FindingKind
from wire.models import CommandResult
from wire.orders import EndPassphrase, SetNetwork, SetPassphrase
from wire.wifi import MOST_PASSPHRASES, SealedPassphrase, seal_passphrase

pytestmark = pytest.mark.req("N9", "R57")

SITE = "box-1"
START = 1_900_000_000.0
HOUSEHOLD, LAPTOP, GUEST = "horse battery staple", "paper lamp orbit", "visitors welcome 7"
MAC = "02:00:5e:00:53:0a"


def order(bench: Any, key_id: str, passphrase: str, /, **changes: Any) -> SetPassphrase:
    sealed = seal_passphrase(passphrase, site=SITE, key_id=key_id, recipient=bench.box_opener.public_key())
    return SetPassphrase(**({"key_id": key_id, "sealed": sealed, "purpose": "household"} | changes))


def answer(bench: Any, heard: list[m.Message]) -> tuple[str, str]:
    (result,) = [each for each in bench.payloads(heard) if isinstance(each, CommandResult)]
    return result.outcome.value, result.detail


def told(heard: list[m.Message]) -> list[m.WifiPassphrases]:
    return [each for each in heard if isinstance(each, m.WifiPassphrases)]


def ids(message: m.WifiPassphrases) -> list[str]:
    return [each.key_id for each in message.keys]


def given(at: float = START) -> Given:
    return Given(command_id="c-1", by="officer-1", second=None, broken=False, reason="", scope=None, at=at)


@pytest.fixture
def idle(make_bench: Callable[..., Any]) -> Any:
    """A keeper without an authority."""
    made = make_bench(None)
    made.online()
    return made


def test_the_home_has_its_wifi_without_any_authority(idle: Any) -> None:
    heard = idle.order(order(idle, "household", HOUSEHOLD))
    assert answer(idle, heard) == ("applied", "")
    (message,) = told(heard)
    assert message.keys == (m.Passphrase(key_id="household", passphrase=HOUSEHOLD, purpose="household"),)
    assert message.at == idle.wall


def test_no_passphrase_can_be_read_from_the_database(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    folder = Path(idle.path).parent
    idle.stop()
    found = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert b"household" in found
    assert HOUSEHOLD.encode() not in found
    idle.start(None)


def test_a_keeper_that_starts_again_says_the_same(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    idle.order(order(idle, "visitor-1", GUEST, purpose="guest", until=datetime.fromtimestamp(START + 600, UTC)))
    idle.stop()
    idle.start(None)
    (message,) = told(idle.connect(Peer.WARDEN))
    assert ids(message) == ["household", "visitor-1"]
    assert message.keys[1].ends == START + 600


def test_a_visit_ends_by_itself_and_a_visit_without_a_date_within_a_week(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    idle.order(order(idle, "visitor-1", GUEST, purpose="guest", until=datetime.fromtimestamp(START + 600, UTC)))
    idle.order(order(idle, "visitor-2", GUEST + "b", purpose="guest"))
    (message,) = told(idle.wait(600))
    assert ids(message) == ["household", "visitor-2"]
    assert idle.store.kinship.passphrases().get("visitor-1") is None
    assert ids(told(idle.wait(7 * 86400))[-1]) == ["household"]


def test_the_warden_hears_it_again_each_hour(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    assert told(idle.wait(60)) == []
    assert len(told(idle.wait(SAY_SECONDS))) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sealed": "A" * 88}, "not made for this box"),
        ({"key_id": "other"}, "not made for this box"),
        ({"purpose": "guest", "until": datetime.fromtimestamp(START - 5, UTC)}, "already be over"),
        ({"purpose": "device", "device_id": "d-1"}, "No authority"),
    ],
)
def test_what_cannot_count_is_refused_and_says_why(idle: Any, changes: dict[str, Any], why: str) -> None:
    outcome, detail = answer(idle, idle.order(order(idle, "new", LAPTOP, **changes)))
    assert outcome == "refused"
    assert why in detail


def test_two_entries_never_have_one_passphrase(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    outcome, detail = answer(idle, idle.order(order(idle, "laptop-1", HOUSEHOLD, purpose="device")))
    assert (outcome, "could not tell" in detail) == ("refused", True)
    assert answer(idle, idle.order(order(idle, "household", HOUSEHOLD)))[0] == "applied"


def test_the_households_own_name_is_nobody_elses(idle: Any) -> None:
    assert "whole household" in answer(idle, idle.order(order(idle, "household", LAPTOP, purpose="device")))[1]


def test_there_are_never_more_than_the_access_point_takes(bench: Any) -> None:
    for number in range(MOST_PASSPHRASES):
        bench.order(order(bench, f"k-{number}", f"passphrase {number}"))
    outcome, detail = answer(bench, bench.order(order(bench, "one-more", LAPTOP)))
    assert (outcome, "64" in detail) == ("refused", True)
    assert answer(bench, bench.order(order(bench, "k-0", LAPTOP)))[0] == "applied"


def test_an_ended_one_is_gone_and_the_homes_own_is_never_left_out(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    idle.order(order(idle, "laptop-1", LAPTOP, purpose="device"))
    assert "no passphrase of this name" in answer(idle, idle.order(EndPassphrase(key_id="tv")))[1]
    assert "without its passphrase" in answer(idle, idle.order(EndPassphrase(key_id="household")))[1]
    heard = idle.order(EndPassphrase(key_id="laptop-1"))
    assert answer(idle, heard)[0] == "applied"
    assert ids(told(heard)[-1]) == ["household"]


def test_the_last_passphrase_cannot_be_ended(idle: Any) -> None:
    idle.order(order(idle, "flat", HOUSEHOLD))
    assert "without its passphrase" in answer(idle, idle.order(EndPassphrase(key_id="flat")))[1]


def test_a_passphrase_set_for_a_device_is_that_devices_own(bench: Any) -> None:
    bench.station(MAC)
    device = bench.device(MAC)
    bench.order(order(bench, "laptop-1", LAPTOP, purpose="device", device_id=device.device_id))
    binding = bench.store.kinship.passphrases().get("laptop-1")
    assert (binding.purpose, binding.device_id) == (Purpose.DEVICE, device.device_id)
    unknown = bench.order(order(bench, "tv-1", LAPTOP + "x", purpose="device", device_id="d-none"))
    assert "does not know this device" in answer(bench, unknown)[1]
    assert bench.core._wifi.message(bench.wall, 0.0).keys[-1].key_id == "laptop-1"


def test_ending_it_closes_what_was_found_about_it(bench: Any) -> None:
    other = "02:00:5e:00:53:0b"
    bench.order(order(bench, "household", HOUSEHOLD))
    bench.order(order(bench, "laptop-1", LAPTOP, purpose="device"))
    bench.station(MAC, "laptop-1")
    bench.station(other, "laptop-1")
    assert FindingKind.KEY_SHARED.value in bench.open_kinds(other)
    bench.order(EndPassphrase(key_id="laptop-1"))
    assert FindingKind.KEY_SHARED.value not in bench.open_kinds(other)


# --- where nothing is known ----------------------------------------------------------------------


def test_a_keeper_that_knows_none_takes_over_what_the_access_point_reads(idle: Any) -> None:
    heard = idle.connect(Peer.WARDEN)
    assert any(isinstance(each, m.WifiAsked) for each in heard)
    kept = (
        m.Passphrase(key_id="household", passphrase=HOUSEHOLD, purpose="household"),
        m.Passphrase(key_id="visitor-1", passphrase=GUEST, purpose="guest", ends=START + 600),
        m.Passphrase(key_id="setup", passphrase="abcd-efgh-jkmn-pqrs", purpose="device"),
    )
    (message,) = told(idle.hear(Peer.WARDEN, m.WifiKept(keys=kept)))
    assert message.keys == kept[:2]
    assert idle.store.kinship.passphrases().get("household").purpose is Purpose.HOUSEHOLD


def test_what_the_warden_still_has_brings_nothing_back_that_was_ended(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    ended = m.Passphrase(key_id="laptop-1", passphrase=LAPTOP, purpose="device")
    idle.hear(Peer.WARDEN, m.WifiKept(keys=(ended,)))
    assert ids(idle.core._wifi.message(START, 0.0)) == ["household"]


@pytest.mark.req("R57")
def test_the_homes_own_passphrase_is_taken_over_also_after_an_order_about_another(idle: Any) -> None:
    """On a fresh database an order may come before the warden has said what the access point reads."""
    idle.order(order(idle, "laptop-1", LAPTOP))
    own = m.Passphrase(key_id="household", passphrase=HOUSEHOLD, purpose="household")
    idle.hear(Peer.WARDEN, m.WifiKept(keys=(own,)))
    assert ids(idle.core._wifi.message(START, 0.0)) == ["household", "laptop-1"]


def make(store: Store, bench: Any, **changes: Any) -> Wifi:
    return Wifi(store, bench.core._book.keys, Setting(site=SITE, opener=bench.box_opener, **changes))


def test_what_enrolment_left_is_taken_once(idle: Any, tmp_path: Path) -> None:
    left = tmp_path / "passphrases.json"
    good = order(idle, "household", HOUSEHOLD)
    others = seal_passphrase(LAPTOP, site=SITE, key_id="tv", recipient=X25519PrivateKey.generate().public_key())
    entries = (
        SealedPassphrase(key_id="household", sealed=good.sealed, purpose="household"),
        SealedPassphrase(key_id="tv", sealed=others, purpose="device"),
    )
    left.write_text(f"[{','.join(each.model_dump_json(exclude_none=True) for each in entries)}]")
    with idle.store.transaction():
        wifi = make(idle.store, idle, left=left)
        assert ids(wifi.message(START, 0.0)) == ["household"]  # type: ignore[arg-type] # not the question
        wifi.set(order(idle, "flat", LAPTOP), given())
        wifi.end(EndPassphrase(key_id="flat"), given())
        again = make(idle.store, idle, left=left)
        assert ids(again.message(START, 0.0)) == ["household"]  # type: ignore[arg-type] # as above


@pytest.mark.parametrize("content", [None, "", "nonsense", '[{"key_id": 5}]', "[" * 50_000])
def test_a_file_that_is_none_leaves_the_question(idle: Any, tmp_path: Path, content: str | None) -> None:
    left = tmp_path / "passphrases.json"
    if content is not None:
        left.write_text(content)
    with idle.store.transaction():
        assert isinstance(make(idle.store, idle, left=left).message(START, 0.0), m.WifiAsked)


def test_what_was_sealed_to_a_key_that_is_gone_comes_back_from_the_access_point(idle: Any) -> None:
    idle.order(order(idle, "household", HOUSEHOLD))
    with idle.store.transaction():
        fresh = Wifi(
            idle.store, idle.core._book.keys, Setting(site=SITE, opener=X25519PrivateKey.generate(), left=None)
        )
        assert isinstance(fresh.message(START, 0.0), m.WifiAsked)
        kept = m.Passphrase(key_id="household", passphrase=HOUSEHOLD, purpose="household")
        fresh.kept(m.WifiKept(keys=(kept,)), START)
        assert ids(fresh.message(START, 0.0)) == ["household"]  # type: ignore[arg-type] # known again


# --- the network ----------------------------------------------------------------------------------


def test_a_name_of_the_wifi_is_handed_to_root(idle: Any) -> None:
    asked: list[SetNetworkRequest] = []
    wifi = make(idle.store, idle, ask=asked.append)
    assert wifi.network(SetNetwork(ssid="Example Home", security="wpa2-wpa3", isolation=True), given()) is None
    assert asked == [
        SetNetworkRequest(request_id="c-1", at=START, ssid="Example Home", security="wpa2-wpa3", isolation=True)
    ]


def test_where_nobody_can_be_asked_that_is_said(idle: Any) -> None:
    def fails(_request: SetNetworkRequest) -> None:
        raise RequestError("no room")

    assert make(idle.store, idle).network(SetNetwork(ssid="Example Home"), given()) is not None
    refusal = make(idle.store, idle, ask=fails).network(SetNetwork(ssid="Example Home"), given())
    assert refusal is not None
    assert "Try again" in refusal


def test_how_the_access_point_is_goes_into_the_status(idle: Any) -> None:
    assert idle.core._wifi.state() is None
    idle.hear(Peer.WARDEN, m.WifiSeen(ts=START, up=True, ssid="Example Home", stations=3, passphrases=2))
    state = idle.core._wifi.state()
    assert (state.up, state.ssid, state.stations, state.passphrases) == (True, "Example Home", 3, 2)


# --- tries ----------------------------------------------------------------------------------------


def guessed(bench: Any, mac: str, count: int) -> list[Finding]:
    message = m.PassphraseGuessed(ts=bench.wall, since=bench.wall, mac=mac, count=count)
    bench.hear(Peer.WARDEN, message)
    heard = bench.wait(10)
    return [each for each in bench.payloads(heard) if isinstance(each, Finding)]


@pytest.mark.req("R28")
def test_tries_are_one_finding_that_closes_by_itself(bench: Any) -> None:
    (first,) = guessed(bench, MAC, FEW)
    assert (first.kind, first.device_id, first.state) == (FindingKind.PASSPHRASE_GUESSED, None, "open")
    assert first.rule.clause == "1"
    assert {each.finding_id for each in guessed(bench, MAC, FEW)} <= {first.finding_id}
    assert len(bench.store.findings.of_kind(["passphrases-tried"])) == 1
    later = [each for each in bench.payloads(bench.wait(CALM_SECONDS + 60)) if isinstance(each, Finding)]
    assert [(each.finding_id, each.count) for each in later if each.state == "closed"] == [(first.finding_id, 2 * FEW)]


def test_tries_of_a_known_device_are_a_finding_about_it(bench: Any) -> None:
    bench.sight(MAC)
    (found,) = [each for each in guessed(bench, MAC, FEW) if each.kind is FindingKind.PASSPHRASE_GUESSED]
    assert found.device_id == bench.device(MAC).device_id


@pytest.mark.req("N1")
def test_without_an_authority_nothing_is_written_of_who_tries(idle: Any) -> None:
    assert guessed(idle, MAC, 500) == []
    assert idle.rows("finding") == 0


def test_where_strangers_are_not_recorded_neither_are_their_tries(
    make_bench: Callable[..., Any], signed: Callable[..., bytes], make_authority: Callable[..., Authority]
) -> None:
    clauses = tuple(clause for clause in make_authority().clauses if clause.number == "2")
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    assert guessed(bench, MAC, 500) == []


def test_a_signature_of_another_orders_nothing(idle: Any) -> None:
    command = idle.command("d-none", "unknown", body=order(idle, "household", HOUSEHOLD))
    assert told(idle.down(command, key=Ed25519PrivateKey.generate())) == []
