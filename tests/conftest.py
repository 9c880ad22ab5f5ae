"""Shared by all tests: tests marked `lab` skip, with the reason, where the lab cannot run."""

from __future__ import annotations

import os
import selectors
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from appliance.web import Reply, Server
from lab.enter import refusal, sealed
from wire import acts
from wire.acts import Act
from wire.base import Payload, Standing
from wire.batch import Batch, BatchItem
from wire.box import BoxStatus, Change, Held, Keeping, UplinkState
from wire.bundles import BundleBuilt, BundlePart
from wire.household import HouseholdRequest, Notice
from wire.ledger import ClockState, Head, HeadCosigned, LedgerSeed, Stamp
from wire.orders import EndPassphrase, Order, SetNetwork, SetPassphrase, TakeRelease, WipeBox
from wire.release import Release, SignedRelease
from wire.timing import TimeAnswer, TimeRequest

_CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).resolve().parent.parent


def _why_no_lab() -> str | None:
    if sealed():
        return None
    return (
        refusal()
        or "the tests are not in the sealed place: run `make test`, or put `python -m lab.enter --` before pytest"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = [item for item in items if item.get_closest_marker("lab")]
    if wanted and (why := _why_no_lab()):
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Folder for what a test leaves for people to look at, such as a screenshot."""
    folder = ROOT / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    if not _CHROMIUM.exists():
        pytest.skip(f"{_CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name is short enough for Unix sockets in it (108 bytes, unix(7))."""
    with tempfile.TemporaryDirectory(prefix="gh-", dir=os.path.realpath("/tmp")) as folder:  # noqa: S108 (short)
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def box_toml(short_path: Path) -> Callable[..., Path]:
    """Writes a whole `box.toml` (and `household.toml`) whose keys and certificates do not exist yet."""

    def write(*, address: str = "127.0.0.1", notice_port: int = 8080, extra: str = "") -> Path:
        (short_path / "household.toml").write_text(
            f"""
notice_port = {notice_port}
[lan]
bridge = "lan0"
address = "{address}"
network = "{address.rsplit(".", 1)[0]}.0/24"
network6 = "2001:db8:1::/64"
[wan]
interface = "wan0"
[resolver]
upstream = ["192.0.2.53"]
"""
        )
        config = short_path / "box.toml"
        config.write_text(
            f"""
tenant = "example"
site = "site-1"
state_dir = "state"
run_dir = "run"
household = "household.toml"
{extra}
[broker]
host = "127.0.0.1"
ca = "ca.pem"
certificate = "box.pem"
key = "box.key"
[keys]
signing_key = "signing.pem"
sealing_key = "sealing.pem"
server_verify = ["{"A" * 43}="]
server_seal = "{"A" * 43}="
[authority]
path = "authority.json"
issuers = ["{"A" * 43}="]
[notice]
operator = "the Example Service"
contact = "Ask the officer at 01632 960000."
complaints = "Write to complaints@example.org."
help_lines = ["Example line: 0808 157 0000"]
"""
        )
        return config

    return write


# --- examples of payloads, as `tests/wire/golden` has them: what `tests/wire` has no room for -----------------------

_AT = datetime(2026, 3, 1, 18, 30, 0, 250000, tzinfo=UTC)
_STAMP = Stamp(
    wall_ms=1_772_389_800_250,
    mono_ms=86_400_123,
    boot="8b0c2f6e-0000-4000-8000-000000000001",
    clock=ClockState.AUTHENTICATED,
    error_ms=40,
)
_SIGNED = "A" * 86 + "=="
_REASON = "Agreed at the review."


@pytest.fixture(scope="session")
def law_examples() -> Mapping[str, Payload]:
    """What travels about the law, the ledger, time and bundles, and many messages in one; by file name."""
    first = _AT - timedelta(hours=1)
    return {
        "status-with-law": BoxStatus(
            online=True,
            at=_AT,
            recording=True,
            authority_id="order-0001",
            authority_number=2,
            authority_ends=_AT + timedelta(days=90),
            review=_AT + timedelta(days=30),
            paused_until=_AT + timedelta(days=1),
            clock=ClockState.AUTHENTICATED,
            clock_error_ms=40,
            sealed=0,
            unmasked_until=_AT + timedelta(hours=1),
            keeping=Keeping(
                purged_at=first, holds=(Held(hold_id="hold-1", review=_AT + timedelta(days=30), device_id="device-3"),)
            ),
        ),
        "status-with-changes": BoxStatus(
            online=True,
            at=_AT,
            uplink=UplinkState(kind="pppoe", cable=True, address=False, login=False),
            changes=(
                Change(
                    about="command-1",
                    action="set-network",
                    outcome="refused",
                    detail="This box has no Wi-Fi of its own.",
                    at=first,
                ),
                Change(about="removal-1", action="wipe-box", outcome="under-way", at=_AT),
            ),
            at_limit=1,
        ),
        "batch": Batch(
            epoch="0badcafe",
            items=(
                BatchItem(seq=6, type="gatehouse.later.v1", created=first, body='{"text":"later"}'),
                BatchItem(
                    seq=7,
                    type="gatehouse.result.v1",
                    created=_AT,
                    body='{"at":"2026-03-01T18:30:00.250000Z","command_id":"command-1","detail":"","outcome":"applied"}',
                ),
            ),
        ),
        "request": HouseholdRequest(
            request_id="request-1",
            kind="guest",
            device_id="device-4",
            proved=True,
            text="A friend who stays for two nights.",
            until=_AT + timedelta(days=2),
            at=_AT,
        ),
        "request-notice-read": HouseholdRequest(request_id="request-2", kind="notice-read", notice="ab" * 32, at=_AT),
        "notice": Notice(sha256="ab" * 32, lines=("This home's internet is supervised.",), at=_AT),
        "head": Head(
            tenant="example",
            site="site-1",
            epoch="0badcafe",
            size=100,
            root="0d" * 32,
            at=_STAMP,
            signature=_SIGNED,
            consistency=("1e" * 32, "2f" * 32),
            since=64,
        ),
        "cosigned": HeadCosigned(epoch="0badcafe", size=100, root="0d" * 32, at=_AT, signature=_SIGNED),
        "seed": LedgerSeed(epoch="0badcafe", stretch=2, begins=96, seed="5e" * 32),
        "bundle": BundleBuilt(
            bundle_id="bundle-1",
            parts=2,
            octets=30_000,
            sha256="c0" * 32,
            records=410,
            at=_AT,
            expires=_AT + timedelta(days=7),
        ),
        "bundle-none": BundleBuilt(
            bundle_id="bundle-2",
            parts=0,
            octets=0,
            sha256="0" * 64,
            records=0,
            at=_AT,
            expires=_AT,
            problem="There is not enough room on the box.",
        ),
        "part": BundlePart(bundle_id="bundle-1", number=1, data="ZXhhbXBsZQ=="),
        "time": TimeRequest(
            nonce="a1" * 32, boot="8b0c2f6e-0000-4000-8000-000000000001", sealed_key="c2VhbGVk", sealed=12
        ),
        "told-time": TimeAnswer(nonce="a1" * 32, at=_AT, key="a2V5"),
    }


@pytest.fixture(scope="session")
def act_examples() -> tuple[Act, ...]:
    """One order of each kind of `wire.acts`."""
    return (
        acts.SetAuthority(document='{"document":"signed"}'),
        acts.PauseRecording(until=_AT + timedelta(days=1), reason=_REASON),
        acts.ResumeRecording(reason=_REASON),
        acts.WithdrawConsent(consent="consent-2", reason=_REASON),
        acts.Unmask(device_id="device-4", until=_AT + timedelta(hours=1), reason=_REASON),
        acts.EndUnmask(device_id="device-4"),
        acts.SetHold(
            hold_id="hold-1",
            since=_AT - timedelta(days=30),
            until=_AT,
            device_id="device-3",
            review=_AT + timedelta(days=30),
            reason=_REASON,
        ),
        acts.EndHold(hold_id="hold-1"),
        acts.EraseRecords(device_id="device-4", since=_AT - timedelta(days=1), until=_AT, reason=_REASON),
        acts.BuildBundle(
            bundle_id="bundle-1",
            purpose="evidence",
            since=_AT - timedelta(days=30),
            until=_AT,
            device_ids=("device-3",),
            reason=_REASON,
        ),
        acts.FetchBundle(bundle_id="bundle-1", first=64),
        acts.IssueCode(device_id="device-3", code_sha256="c0" * 32, expires=_AT + timedelta(hours=1)),
        acts.RestoreDevices(
            devices=(
                acts.Restored(
                    device_id="device-3",
                    revision=4,
                    standing=Standing.REGISTERED,
                    label="Own laptop",
                    macs=("02:00:5e:00:53:01",),
                    first_seen=_AT - timedelta(days=9),
                    last_seen=_AT,
                ),
            )
        ),
    )


@pytest.fixture(scope="session")
def box_examples() -> tuple[Order, ...]:
    """One of each order about the box itself."""
    at = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
    release = Release(
        version="2026.11.2",
        board="gatehouse-pi",
        url="https://releases.example/2026.11.2.raucb",
        sha256="0" * 64,
        size=180_000_000,
        floor="2026.10.1",
        issued=at,
        expires=at + timedelta(days=30),
        security=True,
        notes="Mends the resolver.",
    )
    return (
        SetPassphrase(key_id="card-1", sealed="A" * 88, purpose="guest", until=at + timedelta(days=7)),
        EndPassphrase(key_id="card-1"),
        SetNetwork(ssid="Home", security="wpa2", isolation=True),
        TakeRelease(signed=SignedRelease(release=release, signatures=(("0" * 16, "A" * 86 + "=="),))),
        WipeBox(removal_id="removal-1"),
    )


class WebRig:
    """A server on loopback with a clock that only the test moves."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.server = Server(
            self.listener, lambda asked: Reply(content_type="text/plain", body=asked.path.encode()), self.selector
        )
        self.now = 1000.0
        self.clients: list[socket.socket] = []

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            for key, _events in self.selector.select(0.02):
                key.data(self.now)

    def client(self, source: str = "127.0.0.1") -> socket.socket:
        client = socket.create_connection(self.listener.getsockname(), timeout=5, source_address=(source, 0))
        self.clients.append(client)
        return client

    def ask(self, request: bytes) -> bytes:
        client = self.client()
        client.setblocking(False)
        answer = b""
        sent = 0
        for _ in range(2000):
            try:
                sent += client.send(request[sent : sent + 65536]) if sent < len(request) else 0
                chunk = client.recv(65536)
                if not chunk:
                    break
                answer += chunk
            except BlockingIOError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                break
            if not self.server.open and sent >= len(request) and not answer:
                self.turn()
            self.turn()
        return answer


@pytest.fixture
def rig() -> Iterator[WebRig]:
    """See `WebRig`; it is closed behind the test."""
    rig = WebRig()
    yield rig
    rig.server.close()
    rig.listener.close()
    rig.selector.close()
    for client in rig.clients:
        client.close()
