"""The keeper's process: sockets, clocks and files around `Core`.

In: datagrams of sensor, warden, courier, porch and the command line; the authority file. Out: what
`Core` sends. One thread, one loop. Bounded: `MAX_ASKERS` connections of the command line; a turn
takes at most `BATCH` datagrams of a peer; `MAX_UNSENT` messages wait for the courier. A peer that does not read, or sends nonsense, is dropped
and starts over with the whole state.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import selectors
import socket
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance import clock, link, messages, requests
from appliance.keeper import surroundings
from appliance.keeper.compiler import Compiler
from appliance.keeper.core import TICK_SECONDS, Core, Parts, Peer, Send
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.devices.ids import id_source
from appliance.keeper.filtering import Filtering
from appliance.keeper.household.record import Ids
from appliance.keeper.law import desk as law_desk
from appliance.keeper.lists.jobs import Result
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.machine_side import machine_side
from appliance.keeper.root import root_side
from appliance.keeper.self_test import SelfTest
from appliance.keeper.shelf import Shelf
from appliance.keeper.steady import Steady, open_store
from appliance.keeper.store.database import Store, StoreError, wrong_with
from appliance.keeper.supply import Supply
from appliance.keeper.uplink import Identity
from appliance.service import notify
from appliance.settings import BoxSettings
from wire.authority import MAX_DOCUMENT
from wire.files import FileError
from wire.keys import read_sealing, read_signing, seal_key, verify_key

MIB = 1024**2
MAX_ASKERS = 8
BATCH = 32
MAX_UNSENT = 512
"""Messages that may wait for the courier to read."""
BUSY_SECONDS = 0.05
"""Between two ticks while work waits that is done in portions; what the other processes say comes in between."""

_log = logging.getLogger(__name__)


class AuthorityFile:
    """Watches the authority file by its identity, size and times; a change of its rights counts too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int, int] | str | None = "never looked"

    def changed(self) -> bool:
        """Whether the file is another than at the last call, or has come or gone."""
        try:
            stat = self._path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        except OSError:
            seen = None
        changed = seen != self._seen
        self._seen = seen
        return changed

    def read(self) -> bytes | None:
        """The bytes, at most one more than a document may have; None when there is no file."""
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_DOCUMENT + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("%s cannot be read: %s", self._path, error.strerror)
            return b""


@dataclass(slots=True)
class _Connection:
    peer: Peer
    link: link.Link
    unsent: deque[messages.Message] = field(default_factory=deque)
    """What the socket did not take yet; only the courier's end may wait so."""


