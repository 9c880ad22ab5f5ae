"""The front: `python -m appliance.fitting`. Serves the set-up page and asks the desk; holds no key and has no right.

Everything that it knows comes from the holder (`appliance.fitting.holder`), over a socket on which the holder also hands
it the listener; everything that it brings there is believed only after the holder has looked at it. With the holder
away it serves nothing and waits for it. Ends with 0 when the box is enrolled. Bounded: one question to the desk at a time.
"""

from __future__ import annotations

import argparse
import logging
import random
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from appliance import clock, service
from appliance.closed import close_memory
from appliance.fitting import desk, names
from appliance.fitting.asking import Asking
from appliance.fitting.channel import Brought, Channel, ChannelError, Line, Reported, Show
from appliance.fitting.page import MAX_UPLOAD, Page
from appliance.fitting.places import Places
from appliance.fitting.uplink import Desk
from appliance.web import Server
from firmware import layout

SOCKET = f"{layout.RUN}/fitting.sock"
DEADLINE = 30.0
"""Seconds a connection: an answer comes over a weak Wi-Fi."""
NAMES_EVERY = 10.0
FAREWELL = 8.0
"""How long the page says that the box is set up before it makes way for the notice."""
_LOOK = 0.25
_RETRY = 1.0

log = logging.getLogger(__name__)


class Errand:
    """What takes its time, in a thread of its own: are names answered, and what does the desk say."""

    def __init__(self) -> None:
        self.asking = Asking(random.Random())  # noqa: S311 - spreads a fleet; nothing secret
        self._names_due = 0.0
        self._thread: threading.Thread | None = None
        self._outcome: tuple[desk.Came | None, bool | None] = (None, None)

    def tend(self, show: Show, now: float) -> None:
        """Start what is due at monotonic `now`."""
        if self._thread is not None or show.stage == "enrolled":
            return
        asks_names = now >= self._names_due
        asks_desk = bool(show.request) and self.asking.due(now)
        if asks_names or asks_desk:
            self._names_due = now + NAMES_EVERY if asks_names else self._names_due
            arguments = (show, asks_names, asks_desk)
            self._thread = threading.Thread(target=self._run, args=arguments, name="errand", daemon=True)
            self._thread.start()

    def take(self, now: float) -> tuple[desk.Came | None, bool | None]:
        """What came since the last call."""
        if self._thread is None or self._thread.is_alive():
            return None, None
        self._thread = None
        came, named = self._outcome
        if came is not None:
            self.asking.said(came.desk, now)
        return came, named

    def _run(self, show: Show, asks_names: bool, asks_desk: bool) -> None:
        named = names.answered(_addresses(show.resolvers)) if asks_names else None
        came = None
        if asks_desk:
            came = desk.ask(show.enrol_url, show.ca, show.request.encode())
        self._outcome = (came, named)


def _addresses(texts: tuple[str, ...]) -> list[IPv4Address | IPv6Address]:
    found = []
    for text in texts[:4]:
        try:
            found.append(ip_address(text))
        except ValueError:
            continue
    return found


class Front:
    """One connection to the holder, from the first message to the last."""

    def __init__(self, channel: Channel, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        self._channel = channel
        self._selector = selector
        self._errand = Errand()
        self._show = Show()
        self.enrolled_at: float | None = None
        self._page = Page(self._bring, self._enter)
        self._server = Server(listener, self._page.answer, selector, max_body=MAX_UPLOAD, deadline=DEADLINE)
        selector.register(channel, selectors.EVENT_READ, self._receive)

    def tend(self, now: float) -> None:
        """Do what is due.

        Raises:
            ChannelError: the holder is gone.
        """
        self._channel.flush()
        self._server.expire(now)
        self._errand.tend(self._show, now)
        came, named = self._errand.take(now)
        if came is not None and came.desk is Desk.ANSWERED:
            self._channel.send(Brought(answer=came.answer.decode("ascii", "replace")))
        if came is not None or named is not None:
            said = came or desk.Came(desk=Desk.WAITING)
            self._channel.send(Reported(desk=None if came is None else came.desk, says=said.says, names=named))

    def close(self) -> None:
        """Hang up on everybody."""
        self._selector.unregister(self._channel)
        self._server.close()

    def _receive(self, now: float) -> None:
        for message in self._channel.receive():
            if isinstance(message, Show):
                if (message.problem, message.stage) != (self._show.problem, self._show.stage):
                    self._errand.asking.soon(now)
                self._show = message
                self._page.show(message)
                if message.stage == "enrolled" and self.enrolled_at is None:
                    self.enrolled_at = now

    def _bring(self, answer: str) -> bool:
        return self._hand_on(Brought(answer=answer, by_hand=True))

    def _enter(self, line: Line) -> bool:
        return self._hand_on(line)

    def _hand_on(self, message: Brought | Line) -> bool:
        try:
            self._channel.send(message)
        except ChannelError:
            return False
        return True


def connect(path: Path) -> tuple[socket.socket, socket.socket]:
    """The holder's socket, and the listener that it hands over.

    Raises:
        OSError: nobody is there, or hands none.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.settimeout(5.0)
        sock.connect(str(path))
        descriptors = socket.recv_fds(sock, 1, 1)[1]
        return sock, socket.socket(fileno=_only(descriptors))
    except BaseException:
        sock.close()
        raise


def _only(descriptors: list[int]) -> int:
    if len(descriptors) != 1:
        raise ConnectionError("the holder handed over no listener")
    return descriptors[0]


def serve(path: Path, stopping: Callable[[], bool]) -> None:
    """Serve until told to stop, or until the box is enrolled."""
    service.notify("READY=1")
    due = 0.0
    while not stopping():
        now = clock.monotonic()
        if now < due:
            threading.Event().wait(_LOOK)
            continue
        due = now + _RETRY
        try:
            sock, listener = connect(path)
        except OSError as error:
            log.info("the holder of the keys is not there: %s", error)
            continue
        with sock, listener, selectors.DefaultSelector() as selector:
            front = Front(Channel(sock), listener, selector)
            try:
                if _round(front, selector, stopping):
                    return
            except ChannelError as error:
                log.info("lost the holder of the keys: %s", error)
            finally:
                front.close()


def _round(front: Front, selector: selectors.BaseSelector, stopping: Callable[[], bool]) -> bool:
    """Serve; true when the box is enrolled and everybody who looked could see it."""
    while not stopping():
        now = clock.monotonic()
        if front.enrolled_at is not None and now >= front.enrolled_at + FAREWELL:
            return True
        front.tend(now)
        for key, _events in selector.select(_LOOK):
            key.data(clock.monotonic())
    return False


def main() -> None:
    """Run the front."""
    parser = argparse.ArgumentParser(prog="python -m appliance.fitting")
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder that stands for /")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="fitting: %(levelname)s %(message)s", stream=sys.stderr)
    close_memory()
    stop = threading.Event()
    life = service.SignOfLife()

    def stopping() -> bool:
        life.given(clock.monotonic())
        return stop.is_set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    serve(Places(root=arguments.root).at(SOCKET), stopping)
    service.notify("STOPPING=1")


if __name__ == "__main__":
    main()
