"""What the lab's personas let be seen, heard through the box's own parsers.

Personas in, traits out; with a persona's truth beside them. They are written from public documentation
by those who wrote the rules, so they prove that evidence arrives, and never how often it is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from random import Random

from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.traits_of import traits_of
from lab.personas import load, names
from lab.week.speech import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One persona that has joined."""

    name: str
    mac: str
    category: str
    os_family: str | None
    vendor: str | None
    traits: tuple[tuple[str, str], ...]


def spoken() -> Iterator[Spoken]:
    """All personas with a truth, each joining once under its own address."""
    for name in names():
        persona = load(name)
        if persona.truth is None:
            continue
        dice = Random(1)  # noqa: S311 - transaction numbers, no secret
        speaker = Speaker(
            persona=persona, device=persona.name, mac=persona.mac, ip4=IPv4Address("192.0.2.20"), dice=dice
        )
        dissector = Dissector()
        traits: dict[tuple[str, str], None] = {}
        for ts, data in sorted(speaker.join(1_700_000_000.0)):
            for fact in dissector.feed(Frame(ts=ts, tap=Tap.FILE, link=LinkType.ETHERNET, data=data)):
                traits |= {(trait, value): None for mac, trait, value in traits_of(fact) if mac == persona.mac}
        truth = persona.truth
        yield Spoken(
            name=persona.name,
            mac=persona.mac,
            category=truth.category,
            os_family=truth.os_family,
            vendor=truth.vendor,
            traits=tuple(traits),
        )
