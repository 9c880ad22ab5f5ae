from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.signs.weigh import MAX_ENDS, severity
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade, Severity

FAR = "192.0.2.7"
BEGAN = {"server": FAR, "port": 51820}


@pytest.mark.req("R18", "S5")
def test_wireguard_is_told_with_its_rhythm(script: Any) -> None:
    assert script().hear(Signal.WIREGUARD, "initiation", **BEGAN).only().grade is Grade.MEDIUM
    sign = script().hear(Signal.WIREGUARD, "initiation", first=0.0, last=1200.0, count=11, **BEGAN).only()
    assert (sign.kind, sign.grade, sign.subject) == (FindingKind.TUNNEL, Grade.HIGH, f"WireGuard, {FAR}")
    assert sign.reasons[0] == "This looks like WireGuard: a handshake to 192.0.2.7 about every 2 minutes."
    both = script().hear(Signal.WIREGUARD, "initiation", **BEGAN).hear(Signal.BUSY, "udp", octets=9**9, **BEGAN).only()
    assert (both.grade, both.signals) == (Grade.HIGH, 2)


@pytest.mark.req("R18")
@pytest.mark.parametrize(
    ("signal", "values", "grade"),
    [
        (Signal.OPENVPN, ["udp/hard-reset"], Grade.MEDIUM),
        (Signal.OPENVPN, ["tcp/hard-reset", "tcp/control"], Grade.HIGH),
        (Signal.SSTP, ["request"], Grade.MEDIUM),
        (Signal.SSH, ["OpenSSH_9.2"], Grade.LOW),
        (Signal.IKE, ["2"], Grade.LOW),
    ],
)
def test_a_try_is_less_than_a_tunnel(script: Any, signal: Signal, values: list[str], grade: Grade) -> None:
    played = script()
    for value in values:
        played.hear(signal, value, server=FAR)
    assert played.only().grade is grade


@pytest.mark.req("R18")
def test_ssh_that_is_long_and_busy_is_more(script: Any) -> None:
    played = script().hear(Signal.SSH, "OpenSSH_9.2", server=FAR).hear(Signal.BUSY, "ssh", server=FAR, octets=10**8)
    assert played.only().grade is Grade.MEDIUM
    elsewhere = script().hear(Signal.SSH, "x", server=FAR).hear(Signal.BUSY, "tls", server="192.0.2.8", octets=10**8)
    assert elsewhere.only().grade is Grade.LOW


@pytest.mark.req("R18")
def test_a_phone_that_calls_over_wifi_stays_low(script: Any) -> None:
    played = script().hear(Signal.IKE, "2", server=FAR).hear(Signal.IKE, "esp", server=FAR, count=400)
    for category, grade in (("phone", Grade.LOW), (None, Grade.LOW), ("laptop", Grade.MEDIUM)):
        sign = played.knowing(category=category).only()
        assert sign.grade is grade, category
        assert any("Wi-Fi calling" in text for text in sign.alternatives)
    call = played.knowing(category="phone").hear(Signal.BUSY, "udp", server=FAR, octets=8_000_000)
    assert call.only().grade is Grade.LOW, "a long call"
    assert call.hear(Signal.BUSY, "udp", server=FAR, octets=900_000_000).only().grade is Grade.MEDIUM
    assert played.knowing(category="desktop").only().grade is Grade.HIGH


@pytest.mark.req("R18")
def test_a_backup_over_tls_stays_low(script: Any) -> None:
    played = script().hear(Signal.SSTP, "hello", server=FAR).hear(Signal.BUSY, "tls", server=FAR, octets=10**10)
    assert played.only().grade is Grade.LOW
    assert "backup" in played.only().alternatives[0]
    assert played.hear(Signal.VPN_NAMED, "example-vpn").only().grade is Grade.MEDIUM
    assert played.hear(Signal.SSTP, "request", server=FAR).only().grade is Grade.HIGH


@pytest.mark.req("R77")
def test_a_tunnel_of_a_work_device_is_for_information(script: Any) -> None:
    sign = script().knowing(standing=Standing.WORK).hear(Signal.WIREGUARD, "initiation", count=9, **BEGAN).only()
    assert "work device" in sign.alternatives[0]
    assert severity(sign.kind, sign.grade, Standing.WORK) is Severity.INFORMATION
    assert severity(sign.kind, sign.grade, Standing.REGISTERED) is Severity.TODAY


def test_the_name_of_a_service_is_weak_alone_and_adds_to_a_tunnel(script: Any) -> None:
    named = script().hear(Signal.VPN_NAMED, "example-vpn")
    assert (named.only().grade, named.only().signals) == (Grade.LOW, 1)
    sign = named.hear(Signal.WIREGUARD, "initiation", **BEGAN).only()
    assert (sign.signals, sign.subject) == (2, f"WireGuard, {FAR}")


def test_many_far_ends_are_told_together_beyond_a_bound(script: Any) -> None:
    played = script()
    for number in range(40):
        played.hear(Signal.WIREGUARD, "initiation", server=f"192.0.2.{number}")
    signs = played.signs()
    assert len(signs) == MAX_ENDS + 1
    assert signs[-1].subject == "WireGuard, further places"
    assert all(len(sign.records) <= 32 for sign in signs)
    subjects = {sign.subject for sign in signs}
    for number in range(40, 60):
        played.hear(Signal.WIREGUARD, "initiation", server=f"192.0.2.{number}", count=5)
    assert {sign.subject for sign in played.signs()} == subjects, "new places make no new findings"
    assert played.signs()[-1].reasons[0].startswith("This looks like WireGuard: a handshake to further places")


def test_a_connection_that_is_merely_busy_is_no_sign(script: Any) -> None:
    for value in ("tls", "udp", "tcp"):
        assert script().hear(Signal.BUSY, value, server=FAR, octets=10**10).signs() == []
