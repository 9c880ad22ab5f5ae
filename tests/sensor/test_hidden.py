from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor import hidden
from appliance.sensor.hidden import HiddenNames
from appliance.sensor.packet import tls
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
        assert names.judge(one, 0.0) is one
    assert len(names) == 0


def test_names_are_bounded(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "MAX_NAMES", 4)
    names = HiddenNames()
    verdicts(names, *(hello(7, name=b"%d.example" % number) for number in range(9)))
    assert len(names) == 4


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_extension(build: Any, bodies: list[bytes]) -> None:
    names = HiddenNames()
    for body in bodies:
        made = tls.read_handshake(build.hello(extensions=build.extension(0xFE0D, body)))
        assert made is not None
        assert names.judge(made, 0.0).ech in set(Ech) - {Ech.NONE}
