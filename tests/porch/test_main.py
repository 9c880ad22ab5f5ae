from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from appliance import link, service
from appliance import settings as box_settings
from appliance.messages import FormAnswered, FormSent, Notice, NoticeRequest
from appliance.porch.__main__ import main

NOTICE = Notice(recording=True, kind="consent", kept=("Which devices join.",), until=None)


class Running:
    """The porch in a thread, with a listener on loopback."""

    def __init__(self, config: Path, listener: socket.socket) -> None:
        self.address: tuple[str, int] = listener.getsockname()
        self.settings = box_settings.load(config)
        self.keeper_path = self.settings.keeper_socket("porch")
        self.keeper_path.parent.mkdir(parents=True)
        self.stop = False
        self.thread = threading.Thread(target=main, args=(self.settings, lambda: self.stop))
        self.thread.start()

    def page(self) -> str:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def page_says(self, words: str) -> bool:
        """Ask for the page until it says so, at most ten seconds."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if words in self.page():
                return True
        return False


@pytest.fixture
def porch(box_toml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(service, "inherited_listeners", lambda: [listener])
    running = Running(box_toml(), listener)
    yield running
    running.stop = True
    running.thread.join(10)
    assert not running.thread.is_alive()


def answer_once(listener: socket.socket) -> link.Link:
    """Be the keeper: admit the porch and answer its first question."""
    listener.setblocking(True)
    listener.settimeout(10)
    sock, _address = listener.accept()
    keeper = link.Link(sock)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if any(isinstance(message, NoticeRequest) for message in keeper.receive()):
            keeper.send(NOTICE)
            return keeper
    raise AssertionError("the porch did not ask")


@pytest.mark.req("R59")
def test_details_come_from_the_keeper_and_go_with_it(porch: Running) -> None:
    assert "Details are not available right now" in porch.page()
    for _ in range(2):  # it finds the keeper again by itself
        with link.listen(porch.keeper_path) as listener:
            keeper = answer_once(listener)
            assert porch.page_says("Which devices join.")
        keeper.close()
        assert porch.page_says("Details are not available right now")


def test_without_a_listener_it_ends_with_a_plain_line(box_toml: Callable[..., Path]) -> None:
    command = [sys.executable, "-m", "appliance.porch", "--config", str(box_toml())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "0 listeners were handed over" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.req("N12")
def test_a_form_goes_to_the_keeper_and_the_answer_comes_back(porch: Running) -> None:
    with link.listen(porch.keeper_path) as listener:
        keeper = answer_once(listener)
        assert porch.page_says("Which devices join.")
        host, port = porch.address
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/ask")
        found = re.search(r'name="token" value="([^"]+)"', connection.getresponse().read().decode())
        assert found is not None
        connection = http.client.HTTPConnection(host, port, timeout=10)
        body = urlencode({"token": found[1], "kind": "complaint", "text": "Too slow."})
        connection.request("POST", "/ask", body, {"Content-Type": "application/x-www-form-urlencoded"})
        sent: list[FormSent] = []
        until = time.monotonic() + 10
        while not sent and time.monotonic() < until:
            sent = [message for message in keeper.receive() if isinstance(message, FormSent)]
        assert [(form.kind.value, form.text, form.client) for form in sent] == [("complaint", "Too slow.", "127.0.0.1")]
        keeper.send(FormAnswered(ticket=sent[0].ticket, taken=True), FormAnswered(ticket=99, taken=True))
        assert "Your complaint is on its way" in connection.getresponse().read().decode()
        connection.close()
    keeper.close()