class Loop:
    """The sockets and who is on them."""

    def __init__(self, core: Core | Steady, settings: BoxSettings, supply: Supply) -> None:
        self._core = core
        self._supply = supply
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._connections: dict[Peer, list[_Connection]] = {peer: [] for peer in Peer}
        self._listeners: list[socket.socket] = []
        for peer in Peer:
            path = settings.keeper_socket(peer.value)
            path.parent.mkdir(parents=True, exist_ok=True)
            listener = link.listen(path)
            self._listeners.append(listener)
            self._selector.register(listener, selectors.EVENT_READ, (peer, listener))

    def close(self) -> None:
        """Close every socket."""
        for connections in self._connections.values():
            for connection in connections:  # not `_drop`: it is we who go
                connection.link.close()
        for listener in self._listeners:
            listener.close()
        self._selector.close()

    def start_over(self) -> None:
        """Close all connections: whoever was there connects anew and is told the whole state."""
        for connections in tuple(self._connections.values()):
            for connection in tuple(connections):
                self._drop(connection)

    def turn(self, timeout: float) -> None:
        """Wait for something, and handle it."""
        for key, events in self._selector.select(timeout):
            match key.data:
                case (Peer() as peer, socket.socket() as listener):
                    self._admit(peer, listener)
                case _Connection() as connection if connection in self._connections[connection.peer]:
                    if events & selectors.EVENT_WRITE:
                        self._flush(connection)
                    if events & selectors.EVENT_READ and connection in self._connections[connection.peer]:
                        self._receive(connection)

    def deliver(self, sends: Sequence[Send], asker: _Connection | None = None) -> None:
        """Send what the core wants sent; answers go to the one that asked."""
        for send in sends:
            targets = [asker] if asker is not None and asker.peer is send.peer else self._connections[send.peer][-1:]
            for target in targets:
                self._write(target, send.messages)

    def _write(self, target: _Connection, batch: tuple[messages.Message, ...]) -> None:
        target.unsent.extend(batch)
        self._flush(target)

    def _flush(self, target: _Connection) -> None:
        """Send what the socket takes. A backlog is more than it takes at once, and the courier's credit bounds it."""
        try:
            while target.unsent:  # one a datagram: an envelope can be nearly as large as one
                target.link.send(target.unsent[0])
                target.unsent.popleft()
        except link.LinkFullError as error:
            if target.peer is not Peer.COURIER or len(target.unsent) > MAX_UNSENT:
                self._refuse(target, error)
                return
        except (link.LinkClosedError, messages.MessageError) as error:
            self._refuse(target, error)
            return
        if target in self._connections[target.peer]:
            waiting = selectors.EVENT_WRITE if target.unsent else 0
            self._selector.modify(target.link, selectors.EVENT_READ | waiting, target)

    def _refuse(self, target: _Connection, error: Exception) -> None:
        _log.warning("%s dropped: %s", target.peer.value, error)
        self._drop(target)

    def _admit(self, peer: Peer, listener: socket.socket) -> None:
        role = peer.value if peer is not Peer.STATUS else "keeper"
        connected = link.accept(listener, self._settings.allowed_uids(role))
        if connected is None:
            return
        connections = self._connections[peer]
        most = MAX_ASKERS if peer is Peer.STATUS else 1
        while len(connections) >= most:
            self._drop(connections[0])
        connection = _Connection(peer, connected)
        connections.append(connection)
        self._selector.register(connected, selectors.EVENT_READ, connection)
        self.deliver(self._core.connected(peer, now=clock.now(), monotonic=clock.monotonic()))

    def _receive(self, connection: _Connection) -> None:
        batch: list[messages.Message] = []
        gone: Exception | None = None
        try:
            for _ in range(BATCH):
                if connection.peer is Peer.COURIER:
                    received = self._with_files(connection)
                else:
                    received = connection.link.receive()
                if not received:
                    break
                batch.extend(received)
        except (link.LinkClosedError, messages.MessageError) as error:
            gone = error
        if batch:
            sends = self._core.heard(connection.peer, batch, now=clock.now(), monotonic=clock.monotonic())
            self.deliver(sends, connection)
        if gone is not None:
            if connection.peer is not Peer.STATUS:
                _log.info("%s is gone: %s", connection.peer.value, gone)
            self._drop(connection)

    def _with_files(self, connection: _Connection) -> list[messages.Message]:
        """What the courier says in one datagram; what it fetched goes to the supply, with its file."""
        received, descriptors = connection.link.receive_descriptors()
        try:
            for message in received:
                if isinstance(message, messages.ListFetched):
                    descriptor = descriptors.pop(0) if message.outcome == "new" and descriptors else None
                    wanted = self._supply.fetched(message, descriptor, monotonic=clock.monotonic())
                    self.deliver([Send(peer=Peer.COURIER, messages=tuple(wanted))])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return received

    def _drop(self, connection: _Connection) -> None:
        connections = self._connections[connection.peer]
        if connection not in connections:
            return
        connections.remove(connection)
        self._selector.unregister(connection.link)
        connection.link.close()
        if not connections:
            self.deliver(self._core.gone(connection.peer, now=clock.now(), monotonic=clock.monotonic()))


def make_supply(settings: BoxSettings, lists: Lists) -> Supply:
    """The lists of the settings; those that are kept are in use at once.

    Raises:
        FileError: they cannot be kept.
        KeyFileError: a publisher's key cannot be used.
    """
    for source in settings.lists:
        for text in source.publishers:
            verify_key(text)
    folder = settings.database.parent
    library = Library(folder / "lists", key_file=folder / "lists.key")
    supply = Supply(settings.lists, library=library, lists=lists, chance=random.Random())  # noqa: S311 - jitter
    supply.start(at=clock.now(), monotonic=clock.monotonic())
    return supply


