"""Hellos are read by the box's own parser, and one shape has one fingerprint whatever the dice."""

from __future__ import annotations

import pytest

from appliance.sensor.packet import tls
from lab import personas
from lab.week import hellos
from lab.week.plot import rolls

NAMES = sorted(hellos.shapes())


def read(record: bytes) -> tls.ClientHello:
    hello = tls.read_stream(record)[0]
    assert isinstance(hello, tls.ClientHello)
    return hello


@pytest.mark.parametrize("name", NAMES)
def test_a_hello_says_what_its_shape_says(name: str) -> None:
    shape = hellos.shapes()[name]
    hello = read(hellos.hello(shape, "www.news.example", rolls(1)))
    assert hello.sni == "www.news.example"
    assert [protocol.decode() for protocol in hello.alpn] == list(shape.alpn)
    assert len(hello.ciphers) == len(shape.ciphers)
    assert len(hello.extensions) == len(shape.extensions)
    real = [cipher for cipher in shape.ciphers if cipher != hellos.GREASE]
    assert [cipher for cipher in hello.ciphers if cipher in real] == real


@pytest.mark.parametrize("name", NAMES)
def test_chance_changes_the_octets_but_not_the_fingerprint(name: str) -> None:
    shape = hellos.shapes()[name]
    made = {hellos.hello(shape, "www.news.example", rolls(seed)) for seed in range(20)}
    assert len(made) == 20
    assert len({read(record).ja4 for record in made}) == 1


def test_shapes_have_fingerprints_of_their_own_and_every_persona_has_a_shape() -> None:
    made = [read(hellos.hello(shape, "a.example", rolls(1))).ja4 for shape in hellos.shapes().values()]
    assert len(set(made)) == len(made)
    assert {personas.load(name).hello for name in personas.names()} <= set(NAMES)
