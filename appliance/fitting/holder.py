"""The holder of the keys: `python -m appliance.fitting.holder`, as root, until the box is enrolled.

It has no socket to the internet. It listens on the home's side and gives that listener away, to one front at a time
(`appliance.fitting`, known by its uid), and believes nothing that the front brings but what a pinned key signed and
sealed for this box. When that has come, it puts it in place, says so on the page and starts the watching processes.
Bounded: one front, `ACCEPT_EVERY` seconds between two.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import selectors
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from appliance import clock, service, trial
from appliance.closed import close_memory
from appliance.fitting import card as cards
from appliance.fitting import keys, looking, looks, machine, operator
from appliance.fitting.__main__ import SOCKET
from appliance.fitting.channel import Brought, Channel, ChannelError, Line, Reported, Show
from appliance.fitting.holding import Hands, Holder, Own
from appliance.fitting.places import Places
from appliance.fresh import Fresh, Problem
from firmware import layout
from firmware.household import Household
from wire.files import FileError
from wire.keys import KeyFileError

ACCEPT_EVERY = 1.0
APPLY: tuple[tuple[str, ...], ...] = (("gatehouse", "apply"),)
HAND_OVER: tuple[tuple[str, ...], ...] = (*APPLY, ("systemctl", "--no-block", "start", "gatehouse.target"))
_WRITE_EVERY = 30.0
_LOOK = 0.25
_FREEBIND = 15  # linux/in.h, IP_FREEBIND: the bridge may get its address later

log = logging.getLogger(__name__)


def own(places: Places, *, now: float) -> Own:
    """What this box is.

    Raises:
        FileError: a file of its first boot is missing or cannot be used.
        KeyFileError: a key of it.
    """
    known = operator.load(places.at(layout.OPERATOR_FILE))
    held = keys.load(places)
    card, sticker = cards.ensure(places, held, tenant=known.tenant, now=now)
    if sticker is None:
        raise FileError("this box is enrolled")
    return Own(
        keys=held,
        operator=known,
        card=card,
        sticker=sticker,
        csr=cards.csr_of(places, card, held),
        board=machine.board(places.at(machine.IMAGE_FILE)),
    )


def hands(places: Places, attempt: Callable[[Household], object]) -> Hands:
    """The real ones."""
    net = places.at("/sys/class/net")
    return Hands(
        look=lambda house, now, earliest: looks.look(house, net, now=now, earliest=earliest),
        scan=lambda house, way: looks.upstream_wifi(house, net, way),
        attempt=attempt,
    )


def run(commands: Sequence[Sequence[str]]) -> bool:
    """Run programs one after the other, to their end; whether all did as wished."""
    codes = [trial.run(command) for command in commands]
    return not any(codes)


class Doors:
    """Where the front comes for the listener, and the listener itself."""

    def __init__(self, path: Path, *, uids: frozenset[int]) -> None:
        self._uids = uids
        self._listener: socket.socket | None = None
        self._at: tuple[str, int] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.bind(str(path))
        path.chmod(0o666)  # who comes is looked at
        self.sock.listen(4)
        self.sock.setblocking(False)

    def listen(self, address: str, port: int) -> bool:
        """Listen there from now on; whether that is another place than before."""
        if self._at == (address, port) and self._listener is not None:
            return False
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_IP, _FREEBIND, 1)
            sock.bind((address, port))
            sock.listen(64)
        except OSError as error:
            sock.close()
            log.warning("cannot listen at %s: %s", address, error.strerror)
            return False
        self._listener, self._at = sock, (address, port)
        return True

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return ("", 0) if self._listener is None else self._listener.getsockname()

    def admit(self) -> socket.socket | None:
        """The next front, with the listener in its hands; None where nobody came, or somebody else did."""
        try:
            sock, _ = self.sock.accept()
        except OSError:
            return None
        _pid, uid, _gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        try:
            if uid in self._uids and self._listener is not None:
                socket.send_fds(sock, [b"!"], [self._listener.fileno()])
                return sock
        except OSError:
            pass
        sock.close()
        return None

    def close(self) -> None:
        """Close all doors."""
        self.sock.close()
        if self._listener is not None:
            self._listener.close()


class Process:
    """The holder with its doors, its one front and the light."""

    def __init__(self, places: Places, holder: Holder, doors: Doors, *, port: int | None = None) -> None:
        """`port`: listen there in the place of the household file's (a test)."""
        self._places = places
        self.holder = holder
        self._doors = doors
        self._port = port
        self._channel: Channel | None = None
        self._shown: Show | None = None
        self._written: Fresh | None = None
        self._admit_due = 0.0
        self._selector = selectors.DefaultSelector()

    def turn(self, now: float, monotonic: float, wait: float = _LOOK) -> None:
        """Once round: what is due, what came."""
        self.holder.tick(now, monotonic)
        house = self.holder.house
        if self._doors.listen(str(house.lan.address), house.notice_port if self._port is None else self._port):
            self._drop()
        if self._channel is None and monotonic >= self._admit_due:
            self._admit(monotonic)
        self._say(now, monotonic)
        if self._channel is None:
            threading.Event().wait(wait)
            return
        if self._selector.select(wait):
            self._hear(now, monotonic)

    def gone(self) -> bool:
        """Whether no front is there any more."""
        return self._channel is None

    def close(self) -> None:
        """Hang up."""
        self._drop()
        self._selector.close()
        self._doors.close()

    def _admit(self, monotonic: float) -> None:
        sock = self._doors.admit()
        if sock is not None:
            self._admit_due = monotonic + ACCEPT_EVERY
            self._channel, self._shown = Channel(sock), None
            self._selector.register(self._channel, selectors.EVENT_READ)

    def _say(self, now: float, monotonic: float) -> None:
        state = self.holder.fresh(now, monotonic)
        before = self._written
        if before is None or now - before.at >= _WRITE_EVERY or before != state.model_copy(update={"at": before.at}):
            self._written = state
            looking.tell(self._places, state)
        show = self.holder.show(now, monotonic)
        if self._channel is not None:
            with self._dropping():
                if show != self._shown:
                    self._channel.send(show)
                    self._shown = show
                else:
                    self._channel.flush()

    def _hear(self, now: float, monotonic: float) -> None:
        if self._channel is None:
            return
        with self._dropping():
            for message in self._channel.receive():
                match message:
                    case Reported():
                        self.holder.reported(message, monotonic)
                    case Brought():
                        self.holder.brought(message, now)
                    case Line():
                        self.holder.entered(message)
                    case Show():
                        raise ChannelError("the front tells the holder what to show")

    @contextlib.contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except ChannelError as error:
            log.info("lost the front: %s", error)
            self._drop()

    def _drop(self) -> None:
        if self._channel is not None:
            self._selector.unregister(self._channel)
            self._channel.close()
            self._channel = None


