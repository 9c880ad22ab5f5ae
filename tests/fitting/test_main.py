"""The two processes of a new box against the dashboard's own desk, over TLS on loopback."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance import settings as box_settings
from appliance.fitting import card as cards
from appliance.fitting import first
from appliance.fitting.places import Places
from appliance.fresh import read as read_fresh
from dashboard.enrol.desk import Desk
from dashboard.enrol.enrolling import Enroller, Hands, Offer
from dashboard.enrol.issuing import Issuer
from dashboard.enrol.server import Server, server_context
from dashboard.store import installs, schema, stock
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from firmware import layout
from lab.pki import CertificateAuthority
from wire.claim import Label, label_of, parse_card
from wire.enrolment import BrokerAt, NoticeTexts, OperatorCard
from wire.files import toml_text
from wire.keys import public_text

pytestmark = pytest.mark.timeout(180)


def until(done: Callable[[], Any], what: str, seconds: float = 45.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = done()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s for {what}")


@dataclass
class Rig:
    """A desk with its database, and a box of two processes below a folder."""

    folder: Path
    exit: ExitStack
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.authority = CertificateAuthority(self.folder / "pki")
        self.engine = open_engine(f"sqlite:///{self.folder / 'dashboard.db'}")
        self.exit.callback(self.engine.dispose)
        upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(
                schema.account.insert().values(account_id="officer-1", name="o", role="officer", failures=0)
            )
        key = load_pem_private_key(self.authority.write_key().read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        certificate = x509.load_pem_x509_certificate(self.authority.certificate_path.read_bytes())
        signer, opener = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
        issuer = Issuer(certificate=certificate, key=key)
        offer = Offer(
            tenant="example",
            broker=BrokerAt(host="broker.example.org", port=8883),
            server_seal=public_text(opener),
            notice=NoticeTexts(operator="the Example Service", contact="Ask.", complaints="Write."),
            country="GB",
        )
        hands = Hands(issuer=issuer, signer=signer, opener=opener, admit=lambda _site: None)
        self.enroller = Enroller(self.engine, offer, hands)
        served = self.authority.issue("desk", addresses=("127.0.0.1",))
        self.server = Server(
            ("127.0.0.1", 0),
            Desk(self.engine, issuer, tenant="example"),
            server_context(str(served.certificate), str(served.key)),
            now=time.time,
            enroller=self.enroller,
        )
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.exit.callback(thread.join)
        self.exit.callback(self.server.server_close)
        self.exit.callback(self.server.shutdown)
        self.operator = OperatorCard(
            tenant="example",
            operator="the Example Service",
            contact="Call 01632 960000.",
            enrol_url=f"https://127.0.0.1:{self.server.server_address[1]}",
            dashboard_url="https://gatehouse.example.org",
            ca=self.authority.certificate_path.read_text(),
            server_verify=(public_text(signer),),
            issuers=(public_text(ed25519.Ed25519PrivateKey.generate()),),
            release_keys=(public_text(ed25519.Ed25519PrivateKey.generate()),),
            country="GB",
        )
        self.places = Places(root=self.folder / "root")

    def boot(self, add_port: Callable[..., None]) -> None:
        for name in ("eth0", "eth1"):
            add_port(self.places.root, name)
        add_port(self.places.root, "wlan0", radio=True)
        path = self.places.at(layout.OPERATOR_FILE)
        path.parent.mkdir(parents=True)
        path.write_text(toml_text(self.operator))
        first.boot(self.places, now=time.time())

    @property
    def label(self) -> Label:
        card, sticker = cards.load_card(self.places), cards.load_sticker(self.places)
        assert card is not None
        assert sticker is not None
        return label_of(card.card, sticker.code)

    def start(self, *, holder: bool = True) -> None:
        """Both processes; the page on the box's address, which here is this machine's loopback."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        root = ["--root", str(self.places.root)]
        if holder:
            self.run("appliance.fitting.holder", *root, "--port", str(self.port), "--hand-over", str(self.done))
        self.run("appliance.fitting", *root)

    def run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments])
        self.processes.append(process)
        self.exit.callback(_end, process)
        return process

    @property
    def done(self) -> Path:
        """What is run when the box is enrolled."""
        path = self.folder / "hand-over"
        if not path.exists():
            path.write_text(f"#!/bin/sh\n: > '{self.folder}/handed-over'\n")
            path.chmod(0o755)
        return path

    def get(self, path: str = "/", *, body: bytes | None = None, kind: str = "text/plain") -> tuple[int, str]:
        """The page as a phone gets it; status 0 where nobody answers."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET" if body is None else "POST", path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    host: str = "127.0.0.1"

    def says(self, words: str) -> bool:
        return words in self.get()[1]

    def stock(self) -> None:
        card = parse_card(self.get("/card.json")[1].encode())
        with self.engine.begin() as connection:
            stock.stock_box(connection, card, by=None, now=time.time())

    def claim(self) -> None:
        with self.engine.begin() as connection:
            installs.start(
                connection, "install-1", tenant="example", kind="install", reference="EX-1", site=None,
                by="officer-1", now=time.time(),
            )  # fmt: skip
            stock.claim_box(
                connection, "install-1", self.label, tenant="example", title="EX", by="officer-1", now=time.time()
            )


def _memory(pid: int) -> Iterator[bytes]:
    """What a process has written in its memory; root may look."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(text, 16) for text in span.split("-"))
            if rights.startswith("rw") and end - start < 1 << 28:
                memory.seek(start)
                try:
                    yield memory.read(end - start)
                except OSError:  # a page that was never touched
                    continue


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture
def rig(tmp_path: Path, add_port: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(first.defaults, "NETWORKS", (first.defaults.IPv4Network("127.0.0.0/24"),))
    with ExitStack() as stack:
        made = Rig(folder=tmp_path, exit=stack)
        made.boot(add_port)
        yield made


@pytest.mark.req("R2", "R69")
def test_from_power_on_to_enrolled_by_scanning_the_label(rig: Rig) -> None:
    """Nobody types a command: the card is entered, the label is claimed, and the box has all that it needs."""
    label = rig.label
    rig.start()
    until(lambda: rig.says("The service does not take this box."), "a stranger to be told so")
    assert rig.says("not in stock")
    rig.stock()
    until(lambda: rig.says("waits for somebody to scan its label"), "the box to wait")
    fresh = read_fresh(rig.places.at(layout.FRESH), owners=frozenset({os.getuid()}))
    assert fresh is not None
    assert (fresh.stage, fresh.problem) == ("unclaimed", None)
    rig.claim()
    until(lambda: rig.places.enrolled, "the box to be enrolled")
    until(lambda: rig.says("The box is set up."), "the page to say so")
    assert label.code not in rig.get()[1]
    settings = box_settings.load(rig.places.at(layout.BOX_FILE))
    assert (settings.site, settings.broker.host) == (label.site, "broker.example.org")
    until((rig.folder / "handed-over").exists, "the watching processes to be started")
    assert [process.wait(10) for process in rig.processes] == [0, 0]


@pytest.mark.req("R10")
def test_a_telephone_carries_request_and_answer_where_there_is_no_internet(rig: Rig) -> None:
    rig.server.shutdown()
    rig.server.server_close()  # nobody is reached
    rig.start()
    until(lambda: rig.says("If there is no internet here"), "the page")
    rig.stock()
    rig.claim()
    request = rig.get("/request.txt")[1]
    carried = rig.enroller.answer(request.encode(), time.time())
    assert carried.sealed
    assert (
        "no answer of the service" in rig.get("/answer", body=b"answer=", kind="application/x-www-form-urlencoded")[1]
    )
    form = b'--b\r\nContent-Disposition: form-data; name="answer"; filename="a"\r\n\r\n%s\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b"
    bent = carried.sealed[:-8] + b"AAAAAAAA"
    assert rig.get("/answer", body=form % bent, kind=kind)[0] == 200
    until(lambda: rig.says("cannot be used"), "the bent answer to be refused")
    assert not rig.places.enrolled
    until(lambda: rig.get("/answer", body=form % carried.sealed, kind=kind)[0] == 200, "the answer to be taken")
    until(lambda: rig.places.enrolled, "the box to be enrolled")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of a process that is closed")
@pytest.mark.req("R69")
def test_the_front_has_no_key_and_is_told_no_secret_that_its_page_does_not_show(rig: Rig) -> None:
    rig.start()
    until(lambda: rig.says("Claim it"), "the page")
    front = rig.processes[-1]
    data = rig.places.at(layout.DATA)
    held = [os.path.realpath(each) for each in Path(f"/proc/{front.pid}/fd").iterdir()]
    assert held
    assert not [path for path in held if path.startswith(str(data))]
    sticker = cards.load_sticker(rig.places)
    assert sticker is not None
    memory = b"".join(_memory(front.pid))
    assert sticker.code.encode() in memory, "what the page shows is there: the search finds what there is"
    for name in (layout.SIGNING_KEY, layout.SEALING_KEY, layout.TLS_KEY):
        secret = rig.places.at(name).read_bytes().splitlines()[1]
        assert secret not in memory


def test_each_process_may_die_and_comes_back_to_the_other(rig: Rig) -> None:
    rig.start()
    until(lambda: rig.says("Claim it"), "the page")
    holder, front = rig.processes
    front.kill()
    front.wait()
    rig.run("appliance.fitting", "--root", str(rig.places.root))
    until(lambda: rig.says("Claim it"), "the page by another front")
    holder.kill()
    holder.wait()
    rig.run(
        "appliance.fitting.holder",
        "--root",
        str(rig.places.root),
        "--port",
        str(rig.port),
        "--hand-over",
        str(rig.done),
    )
    until(lambda: rig.says("Claim it"), "the page by another holder")
    assert re.search(r"Code to scan", rig.get()[1])


def test_a_desk_of_another_authority_is_not_believed(rig: Rig, tmp_path: Path) -> None:
    other = CertificateAuthority(tmp_path / "other")
    path = rig.places.at(layout.OPERATOR_FILE)
    path.write_text(toml_text(rig.operator.model_copy(update={"ca": other.certificate_path.read_text()})))
    rig.start()
    until(lambda: rig.says("cannot prove that it is the service"), "the fraud to be told")
    assert json.loads(rig.places.at(layout.FRESH).read_text())["problem"] == "untrusted"


def test_the_request_says_nothing_secret(rig: Rig) -> None:
    card = cards.load_card(rig.places)
    assert card is not None
    sticker = cards.load_sticker(rig.places)
    assert sticker is not None
    rig.start()
    text = until(lambda: rig.get("/request.txt")[1].startswith("{") and rig.get("/request.txt")[1], "the request")
    for secret in (sticker.code, sticker.wifi_passphrase, "PRIVATE"):
        assert secret not in text
