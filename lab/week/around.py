"""What is done to get round the box, as octets that the real parsers read.

A device of a stay and a span of time in; frames, and how much was moved, out. Bounded by the span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from lab import personas
from lab.addresses import OTHER_RESOLVER
from lab.week import answers, frames, shakes
from lab.week.household import Way
from lab.week.speech import Speaker
from lab.week.uses import Device, Done

PUBLIC_RESOLVER = IPv4Address(OTHER_RESOLVER[0])
LISTED = "casino.chance.example"
_FAR = IPv4Address("198.51.100.77")
"""Where the tunnel ends."""
_GUARDS = tuple(IPv4Address(f"198.51.100.{last}") for last in (121, 134, 147, 158))
_GUARD_PORTS = (9001, 443, 9001, 443)
_CANARY, _RESOLVER, _PROJECT = "use-application-dns.net", "cloudflare-dns.com", "www.torproject.org"
_HIDDEN = tuple(f"{word}.example" for word in ("forum-one", "forum-two", "board", "market", "boards", "stream-two"))
_BEHIND = "iphone"
_REKEY_SECONDS = 120.0


def around(way: Way, device: Device, began: float, ended: float) -> Iterator[Done]:
    """What a way round comes to, between two moments."""
    match way:
        case "encrypted-names":
            yield from _encrypted_names(device, began, ended)
        case "tunnel":
            yield from _tunnel(device, began, ended)
        case "listed":
            yield from device.pages(began, ended, (LISTED,))
        case "tor":
            yield from _tor(device, began, ended)
        case "behind":
            yield from _behind(device, began, ended)
        case "other-resolver":
            return  # it changes whom the device asks: see `resolver`


def resolver(way: Way) -> IPv4Address | None:
    """Whom a device asks for names meanwhile; None: somebody that nobody here can hear."""
    return {"other-resolver": PUBLIC_RESOLVER, "encrypted-names": None}.get(way, IPv4Address("192.0.2.1"))


def _encrypted_names(device: Device, began: float, ended: float) -> Iterator[Done]:
    """A browser asks whether it may, then a public resolver over HTTPS; its pages come without a question here."""
    yield from device.speaker.ask(began - 20.0, _CANARY, kinds=("A", "AAAA"))
    yield from device.speaker.ask(began - 10.0, _RESOLVER, kinds=("A", "AAAA"))
    ts = began
    while ts < ended:
        yield from device.speaker.greet(ts, _RESOLVER)
        yield device.moved(ts, 600.0, str(answers.place(_RESOLVER).ip4), frames.TCP, 443, up=40_000, down=60_000)
        ts += 900.0
    yield from device.pages(began, ended, _HIDDEN)


def _tunnel(device: Device, began: float, ended: float) -> Iterator[Done]:
    """WireGuard: a handshake every two minutes, and all that the device does within."""
    own = device.dice.randrange(49152, 65536)
    ts, number = began + device.dice.uniform(10, 200), 0
    yield device.moved(ts, ended - ts, str(_FAR), frames.UDP, shakes.WIREGUARD_PORT, up=15_000_000, down=240_000_000)
    while ts < ended:
        first = shakes.wireguard_initiation(device.dice)
        yield from device.speaker.send(ts, _FAR, shakes.WIREGUARD_PORT, first, own=own)
        if not number:
            data = shakes.wireguard_data(device.dice, number)
            yield from device.speaker.send(ts + 0.1, _FAR, shakes.WIREGUARD_PORT, data, own=own)
        number += 1
        ts += _REKEY_SECONDS + device.dice.uniform(0, 0.3)


def _tor(device: Device, began: float, ended: float) -> Iterator[Done]:
    """The project's page, and then its program: at its start it opens several connections to its first hops."""
    yield from device.visit(began, _PROJECT, up=20_000, down=90_000_000, seconds=200.0)
    ts = began + 300.0
    for number, (guard, port) in enumerate(zip(_GUARDS, _GUARD_PORTS, strict=True)):
        moment = ts + number * 3.0
        name = shakes.tor_name(device.dice)
        yield from device.speaker.greet(moment, name, to=guard, port=port, shape=shakes.tor_shape())
        yield device.moved(
            moment, ended - moment if not number else 30.0, str(guard), frames.TCP, port, up=2_000_000, down=30_000_000
        )


def _behind(device: Device, began: float, ended: float) -> Iterator[Done]:
    """A phone goes online through the laptop, which takes one off its hop limits and gives it its own addresses."""
    persona = personas.load(_BEHIND)
    if persona.syn is None:
        raise ValueError(f"{_BEHIND} opens no connections")
    passed = persona.model_copy(update={"syn": persona.syn.model_copy(update={"ttl": persona.syn.ttl - 1})})
    own = device.speaker
    speaker = Speaker(persona=passed, device=own.device, mac=own.mac, ip4=own.ip4, dice=device.dice)
    phone = replace(device, speaker=speaker)
    for name in passed.reports_to:
        yield from phone.visit(began, name, up=3_000, down=6_000)
        began += 5.0
    yield from phone.pages(began, ended, ("social.example", "pictures.example", "maps.example"))