def main() -> None:
    """Run the holder. Exit codes: 0 enrolled, or told to stop; 2 the box cannot be set up as it is."""
    parser = argparse.ArgumentParser(prog="python -m appliance.fitting.holder")
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder that stands for /")
    parser.add_argument("--port", type=int, default=None, help="of the page, in the place of the household's")
    parser.add_argument(
        "--hand-over", action="append", default=None, help="program to run in the place of the real ones"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="fitting: %(levelname)s %(message)s", stream=sys.stderr)
    close_memory()
    places = Places(root=arguments.root)
    stop = threading.Event()
    life = service.SignOfLife()

    def stopping() -> bool:
        life.given(clock.monotonic())
        return stop.is_set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    own_commands = None if arguments.hand_over is None else tuple((word,) for word in arguments.hand_over)
    try:
        serve(places, stopping, port=arguments.port, hand_over=own_commands)
    except (FileError, KeyFileError, OSError) as error:
        log.warning("%s", error)
        looking.tell(places, Fresh(at=clock.now(), stage="fault", problem=Problem.NO_CARD))
        sys.exit(2)
    service.notify("STOPPING=1")


def serve(
    places: Places,
    stopping: Callable[[], bool],
    *,
    port: int | None = None,
    hand_over: Sequence[Sequence[str]] | None = None,
) -> None:
    """Hold the keys until told to stop, or until the box is enrolled and handed over.

    Raises:
        FileError: the box cannot be set up as it is.
        KeyFileError: its keys cannot be used.
        OSError: there is no place for the doors.
    """
    if places.enrolled:
        return
    household = places.at(layout.HOUSEHOLD_FILE)
    if hand_over is None and places.at(layout.HOUSEHOLD_TRIAL_FILE).exists():
        # Whoever held the keys before ended in the middle of a trial: what was not proved is taken back first. That may
        # take longer than systemd waits for a start.
        service.notify("READY=1")
        run(APPLY)
    holder = Holder(
        places,
        own(places, now=clock.now()),
        hands(places, lambda home: None if hand_over is not None else trial.attempt(home, household)),
        monotonic=clock.monotonic(),
    )
    process = Process(
        places,
        holder,
        Doors(places.at(SOCKET), uids=frozenset({0, os.geteuid(), layout.UIDS["fitting"]})),
        port=port,
    )
    try:
        service.notify("READY=1")
        until = float("inf")
        while not stopping():
            monotonic = clock.monotonic()
            process.turn(clock.now(), monotonic)
            if holder.enrolled and until == float("inf"):
                until = monotonic + 15.0  # somebody reads on the page that it is done
            if holder.enrolled and (process.gone() or monotonic >= until):
                break
    finally:
        process.close()
    if holder.enrolled:
        run(HAND_OVER if hand_over is None else hand_over)


if __name__ == "__main__":
    main()
