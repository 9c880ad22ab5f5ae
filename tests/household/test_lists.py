"""A list from its publisher's server to a finding: fetched by the real courier, over TLS, from the lab's internet.

Then the same server gives a version that somebody else signed, and at last it is gone: the version in use stays, and
that is said where an engineer and an officer look.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.client import Client
from lab.officer import Officer, Seen
from lab.pki import CertificateAuthority
from lab.service import wait_until
from lab.stack import GATEHOUSE, SITE, Stack
from wire.authority import ListsClause
from wire.base import Standing
from wire.files import replace
from wire.findings import Severity
from wire.keys import public_text
from wire.lists import Manifest, sign

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

HOST, PORT = "lists.example", 8443
SOON = 90.0
"""Seconds: the box looks again after 36, and within a minute of its start."""

_SERVER = """
import http.server, ssl, sys
class Server(http.server.ThreadingHTTPServer):
    address_family = 2
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = Server(("0.0.0.0", int(sys.argv[1])), lambda *a: Quiet(*a, directory=sys.argv[2]))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
"""


class Publisher:
    """Who keeps the list, and the server it lies on."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.key = Ed25519PrivateKey.generate()
        self._folder = folder / "published"
        self._folder.mkdir()
        authority = CertificateAuthority(folder / "publisher-pki")
        self.ca = authority.certificate_path
        files = authority.issue("lists", dns=[HOST])
        self._server = stack.home.internet.popen(
            [sys.executable, "-c", _SERVER, str(PORT), self._folder, files.certificate, files.key],
            stdout=subprocess.PIPE,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == b"ready\n"

    def publish(self, number: int, body: str, *, key: Ed25519PrivateKey | None = None) -> None:
        """A version of the list, signed with another key if one is given."""
        raw = body.encode()
        now = datetime.now(UTC)
        manifest = Manifest(
            list_id="gambling", number=number, version=f"issue {number}", title="Gambling sites", category="gambling",
            severity=Severity.TODAY, owner="Example Trust", format="domains", url=f"https://{HOST}:{PORT}/gambling.txt",
            sha256=hashlib.sha256(raw).hexdigest(), octets=len(raw), entries=1,
            published=now, renew_by=now + timedelta(days=30),
        )  # fmt: skip
        replace(self._folder / "gambling.txt", raw, mode=0o644)
        signed = sign(manifest, key or self.key).model_dump_json(exclude_none=True)
        replace(self._folder / "gambling.json", signed.encode(), mode=0o644)

    def close(self) -> None:
        """The server is gone."""
        self._server.kill()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()


@pytest.fixture(scope="module")
def publisher(stack: Stack) -> Iterator[Publisher]:
    """A stack whose box has the list in its settings, and an authority that puts it in force."""
    made = Publisher(stack, stack.folder)
    made.publish(1, "bets.example\n")
    more = f"""
[[lists]]
id = "gambling"
manifest = "https://{HOST}:{PORT}/gambling.json"
publishers = ["{public_text(made.key)}"]
ca = "{made.ca}"
check_hours = 0.01
"""
    stack.pause_box()
    replace(stack.box_config, stack.box_config.read_bytes() + more.encode(), mode=0o644)
    clause = ListsClause(number="9", standings=(Standing.REGISTERED,), lists=("gambling",))
    stack.issue_authority(stack.authority(2, clauses=(clause,)))
    stack.resume_box()
    stack.wait_ready()
    yield made
    made.close()


@pytest.fixture(scope="module")
def laptop(stack: Stack, officer: Officer) -> Client:
    """A registered device."""
    client = stack.join("registered-laptop")

    def seen() -> list[Seen]:
        return [item for item in officer.findings(SITE) if (item.kind, item.state) == ("unregistered-device", "open")]

    wait_until(lambda: bool(seen()), what="the laptop to be seen", seconds=20)
    officer.register(seen()[0], standing="registered", label="Laptop", reason="Shown at the visit.")
    wait_until(lambda: not seen(), what="the laptop to be registered", seconds=20)
    return client


def shown(stack: Stack) -> tuple[int, dict[str, Any]]:
    """What `gatehouse lists show` says of the list, and its exit code."""
    done = stack.home.gateway.run(
        [GATEHOUSE, "lists", "show", "--json", "--config", stack.box_config], check=False, timeout=30
    )
    if done.returncode == 3:
        return 3, {"version": None, "problem": ""}  # the keeper is just starting
    (found,) = (item for item in json.loads(done.stdout)["lists"] if item["list_id"] == "gambling")
    return done.returncode, found


def wait_for(stack: Stack, problem: str) -> dict[str, Any]:
    """The list, once this is said of it."""
    wait_until(lambda: problem in shown(stack)[1]["problem"], what=f"“{problem}”", seconds=SOON)
    return shown(stack)[1]


@pytest.mark.req("R29", "R31", "N16")
def test_a_list_comes_from_its_publisher_finds_and_stays(
    stack: Stack, publisher: Publisher, laptop: Client, officer: Officer
) -> None:
    wait_until(lambda: shown(stack)[1]["version"] == "issue 1", what="the list to come", seconds=SOON)
    laptop.resolve("www.bets.example")
    page = said(officer, "listed-name")
    for words in ("www.bets.example", "Gambling sites", "issue 1", "Example Trust", "bets.example"):
        assert words in page

    publisher.publish(2, "bets.example\nother.example\n", key=Ed25519PrivateKey.generate())
    found = wait_for(stack, "the signature does not hold")
    assert found["version"] == "issue 1"
    assert shown(stack)[0] == 1
    page = said(officer, "list-refused")
    assert "the signature does not hold" in page
    assert "Version issue 1 stays in use." in page

    publisher.close()
    stack.pause_box()
    stack.resume_box()
    stack.wait_ready()
    found = wait_for(stack, "the server is not reached")
    assert (found["version"], found["entries"]) == ("issue 1", 1)
    (refused,) = (item for item in officer.findings(SITE) if item.kind == "list-refused")
    assert refused.state == "open", "nobody knows yet whether that version is still offered"
    laptop.resolve("later.bets.example")

    def names() -> str:
        return officer.get(next(item.path for item in officer.findings(SITE) if item.kind == "listed-name"))

    wait_until(lambda: "2 times" in names() or "twice" in names(), what="the finding to count", seconds=90)


def said(officer: Officer, kind: str) -> str:
    """What the page of the finding of this kind says, without its markup and what keeps names from being links."""
    found: list[Seen] = []

    def look() -> bool:
        found[:] = [item for item in officer.findings(SITE) if item.kind == kind]
        return bool(found)

    wait_until(look, what=f"a finding {kind}", seconds=30)
    return html.unescape(re.sub(r"<[^>]*>", "", officer.get(found[0].path))).replace("[.]", ".")
