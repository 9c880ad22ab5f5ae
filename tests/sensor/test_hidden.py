from __future__ import annotations

from struct import pack
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor import hidden
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Tap
from appliance.sensor.hidden import HiddenNames
from appliance.sensor.packet import dns, svcb, tls
from appliance.sensor.packet.ech import Ech


@pytest.fixture
def hello(build: Any) -> Any:
    def make(config: int, *, key: int = 1, name: bytes = b"shop.example", payload: int = 144) -> tls.ClientHello:
        body = pack("!BHHBH", 0, 1, 1, config, 32) + bytes((key % 256, key // 256)) + bytes(30)
        body += pack("!H", payload) + bytes(payload)
        made = tls.read_handshake(build.hello(extensions=build.sni(name) + build.extension(0xFE0D, body)))
        assert made is not None
        return made

    return make


def verdicts(names: HiddenNames, *hellos: tls.ClientHello, ts: float = 0.0) -> list[Ech]:
    return [names.judge(one, ts).ech for one in hellos]


def test_another_config_id_each_time_is_filler(hello: Any) -> None:
    names = HiddenNames()
    said = [hello(config, key=number) for number, config in enumerate((7, 91, 200, 13), start=1)]
    assert verdicts(names, *said) == [Ech.UNKNOWN, Ech.GREASE, Ech.GREASE, Ech.GREASE]


def test_filler_whose_ids_agree_by_chance_stays_filler(hello: Any) -> None:
    names = HiddenNames()
    said = [hello(config, key=number) for number, config in enumerate((7, 91, 91, 13, 13, 200), start=1)]
    assert verdicts(names, *said)[1:] == [Ech.GREASE] * 5


def test_the_same_config_id_three_times_is_real(hello: Any) -> None:
    names = HiddenNames()
    said = [hello(7, key=number) for number in range(1, 6)]
    assert verdicts(names, *said) == [Ech.UNKNOWN, Ech.UNKNOWN, Ech.REAL, Ech.REAL, Ech.REAL]


def test_a_change_of_keys_leaves_real_ones_real(hello: Any) -> None:
    names = HiddenNames()
    said = [hello(7 if number < 10 else 8, key=number) for number in range(1, 20)]
    assert set(verdicts(names, *said)[2:]) == {Ech.REAL}


def test_the_same_extension_twice_is_filler(hello: Any) -> None:
    # RFC 9849 section 6.2: only filler is copied whole into a second hello
    assert verdicts(HiddenNames(), hello(7), hello(7)) == [Ech.UNKNOWN, Ech.GREASE]


def test_names_are_told_apart(hello: Any) -> None:
    names = HiddenNames()
    said = (hello(7, key=1, name=b"one.example"), hello(9, key=2, name=b"two.example"))
    assert verdicts(names, *said) == [Ech.UNKNOWN, Ech.UNKNOWN]


def test_names_are_forgotten_by_packet_time(hello: Any) -> None:
    names = HiddenNames()
    assert verdicts(names, hello(7, key=1)) == [Ech.UNKNOWN]
    assert verdicts(names, hello(9, key=2), ts=hidden.NAME_AGE + 1) == [Ech.UNKNOWN]


def test_what_is_plain_by_itself_is_left_alone(hello: Any, build: Any) -> None:
    names = HiddenNames()
    for one in (hello(7, payload=20), hello(7, name=b"cloudflare-ech.com"), tls.read_handshake(build.hello())):
        assert one is not None
        assert names.judge(one, 0.0) is one
    assert len(names) == 0


def keys(*configs: tuple[int, bytes]) -> bytes:
    """An ECHConfigList."""
    entries = b""
    for config, name in configs:
        content = pack("!BHH", config, 32, 32) + bytes(32) + pack("!HHHBB", 4, 1, 1, 0, len(name)) + name + b"\0\0"
        entries += pack("!HH", 0xFE0D, len(content)) + content
    return pack("!H", len(entries)) + entries


def answer(name: str, published: bytes | None) -> dns.Message:
    data = svcb.Svcb(priority=1, target="", ech=published)
    return dns.Message(
        id=1,
        response=True,
        opcode=0,
        rcode=0,
        questions=(dns.Question(name=name, qtype=dns.HTTPS, qclass=1),),
        answers=(dns.Answer(name=name, rtype=dns.HTTPS, ttl=60, value="", data=data),),
        complete=True,
    )


def test_a_key_that_was_published_is_real(hello: Any) -> None:
    names = HiddenNames()
    names.hear(answer("secret.example", keys((7, b"Public.example"))), 0.0)
    assert verdicts(names, hello(7, name=b"public.example")) == [Ech.REAL]
    assert verdicts(names, hello(9, name=b"public.example")) == [Ech.UNKNOWN], "another key"
    assert verdicts(names, hello(7, name=b"secret.example")) == [Ech.GREASE], "looked up, so not hidden"


def test_a_name_that_was_looked_up_is_shown_beside_filler(hello: Any) -> None:
    names = HiddenNames()
    names.hear(answer("shop.example", None), 0.0)
    assert verdicts(names, hello(7)) == [Ech.GREASE]
    assert verdicts(names, hello(7), ts=hidden.NAME_AGE + 1) == [Ech.UNKNOWN]


def test_a_key_of_the_public_name_itself_is_real(hello: Any) -> None:
    names = HiddenNames()
    names.hear(answer("public.example", keys((7, b"public.example"))), 0.0)
    assert verdicts(names, hello(7, name=b"public.example"), hello(8, name=b"public.example")) == [Ech.REAL, Ech.GREASE]


def test_nobody_but_the_resolver_publishes_keys(hello: Any) -> None:
    """A device that sends answers of its own, or questions with records in them, makes no other's filler real."""
    names = HiddenNames()
    forged = answer("secret.example", keys(*((config, b"public.example") for config in range(256))))
    names.hear(forged, 0.0, of_resolver=False)
    names.hear(msgspec.structs.replace(forged, response=False), 0.0)
    assert verdicts(names, hello(7, name=b"public.example")) == [Ech.UNKNOWN]


@pytest.mark.parametrize(
    ("tap", "mac", "verdict"),
    [
        (Tap.FLOW, True, Ech.UNKNOWN),
        (Tap.DNS, True, Ech.UNKNOWN),
        (Tap.DNS, False, Ech.REAL),
        (Tap.FILE, True, Ech.REAL),
    ],
)
def test_answers_count_where_they_are_heard(build: Any, hello: Any, tap: Tap, mac: bool, verdict: Ech) -> None:
    """The same from bytes: what came in from a device is no answer of the router's."""
    config = keys((7, b"public.example"))
    value = pack("!HBHH", 1, 0, 5, len(config)) + config
    message = pack("!6H", 7, 0x8180, 1, 1, 0, 0) + build.name("secret.example") + pack("!2H", 65, 1)
    message += b"\xc0\x0c" + pack("!2HIH", 65, 1, 60, len(value)) + value
    packet = build.ipv4(build.udp(message, sport=53, dport=4000), protocol=17)
    dissector = Dissector()
    (fact,) = dissector.feed(build.frame(packet, tap=tap, mac=build.phone if mac else None))
    assert fact.message.answers[0].data.ech == config
    assert dissector._datagrams[tap]._hidden.judge(hello(7, name=b"public.example"), 1000.0).ech is verdict


def test_names_and_keys_are_bounded(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "MAX_NAMES", 4)
    monkeypatch.setattr(hidden, "MAX_KEYS", 3)
    names = HiddenNames()
    for number in range(9):
        verdicts(names, hello(7, name=b"%d.example" % number))
        names.hear(answer(f"{number}.test", keys((number, b"public.example"))), 0.0)
    assert len(names) == 4 + 4 + 3


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_extension(build: Any, bodies: list[bytes]) -> None:
    names = HiddenNames()
    for body in bodies:
        made = tls.read_handshake(build.hello(extensions=build.extension(0xFE0D, body)))
        assert made is not None
        assert names.judge(made, 0.0).ech in set(Ech) - {Ech.NONE}
