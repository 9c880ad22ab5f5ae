"""Exchanges that go on and move much: long tunnels, and the films, calls and backups beside them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.messages import Talk, TalksCounted
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet.handshake import Handshake
from appliance.sensor.signals.busy import MAX_BUSY, Busy
from appliance.sensor.signals.detector import Noticed
from appliance.signals import Signal

LAPTOP = "02:00:5e:00:53:0a"
FAR = "198.51.100.9"
MEGA = 1_000_000


def minutes(busy: Busy, count: int, *talks: Talk, start: float = 1000.0) -> list[Noticed]:
    return [
        one for at in range(count) for one in busy.counted(TalksCounted(ts=start + 60 * at, seconds=60.0, talks=talks))
    ]


def ssh(facts: Any) -> MessageHeard:
    heard: MessageHeard = facts.hello(None, dport=22)
    message = Handshake(protocol="ssh", detail=(("version", "2.0"), ("software", "OpenSSH_9.6")))
    return msgspec.structs.replace(heard, kind=Kind.HANDSHAKE, message=message)


@pytest.mark.req("R11")
def test_a_long_busy_connection_is_told_with_what_it_was_heard_to_be(facts: Any, home: Home) -> None:
    busy = Busy(home)
    busy.take(ssh(facts))
    talk = Talk(LAPTOP, FAR, 6, 22, MEGA // 10, 2 * MEGA)
    assert minutes(busy, 4, talk) == []
    (one,) = minutes(busy, 1, talk, start=1240.0)
    assert (one.signal, one.value, one.server, one.port, one.octets) == (Signal.BUSY, "ssh", FAR, 22, 10_500_000)
    told = minutes(busy, 5, talk, start=1300.0)
    assert [(again.value, again.octets) for again in told] == [("ssh", 6_300_000)], "what was told is not told again"


@pytest.mark.req("R11")
@pytest.mark.parametrize(("protocol", "value"), [(6, "tcp"), (17, "udp")])
def test_what_was_not_heard_is_told_by_its_transport(home: Home, protocol: int, value: str) -> None:
    found = minutes(Busy(home), 5, Talk(LAPTOP, FAR, protocol, 4444, MEGA, MEGA))
    assert [one.value for one in found] == [value]


@pytest.mark.req("N4")
@pytest.mark.parametrize(
    ("talk", "count"),
    [
        (Talk(LAPTOP, FAR, 6, 80, 1000, 20 * MEGA), 9),  # fetches: little goes up
        (Talk(LAPTOP, FAR, 17, 123, 5000, 5000), 60),  # goes on, moves little
        (Talk(LAPTOP, FAR, 6, 80, 5 * MEGA, 50 * MEGA), 4),  # moves much, is soon over
        (Talk(LAPTOP, FAR, 6, 80, 20 * MEGA, 0), 9),  # nobody answers
        (Talk(LAPTOP, "192.0.2.9", 6, 445, 9 * MEGA, 9 * MEGA), 9),  # in the household
    ],
)
def test_downloads_clocks_and_short_ones_are_not_told(home: Home, talk: Talk, count: int) -> None:
    assert minutes(Busy(home), count, talk) == []


@pytest.mark.req("N4")
def test_a_rest_begins_anew(home: Home) -> None:
    busy, talk = Busy(home), Talk(LAPTOP, FAR, 17, 4444, MEGA, MEGA)
    assert minutes(busy, 3, talk) == []
    assert minutes(busy, 4, talk, start=1000.0 + 120 + 600) == []


@pytest.mark.req("R11", "N4")
def test_a_name_that_was_shown_explains_unless_all_goes_there(facts: Any, home: Home) -> None:
    film = Talk(LAPTOP, FAR, 6, 443, MEGA // 10, 20 * MEGA)
    pages = Talk(LAPTOP, "203.0.113.7", 6, 443, MEGA, 4 * MEGA)
    busy = Busy(home)
    busy.take(facts.hello("film.example"))
    assert [one.server for one in minutes(busy, 5, film, pages)] == ["203.0.113.7"], "only what showed no name"
    alone = Busy(home)
    alone.take(facts.hello("film.example"))
    assert [(one.signal, one.value) for one in minutes(alone, 5, film)] == [(Signal.BUSY, "tls")]


@pytest.mark.req("R11")
def test_a_busy_hello_without_the_web_on_a_port_of_tunnels(facts: Any, home: Home) -> None:
    busy = Busy(home)
    busy.take(facts.hello(None, alpn=()))
    found = minutes(busy, 5, Talk(LAPTOP, FAR, 6, 443, MEGA, MEGA))
    assert [(one.signal, one.value) for one in found] == [(Signal.BUSY, "tls"), (Signal.SSTP, "hello")]
    quic = Busy(home)
    quic.take(facts.hello(None, alpn=(), kind=Kind.QUIC_CLIENT_HELLO))
    found = minutes(quic, 5, Talk(LAPTOP, FAR, 17, 443, MEGA, MEGA))
    assert [(one.signal, one.value) for one in found] == [(Signal.BUSY, "quic")]


@pytest.mark.req("R11", "N4")
def test_one_tunnel_among_all_that_a_big_household_does(facts: Any, home: Home) -> None:
    """Twelve devices for an hour: films, pages, a backup, games, file sharing; one has a shell open that carries all."""
    busy = Busy(home)
    busy.take(ssh(facts))
    films = "198.51.100.80"
    talks = [Talk(LAPTOP, FAR, 6, 22, 3 * MEGA // 10, 4 * MEGA)]
    for number in range(12):
        mac = f"02:00:5e:00:54:{number:02x}"
        busy.take(facts.hello("film.example", mac=mac, dst=films))
        busy.take(facts.hello("backup.example", mac=mac, dst="198.51.100.81"))
        talks += [
            Talk(mac, films, 6, 443, MEGA // 2, 40 * MEGA),
            Talk(mac, "198.51.100.81", 6, 443, 30 * MEGA, MEGA // 2),
            Talk(mac, "192.0.2.40", 6, 445, 30 * MEGA, 30 * MEGA),  # the household's own disk
            Talk(mac, "198.51.100.82", 17, 27015, 9_000, 12_000),  # a game's server
            *(Talk(mac, f"203.0.113.{peer % 250}", 17, 6000 + peer, 400, 900) for peer in range(500)),
        ]
    told = [
        (one.ts, one.mac, one.value)
        for minute in range(60)
        for at in range(0, len(talks), 512)
        for one in busy.counted(TalksCounted(ts=1000.0 + 60 * minute, seconds=60.0, talks=tuple(talks[at : at + 512])))
    ]
    assert {(mac, value) for _, mac, value in told} == {(LAPTOP, "ssh")}
    assert told[0][0] == 1240.0, "five minutes after it began"
    assert busy.overflow == 0


@pytest.mark.req("N4")
def test_a_film_is_not_told_when_what_is_beside_it_comes_in_another_message(facts: Any, home: Home) -> None:
    busy = Busy(home)
    busy.take(facts.hello("film.example"))
    busy.take(facts.hello("page.example", dst="198.51.100.80"))
    film, pages = Talk(LAPTOP, FAR, 6, 443, MEGA, 20 * MEGA), Talk(LAPTOP, "198.51.100.80", 6, 443, MEGA, 9 * MEGA)
    for minute in range(30):
        for talk in (film, pages) if minute % 2 else (pages, film):
            assert not list(busy.counted(TalksCounted(ts=1000.0 + 60 * minute, seconds=60.0, talks=(talk,))))


def test_many_exchanges_are_bounded_and_counted(home: Home) -> None:
    busy = Busy(home)
    minutes(busy, 1, *(Talk(LAPTOP, FAR, 6, port, 9000, 1000) for port in range(MAX_BUSY + 5)))
    assert busy.overflow == 5
