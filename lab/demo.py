"""`make demo`: a household, a box and a dashboard come up; a story is played; findings are printed.

The outer half holds what belongs to the terminal: it opens the page's listener on loopback and
hands it into the sealed place, where the inner half runs everything else.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from types import FrameType

from dashboard.broker.render import BrokerMissingError
from dashboard.pages import sentences
from lab import addresses
from lab import story as stories
from lab.client import Client
from lab.enter import refusal
from lab.host import LabError
from lab.officer import Officer, Seen
from lab.stack import SITE, Stack
from lab.story import Ask, Browse, ChangeMac, Join, Register, Story
from wire.files import FileError

DEFAULT_PORT = 8080
_LOOK = 0.05
_REGISTER_WAIT = 15.0


def main() -> int:
    """Exit codes: 0 told, 1 a finding of the story did not land, 2 wrong use, 69 no lab here, 130 Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--story", default="full", help="full or quiet (STORY=)")
    parser.add_argument("--seconds", type=float, help="tell the story in this time, then end (DEMO_SECONDS=)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="loopback port of the pages (PORT=)")
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        story = stories.load(arguments.story)
    except FileError as error:
        return _refuse(str(error))
    if arguments.seconds is not None:
        if not 5 <= arguments.seconds <= 3600:
            return _refuse(f"DEMO_SECONDS={arguments.seconds:g}: give 5 to 3600 seconds")
        story = story.scaled(arguments.seconds)
    if arguments.listener is not None:
        return _inner(story, arguments.listener, arguments.port, stay=arguments.seconds is None)
    return _outer(arguments.port)


def _refuse(text: str, code: int = 2) -> int:
    sys.stderr.write(f"demo: {text}\n")
    return code


def _outer(port: int) -> int:
    why = refusal()
    if why is not None:
        return _refuse(f"the lab cannot run here: {why}", 69)
    try:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
    except OSError as error:
        return _refuse(
            f"port {port} on 127.0.0.1 cannot be used ({os.strerror(error.errno or 0)}); choose another: make demo PORT=8081"
        )
    with listener:
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "lab.enter", "--", sys.executable, "-m", "lab.demo", *sys.argv[1:]]
        process = subprocess.Popen([*command, "--listener", str(descriptor)], pass_fds=(descriptor,))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _frame: process.send_signal(received))
        return process.wait()


@dataclass
class _Telling:
    """A story being told against a running stack."""

    stack: Stack
    officer: Officer
    stopped: threading.Event
    """Somebody pressed Ctrl-C, even if what it raised was lost on its way (in a finaliser, for example)."""
    devices: dict[str, Client] = field(default_factory=dict)
    landed: dict[str, Seen] = field(default_factory=dict)
    page_answers: bool = True
    started: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Fetch the page once and print what is new on it."""
        for seen in self.officer.findings(SITE):
            if seen.finding_id not in self.landed:
                late = time.time() - seen.first_seen
                self._print(
                    f"   FINDING  {sentences.finding(seen.kind.value, None)}; on the page {late:.2f} s after its first frame"
                )
            self.landed[seen.finding_id] = seen

    def until(self, moment: float, ready: Callable[[], bool] = lambda: False) -> None:
        """Keep looking at the page until `moment` of the story, or until `ready()`."""
        while time.monotonic() - self.started < moment and not ready():
            if self.stopped.is_set():
                raise KeyboardInterrupt
            try:
                self.look()
                self.page_answers = True
            except (OSError, HTTPException) as error:
                if self.page_answers:
                    self._print(f"   (the page does not answer: {error})")
                self.page_answers = False
            time.sleep(_LOOK)

    def play(self, step: stories.Step) -> None:
        """Do one step, and go on looking at the page meanwhile."""
        self._print(step.say)
        if isinstance(step, Register):
            self._register(step)
            return
        with ThreadPoolExecutor(max_workers=1) as worker:
            doing = worker.submit(self._act, step)
            self.until(float("inf"), doing.done)
            doing.result()

    def _act(self, step: Join | Browse | Ask | ChangeMac) -> None:
        match step:
            case Join():
                self.devices[step.who] = self.stack.join(step.who)
                self.devices[step.who].announce()
            case Browse():
                for name in step.names:
                    self.devices[step.who].browse(name)
            case Ask():
                for name in step.names:
                    self.devices[step.who].lookup(name, resolver=addresses.OTHER_RESOLVER[0])
            case ChangeMac():
                self.devices[step.who].change_mac()

    def _register(self, step: Register) -> None:
        def open_finding() -> Seen | None:
            return next(
                (
                    seen
                    for seen in self.landed.values()
                    if seen.kind == "unregistered-device"
                    and seen.state == "open"
                    and self.devices[step.who].mac in seen.macs
                ),
                None,
            )

        self.until(time.monotonic() - self.started + _REGISTER_WAIT, lambda: open_finding() is not None)
        finding = open_finding()
        if finding is None:
            self._print(f"   (no finding about {step.who} to register it from)")
            return
        self.officer.register(finding, standing=step.standing, label=step.label, reason="Shown at the visit")

    def _print(self, text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self.started:6.1f} s  {text}\n")
        sys.stdout.flush()


def _inner(story: Story, listener: int, port: int, *, stay: bool) -> int:
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.stdout.write(f"Gatehouse demonstration: {story.title}\nStarting household, box, broker and dashboard ...\n")
    sys.stdout.flush()
    try:
        with tempfile.TemporaryDirectory(prefix="demo-", dir="/run") as folder:
            Path(folder).chmod(0o755)  # the box's processes run under uids of their own
            with Stack(Path(folder), listeners=(listener,)) as stack:
                stack.wait_ready()
                if stack.why_one_user:
                    sys.stdout.write(f"The box's processes share one user here: {stack.why_one_user}.\n")
                return _tell(stack, story, port, stay=stay)
    except (LabError, BrokerMissingError, TimeoutError) as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped; nothing is left behind.\n")
        return 130


def _tell(stack: Stack, story: Story, port: int, *, stay: bool) -> int:
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    code = stack.sign_in_code("demo")
    sys.stdout.write(
        f"\n  Page     http://127.0.0.1:{port}/\n  Sign in  name: demo   one-time code: {code}\n"
        f"  Story    {story.seconds:.0f} s. Ctrl-C stops it and leaves nothing behind.\n\n"
    )
    telling = _Telling(stack, stack.officer("demo-officer"), stopped)
    for step in story.step:
        telling.until(step.at)
        telling.play(step)
    telling.until(story.seconds)
    counts = Counter(seen.kind for seen in telling.landed.values())
    missing = {kind: want for kind, want in story.expect.items() if counts[kind] != want}
    for kind, want in story.expect.items():
        sys.stdout.write(f"  {kind}: {counts[kind]} on the page, {want} expected\n")
    if stay and sys.stdout.isatty():
        sys.stdout.write("The story is told; the page stays up until Ctrl-C.\n")
        telling.until(float("inf"))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
