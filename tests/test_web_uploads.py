"""What is brought to a room's page and is too large: it is answered, and costs the room little."""

from __future__ import annotations

from typing import Any

import pytest

from appliance import web
from appliance.web import DEADLINE, GRACE, MAX_BODY


def _upload(rig: Any, size: int) -> tuple[bytes, int]:
    """Send it all before reading, as a browser does; the answer, and the octets that went."""
    client = rig.client()
    client.setblocking(False)
    head = b"POST /ask HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: %d\r\n\r\n" % size
    left, sent, part = head, 0, b"x" * 65536
    while sent < size:
        try:
            gone = client.send(left)
            left = left[gone:]
            sent += gone
            left = left or part[: size + len(head) - sent]
            if not left:
                break
        except BlockingIOError:
            pass
        except OSError:  # reset
            break
        rig.turn()
    answer = b""
    for _ in range(50):
        rig.turn()
        try:
            chunk = client.recv(65536)
        except BlockingIOError:
            continue
        except OSError:
            return b"", sent
        if not chunk:
            break
        answer += chunk
    client.close()
    return answer, sent


@pytest.mark.req("R69")
def test_what_is_far_too_large_is_answered_before_the_connection_ends(rig: Any) -> None:
    answer, sent = _upload(rig, 4 * 1024 * 1024)
    assert sent >= 4 * 1024 * 1024
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"make it shorter.\n")
    rig.turn(100)
    assert rig.server.open == 0


def test_what_never_ends_is_thrown_away_for_so_long_only(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_DRAIN", 256 * 1024)
    _answer, sent = _upload(rig, 1 << 30)
    assert rig.server.open == 0
    assert sent < 64 * 1024 * 1024, "what fits between the two ends, and no more"


def test_who_is_answered_and_holds_on_is_let_go_at_the_deadline(rig: Any) -> None:
    client = rig.client()
    client.sendall(b"POST /ask HTTP/1.1\r\nHost: 192.0.2.1\r\nContent-Length: 9999999\r\n\r\n" + b"x" * (MAX_BODY + 1))
    rig.turn(5)
    assert client.recv(65536).startswith(b"HTTP/1.1 413")
    assert rig.server.open == 1
    for _ in range(20):  # it drips, which prolongs nothing
        client.sendall(b"x")
        rig.turn()
        rig.server.expire(rig.now)
    rig.now += DEADLINE + GRACE
    rig.server.expire(rig.now)
    assert rig.server.open == 0