def build(settings: BoxSettings, store: Store, *, lists: Lists, supply: Supply) -> Core:
    """Put the keeper together.

    Raises:
        KeyFileError: a key of the settings cannot be used.
    """
    identity = Identity(
        tenant=settings.tenant,
        site=settings.site,
        signer=read_signing(settings.keys.signing_key),
        opener=read_sealing(settings.keys.sealing_key),
        server_verify=tuple(verify_key(text) for text in settings.keys.server_verify),
        server_seal=seal_key(settings.keys.server_seal),
    )
    desk = law_desk.from_store(
        store.get,
        issuers=[verify_key(text) for text in settings.authority.issuers],
        tenant=settings.tenant,
        site=settings.site,
    )
    ground = surroundings.read(settings)
    parts = Parts(
        store=store,
        desk=desk,
        identity=identity,
        lists=lists,
        rules=shipped(),
        ids=Ids(
            device=id_source("d", secrets.token_bytes),
            finding=id_source("f", secrets.token_bytes),
            proposal=id_source("p", secrets.token_bytes),
            session=id_source("s", secrets.token_bytes),
            record=id_source("r", secrets.token_bytes),
            arrangement=id_source("a", secrets.token_bytes),
        ),
        heartbeat_seconds=settings.heartbeat_seconds,
        passphrases_left=settings.household.with_name("passphrases.json"),
        ask_network=lambda request: requests.ask(settings.run_dir, request),
        # In a lab of one user, that user is root.
        answers=lambda name: requests.answered(settings.run_dir, name, owners=frozenset({0, os.getuid()})),
        notice=settings.notice,
        ground=ground,
        boot=ground.place.boot or secrets.token_hex(8),
        root=root_side(settings),
        machine=machine_side(settings),
        supply=supply,
        self_test=lambda teller: SelfTest(
            store,
            lists,
            teller,
            name=settings.detection_test.name,
            every=settings.detection_test.every_days * 86400,
            new_mac=made_up_mac,
        ),
        filtering=Filtering(
            folder=settings.run_dir / "keeper",
            source=Shelf(supply.library, [source.id for source in settings.lists]),
        ),
    )
    return Core(parts, monotonic=clock.monotonic())


def made_up_mac() -> str:
    """A locally administered address (IEEE 802 clause 8.4.4) that nobody can guess."""
    return (b"\x02" + secrets.token_bytes(5)).hex(":")


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Run until stopped.

    Raises:
        FileError: the database or a socket cannot be opened, or the database is damaged.
        KeyFileError: a key of the settings cannot be used.
    """
    try:
        _run(settings, stopping)
    except StoreError as error:
        raise FileError(str(error)) from error
    except sqlite3.Error as error:
        raise FileError(wrong_with(settings.database, error)) from error


def _run(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    storage = settings.storage
    store = open_store(
        settings.database,
        outbox_octets=storage.outbox_mib * MIB,
        share=storage.share_mib * MIB,
        ballast=storage.ballast_mib * MIB,
        vault_key=storage.key_file,
    )
    try:
        lists = Lists()
        supply = make_supply(settings, lists)
        core = Steady(store, lambda: build(settings, store, lists=lists, supply=supply))
        watched = AuthorityFile(settings.authority.path)
        watched.changed()
        core.document(watched.read(), now=clock.now(), monotonic=clock.monotonic())
        try:
            loop = Loop(core, settings, supply)
        except OSError as error:
            raise FileError(f"{settings.run_dir / 'keeper'}: sockets cannot be opened ({error})") from error
        compiler = Compiler()
        try:
            notify("READY=1")
            _serve(core, loop, watched, stopping, lambda: _compile(compiler, supply))
            core.stopping(now=clock.now(), monotonic=clock.monotonic())
        finally:
            compiler.close()
            loop.close()
    finally:
        store.close()


def _compile(compiler: Compiler, supply: Supply) -> None:
    """Take what the compiler made, and give it the next file."""
    monotonic = clock.monotonic()
    done = compiler.poll(monotonic)
    if done is not None:
        supply.made(*done, at=clock.now(), monotonic=monotonic)
    work = None if compiler.busy else supply.work()
    if work is None:
        return
    try:
        compiler.start(work.job, work.descriptor, monotonic)
    except OSError as error:
        result = Result(problem=f"no process could be started for it ({error.strerror})")
        supply.made(work.job, result, at=clock.now(), monotonic=monotonic)


def _serve(
    core: Steady, loop: Loop, watched: AuthorityFile, stopping: Callable[[], bool], between: Callable[[], None]
) -> None:
    due = clock.monotonic()
    while not stopping():
        if core.take_fresh():  # before anybody who comes to the fresh one is let in
            loop.start_over()
        loop.turn(max(0.0, due - clock.monotonic()))
        if clock.monotonic() < due:
            continue
        if core.anew:
            raise FileError("the clock had been ahead of the time that the server vouches for: starting over")
        due = clock.monotonic() + (BUSY_SECONDS if core.busy else TICK_SECONDS)
        between()
        if watched.changed():
            loop.deliver(core.document(watched.read(), now=clock.now(), monotonic=clock.monotonic()))
        loop.deliver(core.tick(now=clock.now(), monotonic=clock.monotonic()))
