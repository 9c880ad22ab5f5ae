from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import greetings
from appliance.sensor.packet.cursor import ParseError

TORRENT = b"\x13BitTorrent protocol" + bytes(8) + b"h" * 20 + b"p" * 20


@pytest.mark.parametrize(
    ("banner", "version", "software"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "2.0", "OpenSSH_9.6"),
        (b"SSH-2.0-OpenSSH_9.6 Debian-4 of somebody\r\n", "2.0", "OpenSSH_9.6"),
        (b"SSH-1.99-Example_1.2\n", "1.99", "Example_1.2"),
    ],
)
def test_ssh(banner: bytes, version: str, software: str) -> None:
    for end in range(len(banner)):
        assert greetings.may_begin_ssh(banner[:end])
        assert greetings.ssh(banner[:end]) is None
    assert greetings.ssh(banner + b"more") == ((("version", version), ("software", software)), len(banner))


@pytest.mark.parametrize("stream", [b"SSH-9.0-x\r\n", b"SSH-2.0-\r\n", b"SSH-2.0-a\0b\r\n", b"SSH-2.0-" + b"x" * 300])
def test_what_is_no_ssh(stream: bytes) -> None:
    assert greetings.may_begin_ssh(stream)
    with pytest.raises(ParseError):
        greetings.ssh(stream)


def test_bittorrent_and_nothing_of_what_is_shared() -> None:
    for end in range(len(TORRENT)):
        assert greetings.may_begin_bittorrent(TORRENT[:end])
        assert greetings.bittorrent(TORRENT[:end]) is None
    assert greetings.bittorrent(TORRENT + b"more") == ((), len(TORRENT))


def test_other_content_is_told_at_a_glance() -> None:
    assert not greetings.may_begin_ssh(b"SSJ")
    assert not greetings.may_begin_bittorrent(b"\x13Bot")
    with pytest.raises(ParseError):
        greetings.bittorrent(b"\x13Bot")


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for candidate in (data, b"SSH-2.0-" + data, b"\x13BitTorrent protocol" + data):
        for read in (greetings.ssh, greetings.bittorrent):
            with contextlib.suppress(ParseError):
                read(candidate)
