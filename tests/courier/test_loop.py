"""The loop against brokers that are there and do not answer."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from appliance import clock, link
from appliance import settings as box_settings
from appliance.courier import broker
from appliance.courier.loop import Courier
from appliance.messages import BrokerState, ListFetched, ListWanted, Outbound
from appliance.settings import BoxSettings, ListSource

# paho leaves a socket whose handshake failed to the reference count, which closes it and warns.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def settings(box_toml: Callable[..., Path], silent: socket.socket) -> BoxSettings:
    found = box_settings.load(box_toml())
    near = found.broker.model_copy(update={"host": "127.0.0.1", "port": silent.getsockname()[1]})
    return found.model_copy(update={"broker": near})


@pytest.fixture
def keeper(settings: BoxSettings) -> Iterator[socket.socket]:
    path = settings.keeper_socket("courier")
    path.parent.mkdir(parents=True)
    with link.listen(path) as listener:
        yield listener


def join(courier: Courier, keeper: socket.socket) -> link.Link:
    """Let the courier join, and give it its will."""
    courier.turn()
    joined = link.accept(keeper, {os.getuid()})
    assert joined is not None
    joined.send(Outbound(topic="gatehouse/v1/example/site-1/status/box", body=b"gone"))
    return joined


def busy(courier: Courier) -> bool:
    return courier._broker is not None


def test_a_broker_that_says_nothing_does_not_stop_the_loop(
    settings: BoxSettings, keeper: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "CONNECT_TIMEOUT", 2.0)
    courier = Courier(settings, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), clock.monotonic)
    joined = join(courier, keeper)
    turns = 0
    told: list[str] = []
    while not any("timed out" in text for text in told):
        courier.turn()
        turns += 1
        assert turns < 1000
        told += [item.detail for item in joined.receive() if isinstance(item, BrokerState)]
    assert turns > 10, "it went on turning while the handshake hung"
    courier.run(lambda: True)
    joined.close()


def test_brokers_that_are_lost_again_and_again_leave_no_descriptor(
    settings: BoxSettings, keeper: socket.socket, silent: socket.socket
) -> None:
    moment = 1000.0
    courier = Courier(settings, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lambda: moment)
    joined = join(courier, keeper)
    silent.settimeout(20)
    counts = []
    for _ in range(6):
        while not busy(courier):
            moment += 60.0
            courier.turn()
        silent.accept()[0].close()
        while busy(courier):
            courier.turn()
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
    courier.run(lambda: True)
    assert max(counts) <= counts[0] + 1
    joined.close()


def test_a_file_that_the_keeper_wants_comes_with_its_descriptor(settings: BoxSettings, keeper: socket.socket) -> None:
    body = b"bets.example\n"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/list"
        source = ListSource(id="gambling", manifest=url, publishers=("A" * 43 + "=",))
        listed = settings.model_copy(update={"lists": (source,)})
        courier = Courier(listed, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), clock.monotonic)
        joined = join(courier, keeper)
        joined.send(ListWanted(list_id="gambling", url=url, etag=None, most=100))
        joined.send(ListWanted(list_id="unknown", url=url, etag=None, most=100))
        told: dict[str, tuple[str, list[int]]] = {}
        until = clock.monotonic() + 20
        while len(told) < 2 and clock.monotonic() < until:
            courier.turn()
            messages, descriptors = joined.receive_descriptors()
            for message in messages:
                if isinstance(message, ListFetched):
                    told[message.list_id] = (message.outcome, descriptors)
        server.shutdown()
    assert told["unknown"] == ("failed", [])
    outcome, (descriptor,) = told["gambling"]
    assert outcome == "new"
    with os.fdopen(descriptor, "rb") as file:
        assert file.read() == body
    courier.run(lambda: True)
    joined.close()
