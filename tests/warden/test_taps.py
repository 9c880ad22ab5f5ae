"""The request that binds a tap, and what the kernel's answers mean."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence

import pytest

from appliance.warden import taps
from firmware import names


def attributes(request: bytes) -> dict[int, bytes]:
    found = {}
    position = 20
    while position < len(request):
        size, kind = struct.unpack_from("=HH", request, position)
        found[kind] = request[position + 4 : position + size]
        position += (size + 3) & ~3
    return found


@pytest.mark.parametrize("tap", names.TAPS)
def test_a_request_says_group_length_and_batch(tap: names.TapGroup) -> None:
    request = taps.configuration(tap)
    size, kind, flags = struct.unpack_from("=IHH", request)
    assert (size, kind, flags) == (len(request), 0x0401, 5)
    assert struct.unpack_from(">H", request, 18) == (tap.group,)
    said = attributes(request)
    assert said[1] == b"\x01"
    assert struct.unpack(">IBx", said[2]) == (tap.snaplen, 2)
    assert struct.unpack(">I", said[4]) == (2,)
    assert struct.unpack(">I", said[5]) == (tap.queue_threshold,)


def answer(code: int, kind: int = 2) -> bytes:
    return struct.pack("=IHHIIi", 36, kind, 0, 1, 0, code) + bytes(16)


def test_answers_of_the_kernel() -> None:
    assert taps.refusal(answer(0)) == 0
    assert taps.refusal(answer(-errno.EPERM)) == errno.EPERM
    assert taps.refusal(answer(0, kind=3)) == errno.EBADMSG
    assert taps.refusal(b"short") == errno.EBADMSG


def test_a_busy_group_is_told_from_a_refusal() -> None:
    for code in (errno.EPERM, errno.EBUSY):
        with pytest.raises(taps.TapBusyError):
            taps._expect_consent(names.FLOW, answer(-code))
    with pytest.raises(OSError, match="tap flow") as caught:
        taps._expect_consent(names.FLOW, answer(-errno.EOPNOTSUPP))
    assert not isinstance(caught.value, taps.TapBusyError)


def test_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    def open_two(tap: names.TapGroup) -> socket.socket:
        if tap is names.CHATTER:
            raise taps.TapBusyError(errno.EBUSY, "busy")
        near, far = socket.socketpair()
        far.close()
        opened.append(near)
        return near

    monkeypatch.setattr(taps, "open_tap", open_two)
    wanted: Sequence[names.TapGroup] = names.TAPS
    with pytest.raises(taps.TapBusyError):
        taps.open_all(wanted)
    assert [sock.fileno() for sock in opened] == [-1, -1]
