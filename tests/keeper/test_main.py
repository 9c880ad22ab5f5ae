"""The real keeper process, with the test as its peers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import clock, link
from appliance import messages as m
from appliance.keeper.store.database import Store
from lab.service import wait_until
from wire.batch import Batch
from wire.box import BoxStatus
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.findings import Finding, FindingKind, Severity
from wire.keys import public_text, write_private
from wire.lists import Manifest, sign
from wire.models import TYPES, Device, type_of
from wire.timing import TimeAnswer, TimeRequest, open_run_key

DEADLINE = 20.0


class Process:
    """A keeper process on its own folder, restarted at will."""

    def __init__(self, folder: Path, issuer: Ed25519PrivateKey) -> None:
        self.folder = folder
        self.box_key, self.server_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        write_private(folder / "sign.pem", self.box_key)
        self.server_key, self.box_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        write_private(folder / "seal.pem", self.box_opener)
        (folder / "gambling.txt").write_text("bets.example\n")
        server = public_text(self.server_key)
        self.config = folder / "box.toml"
        self.config.write_text(
            f"""
            tenant = "force-a"
            site = "box-1"
            state_dir = "state"
            run_dir = "run"
            household = "household.toml"
            [broker]
            host = "localhost"
            ca = "ca.pem"
            certificate = "box.pem"
            key = "box.key"
            [keys]
            signing_key = "sign.pem"
            sealing_key = "seal.pem"
            server_verify = ["{server}"]
            server_seal = "{public_text(self.server_opener)}"
            [authority]
            path = "authority.json"
            issuers = ["{public_text(issuer)}"]
            [notice]
            operator = "Example"
            contact = "Example"
            complaints = "Example"
            [[lists]]
            id = "gambling"
            version = "1"
            title = "Gambling"
            severity = "today"
            path = "gambling.txt"
            [[lists]]
            id = "absent"
            version = "1"
            title = "Absent"
            severity = "today"
            path = "absent.txt"
            """
        )
        self.child: subprocess.Popen[str] | None = None
        self.links: list[link.Link] = []

    @property
    def database(self) -> Path:
        return self.folder / "state" / "keeper" / "keeper.db"

    def start(self) -> None:
        """Start and wait for READY=1, as a supervisor does."""
        address = self.folder / "notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(address))
            ready.settimeout(DEADLINE)
            self.child = subprocess.Popen(
                [sys.executable, "-m", "appliance.keeper", "--config", str(self.config)],
                env=os.environ | {"NOTIFY_SOCKET": str(address)},
                stderr=subprocess.PIPE,
                text=True,
            )
            assert ready.recv(64) == b"READY=1"

    def connect(self, peer: str) -> link.Link:
        self.links.append(link.connect(self.folder / "run" / "keeper" / f"{peer}.sock"))
        return self.links[-1]

    def end(self, number: signal.Signals) -> tuple[int, str]:
        assert self.child is not None
        self.child.send_signal(number)
        _out, errors = self.child.communicate(timeout=DEADLINE)
        for held in self.links:
            held.close()
        self.links.clear()
        return self.child.returncode, errors

    def answer(self, request: TimeRequest) -> m.Inbound:
        """What the server says to a question about the time."""
        sealed, where = request.sealed_key, {"tenant": "force-a", "site": "box-1"}
        key = None if sealed is None else open_run_key(sealed, self.server_opener, boot=request.boot, **where)
        now = datetime.now(UTC)
        answer = TimeAnswer(nonce=request.nonce, at=now, key=key)
        topic, type_ = topic_for(answer, **where), type_of(answer).ce_type
        keys: Any = {"signer": self.server_key, "recipient": self.box_opener.public_key()}
        body = seal(payload_json(answer), type_=type_, topic=topic, id_="answer-1", sequence=1, at=now, **keys)
        return m.Inbound(token=1, topic=str(topic), body=body)

    def payload(self, outbound: m.Outbound) -> Any:
        signers = (self.box_key.public_key(),)
        opened = open_sealed(outbound.body, topic=outbound.topic, recipient=self.server_opener, signers=signers)
        return opened.payload

    def payloads(self, heard: list[m.Message]) -> list[Any]:
        """What went to the broker, each of a batch by itself."""
        found: list[Any] = []
        for payload in (self.payload(each) for each in heard if isinstance(each, m.Outbound)):
            if isinstance(payload, Batch):
                found += [TYPES[item.type].model.model_validate_json(item.body) for item in payload.items]
            else:
                found.append(payload)
        return found


def until(connection: link.Link, enough: Callable[[list[m.Message]], bool]) -> list[m.Message]:
    """Receive until there is enough."""
    heard: list[m.Message] = []
    end = clock.monotonic() + DEADLINE
    while not enough(heard):
        ready, _, _ = select.select([connection], [], [], end - clock.monotonic())
        assert ready, f"only {len(heard)} messages in {DEADLINE} s"
        heard.extend(connection.receive())
    return heard


@pytest.fixture
def process(short_path: Path, issuer: Ed25519PrivateKey, signed: Any) -> Iterator[Process]:
    made = Process(short_path, issuer)
    now = datetime.now(UTC)
    dates = {"issued_at": now - timedelta(hours=2), "not_before": now - timedelta(hours=1)}
    (short_path / "authority.json").write_bytes(signed(not_after=now + timedelta(hours=1), **dates))
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end(signal.SIGKILL)


def online(process: Process, credit: int = 1000) -> link.Link:
    courier = process.connect("courier")
    will = until(courier, lambda heard: len(heard) == 1)[0]
    assert isinstance(will, m.Outbound)
    assert process.payload(will).online is False
    courier.send(m.BrokerState(connected=True), m.Credit(count=credit))
    return courier


def vouched(process: Process, credit: int = 1000) -> link.Link:
    """The courier, once the server has said what time it is."""
    courier = online(process, credit)

    def question(heard: list[m.Message]) -> TimeRequest | None:
        payloads = (process.payload(each) for each in heard if isinstance(each, m.Outbound))
        return next((each for each in payloads if isinstance(each, TimeRequest)), None)

    request = question(until(courier, lambda heard: question(heard) is not None))
    assert request is not None
    courier.send(process.answer(request))
    until(courier, lambda more: any(isinstance(each, m.InboundDone) for each in more))
    return courier


def told_again(process: Process) -> list[m.Message]:
    """What comes once there is room: with the next tick whoever is connected has to start over."""
    for _ in range(5):
        try:
            sensor, courier = process.connect("sensor"), online(process)
            sensor.send(m.Sighting(ts=clock.now(), mac="02:00:00:00:00:77", via=m.Via.ARP))
            return until(courier, lambda heard: len(heard) >= 3)
        except link.LinkClosedError:
            continue
    raise AssertionError("nobody is let in")


@pytest.mark.req("R11", "R53")
def test_kill_in_the_middle_of_a_stream_loses_nothing_committed(process: Process) -> None:
    process.start()
    courier = vouched(process)
    sensor = process.connect("sensor")
    told: dict[str, Any] = {}
    macs = [f"02:00:00:00:{n // 256:02x}:{n % 256:02x}" for n in range(600)]
    for mac in macs[:100]:
        sensor.send(m.Sighting(ts=clock.now(), mac=mac, via=m.Via.ARP))
    for payload in process.payloads(until(courier, lambda heard: len(process.payloads(heard)) >= 40)):
        if isinstance(payload, Finding | Device) and payload.device_id is not None:
            told[getattr(payload, "finding_id", None) or payload.device_id] = payload
    for mac in macs[100:]:  # killed with these on their way
        sensor.send(m.Sighting(ts=clock.now(), mac=mac, via=m.Via.ARP))
    code, _errors = process.end(signal.SIGKILL)
    assert code == -signal.SIGKILL

    store = Store(process.database)
    devices = {device.device_id for device in store.devices.all()}
    assert 20 <= len(devices) < len(macs)
    for key, payload in told.items():
        if isinstance(payload, Finding):
            assert [item.finding for item in store.findings.open_of(payload.device_id)] == [payload]
            assert payload.device_id in devices
        elif isinstance(payload, Device):
            assert key in devices
    about_box = [item.finding.device_id for item in store.findings.of_kind([FindingKind.BOX_RESET.value])]
    assert about_box == [None], "that it began with an empty memory"
    assert store.findings.open_count() == len(devices) + 1, "finding and device were committed together"
    types = [type_of_row for (type_of_row,) in store._db.execute("select type from outbox")]
    kinds = [TYPES[each].model for each in types]
    assert (kinds.count(Device), kinds.count(Finding)) == (len(devices), len(devices) + 1), "and what is to be told"
    assert store._db.execute("pragma integrity_check").fetchone()[0] == "ok"
    store.close()

    process.start()
    courier = online(process)
    many = min(256, 2 * len(devices))
    payloads = process.payloads(until(courier, lambda heard: len(process.payloads(heard)) >= many))
    assert {item.device_id for item in payloads if isinstance(item, Finding)} <= devices | {None}
    assert len([item for item in payloads if isinstance(item, Finding)]) >= min(len(devices), 100)
    assert process.end(signal.SIGTERM)[0] == 0


@pytest.mark.req("R54")
def test_the_file_is_looked_at_again(process: Process) -> None:
    process.start()
    courier = online(process)
    first = until(courier, lambda heard: len(heard) >= 1)[0]
    assert isinstance(first, m.Outbound)
    status = process.payload(first)
    assert isinstance(status, BoxStatus)
    assert status.recording
    assert "cannot be read" in next(item.problem for item in status.lists if item.list_id == "absent")
    (process.folder / "authority.json").unlink()

    def not_recording(heard: list[m.Message]) -> bool:
        payloads = [process.payload(item) for item in heard if isinstance(item, m.Outbound)]
        return any(isinstance(item, BoxStatus) and not item.recording for item in payloads)

    until(courier, not_recording)
    assert process.end(signal.SIGTERM)[0] == 0


@pytest.mark.req("R59")
def test_the_other_peers(process: Process) -> None:
    process.start()
    sensor, warden = process.connect("sensor"), process.connect("warden")
    porch, asker, other = process.connect("porch"), process.connect("status"), process.connect("status")
    assert until(sensor, lambda heard: len(heard) == 1) == [m.CollectionMask(generation=0, names=(), lease=30.0)]
    assert isinstance(until(warden, lambda heard: len(heard) == 1)[0], m.Enforcement)
    porch.send(m.NoticeRequest())
    notice = until(porch, lambda heard: len(heard) == 1)[0]
    assert isinstance(notice, m.Notice)
    assert notice.recording
    for link_ in (asker, other, asker):
        link_.send(m.StatusRequest())
        status = until(link_, lambda heard: len(heard) == 1)[0]
        assert isinstance(status, m.Status)
        assert (status.sensor_connected, status.warden_connected) == (True, True)
    # A new sensor takes the place of the old.
    replaced = process.connect("sensor")
    assert until(replaced, lambda heard: len(heard) == 1)
    with pytest.raises(link.LinkClosedError):
        until(sensor, lambda heard: len(heard) == 1)
    # Nonsense ends the connection, not the keeper.
    replaced._sock.send(b"nonsense")
    with pytest.raises(link.LinkClosedError):
        until(replaced, lambda heard: len(heard) == 1)
    assert until(process.connect("sensor"), lambda heard: len(heard) == 1)
    assert process.end(signal.SIGTERM)[0] == 0


def test_bad_settings_are_one_plain_line(process: Process) -> None:
    command = [sys.executable, "-m", "appliance.keeper", "--config", str(process.config)]
    (process.folder / "sign.pem").write_text("no key")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("sign.pem: not an unencrypted PEM private key")


def test_a_second_keeper_says_why_it_does_not_start(process: Process) -> None:
    process.start()
    command = [sys.executable, "-m", "appliance.keeper", "--config", str(process.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert "another keeper has this database open" in done.stderr
    assert process.end(signal.SIGTERM)[0] == 0


@pytest.mark.req("R69", "N3")
def test_a_disk_that_is_full_does_not_end_the_keeper(process: Process) -> None:
    """It makes room, goes on, and tells of the devices that turned up meanwhile when there is room."""
    process.start()
    assert process.child is not None
    courier, sensor = vouched(process), process.connect("sensor")
    sensor.send(m.Sighting(ts=clock.now(), mac="02:00:00:00:00:01", via=m.Via.ARP))
    until(courier, lambda heard: len(heard) >= 3)
    full = (process.folder / "state" / "keeper" / "keeper.db-wal").stat().st_size
    usual = resource.prlimit(process.child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.child.pid, resource.RLIMIT_FSIZE, (full, usual[1]))
    for number in range(2, 60):
        with contextlib.suppress(link.LinkClosedError):
            sensor.send(m.Sighting(ts=clock.now(), mac=f"02:00:00:00:00:{number:02x}", via=m.Via.ARP))
    ballast = process.folder / "state" / "keeper" / "keeper.db.ballast"
    wait_until(lambda: not ballast.exists(), what="the ballast to be given up", seconds=DEADLINE)
    assert process.child.poll() is None
    resource.prlimit(process.child.pid, resource.RLIMIT_FSIZE, usual)
    assert any(isinstance(payload, Finding) for payload in process.payloads(told_again(process)))
    assert process.end(signal.SIGTERM)[0] == 0


def test_lists_come_by_the_courier_and_are_compiled_beside_the_work(process: Process) -> None:
    """A real keeper, a file with a descriptor, a child that compiles: then the list is in the status."""
    publisher = Ed25519PrivateKey.generate()
    body = b"wagers.example\n"
    manifest = Manifest(
        list_id="wagers", number=1, version="v1", title="Wagers", category="gambling", severity=Severity.TODAY,
        owner="Example Trust", format="domains", url="https://lists.example/w.txt", octets=len(body), entries=1,
        sha256=hashlib.sha256(body).hexdigest(), published=datetime.now(UTC), renew_by=datetime(2100, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    address = "https://lists.example/w.json"
    process.config.write_text(
        f"""{process.config.read_text()}
            [[lists]]
            id = "wagers"
            manifest = "{address}"
            publishers = ["{public_text(publisher)}"]
        """
    )
    process.start()
    courier = online(process, credit=0)

    def bring(wanted: m.Message, content: bytes) -> None:
        assert isinstance(wanted, m.ListWanted)
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            said = m.ListFetched(list_id="wagers", url=wanted.url, outcome="new", etag='"1"')
            courier.send(said, descriptors=[file.fileno()])

    (first,) = until(courier, bool)
    bring(first, sign(manifest, publisher).model_dump_json().encode())
    (second,) = until(courier, bool)
    bring(second, body)
    asker = process.connect("status")
    while True:
        asker.send(m.StatusRequest())
        (status,) = until(asker, bool)
        assert isinstance(status, m.Status)
        found = {item.list_id: item for item in status.lists}
        if found["wagers"].version == "v1":
            break
    assert (found["wagers"].entries, found["gambling"].entries) == (1, 1)
    assert "cannot be read" in found["absent"].problem
    asker.send(m.ListAccept(list_id="wagers", version="v1"))
    (answer,) = until(asker, bool)
    assert answer == m.ListAnswered(refusal="No version of wagers was refused.")
    process.end(signal.SIGKILL)
    process.start()
    asker = process.connect("status")
    asker.send(m.StatusRequest())
    (status,) = until(asker, bool)
    assert isinstance(status, m.Status)
    assert {item.list_id: item.version for item in status.lists}["wagers"] == "v1"
