from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ech
from appliance.sensor.packet.ech import Ech

KEY = bytes(31) + b"\x7f"


def outer(*, kind: int = 0, key: bytes = KEY, payload: int = 144, config: int = 7) -> bytes:
    return pack("!BHHBH", kind, 1, 1, config, len(key)) + key + pack("!H", payload) + bytes(payload)


@pytest.mark.parametrize(
    ("body", "name", "verdict"),
    [
        (None, b"shop.example", Ech.NONE),
        (outer(), b"shop.example", Ech.UNKNOWN),
        (outer(), None, Ech.UNKNOWN),
        (outer(), b"Cloudflare-ECH.com", Ech.REAL),
        (outer(key=b""), b"shop.example", Ech.REAL),
        (outer(key=bytes(31) + b"\x80"), b"shop.example", Ech.GREASE),
        (outer(key=bytes(31) + b"\x80"), b"cloudflare-ech.com", Ech.GREASE),
        (outer(key=b"\x04" + bytes(64)), b"shop.example", Ech.UNKNOWN),
        (outer(key=b"\x05" + bytes(64)), b"shop.example", Ech.GREASE),
        (outer(key=bytes(1120)), b"shop.example", Ech.UNKNOWN),
        (outer(payload=70), b"shop.example", Ech.GREASE),
        (outer(payload=71), b"shop.example", Ech.UNKNOWN),
        (outer(kind=1), b"shop.example", Ech.UNKNOWN),
        (b"\x01", b"shop.example", Ech.UNKNOWN),
        (b"", b"shop.example", Ech.UNKNOWN),
        (outer()[:20], b"cloudflare-ech.com", Ech.UNKNOWN),
    ],
)
def test_what_one_hello_tells(body: bytes | None, name: bytes | None, verdict: Ech) -> None:
    assert ech.judge(body, name) is verdict


def test_the_config_id_stands_behind_the_suite() -> None:
    shown = ech.config_id(outer(config=200))
    assert shown is not None
    assert shown[0] == 200
    assert shown[1].endswith(KEY)
    assert ech.config_id(outer()[:30]) is None


# An ECHConfigList as a provider published it (key and name of the documentation put in place of theirs).
ENTRY = bytes.fromhex("fe0d0038f200200020") + bytes(32) + bytes.fromhex("0004000100010009") + b"p.example" + bytes(2)
LIST = pack("!H", len(ENTRY)) + ENTRY


def test_published_keys() -> None:
    assert len(ENTRY) == 4 + 0x38
    assert ech.published(LIST) == ((0xF2, b"p.example"),)
    other = bytes.fromhex("fe0a000100")
    assert ech.published(pack("!H", len(ENTRY) + 5) + other + ENTRY) == ((0xF2, b"p.example"),)
    assert ech.published(pack("!H", 2 * len(ENTRY)) + ENTRY + ENTRY[:-9] + bytes(9)) == (
        (0xF2, b"p.example"),
        (0xF2, b"p." + bytes(7)),
    )


@pytest.mark.parametrize("keys", [b"", b"\0", LIST[:-1], b"\0\x05" + ENTRY[:5], b"\0\x05\xfe\x0d\0\x01\0"])
def test_broken_keys_are_none(keys: bytes) -> None:
    assert ech.published(keys) == ()


def test_published_keys_are_bounded() -> None:
    assert len(ech.published(pack("!H", 40 * len(ENTRY)) + 40 * ENTRY)) == ech.MAX_KEYS


@given(st.binary(max_size=100), st.none() | st.binary(max_size=20))
def test_any_bytes(body: bytes, name: bytes | None) -> None:
    assert ech.judge(body, name) in set(Ech) - {Ech.NONE}
    ech.config_id(body)
    ech.published(body)
    ech.published(pack("!H", len(body)) + body)
