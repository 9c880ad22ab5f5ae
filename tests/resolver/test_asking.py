"""Questions of the room: answered, unanswered, and answered with nonsense."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from appliance.plan import FilterPlan
from appliance.resolver import asking

FILTER_PORT = 15331
PLAN = FilterPlan(number=1, refuse_all=False, rules=(), safe_search=True, refuse=(), closed=False)


def test_a_running_filter_answers_for_the_box_and_gives_addresses(filtering: Callable[..., Any]) -> None:
    targets = {"strict.bing.com": (ip_address("198.51.100.30"), ip_address("2001:db8::30"))}
    filtering(PLAN, targets)
    assert asking.answers("gatehouse.home.arpa", "192.0.2.1", "127.0.0.1", FILTER_PORT)
    assert not asking.answers("gatehouse.home.arpa", "192.0.2.9", "127.0.0.1", FILTER_PORT)
    assert asking.addresses("www.bing.com", "127.0.0.1", FILTER_PORT) == targets["strict.bing.com"]


@pytest.mark.parametrize("reply", [None, b"", b"\xff" * 40, b"\x00" * 12])
def test_nonsense_and_silence_are_no_answer(monkeypatch: pytest.MonkeyPatch, reply: bytes | None) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            for _ in range(2):
                _, client = server.recvfrom(512)
                if reply is not None:
                    server.sendto(reply, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            assert asking.addresses("a.example", *server.getsockname()) == ()
        finally:
            thread.join(5)


def test_nobody_there_and_no_name_are_no_answer() -> None:
    assert not asking.answers("a.example", "192.0.2.1", "127.0.0.1", 1)
    assert asking.addresses("a..b", "127.0.0.1", 1) == ()
