"""The authority's power over a running box: nothing without it, an end on time, no way round it."""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.service import wait_until
from lab.stack import GATEHOUSE, SITE, TENANT, Stack
from wire.base import Standing
from wire.codec import payload_json, seal, topic_for
from wire.files import replace
from wire.keys import read_sealing, read_signing
from wire.models import Command, type_of
from wire.orders import SetStanding

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
_NUMBERS = itertools.count(2)


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., AbstractContextManager[Stack]]) -> Iterator[Stack]:
    """A box of its own: what one authority allowed must not be in another test's way."""
    with new_stack() as running:
        yield running


def _rows(path: Path, *tables: str) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        count = "select count(*) from "
        return {table.split()[0]: int(db.execute(count + table).fetchone()[0]) for table in tables}


def _kept(stack: Stack) -> dict[str, int]:
    """How much there is about devices, at the box and at the dashboard."""
    about = "finding where device_id is not null"  # what is about the box itself is kept always (N4)
    box = _rows(stack.keeper_database, "device", "address", "evidence", "name_visit", "record", "activity", about)
    server = _rows(stack.database, "device", "stay", "proposal", about)
    return box | {f"dashboard {table}": count for table, count in server.items()}


def _grant(stack: Stack, **changes: Any) -> int:
    """Issue the next authority, and wait until the dashboard has heard of it; its number."""
    number = next(_NUMBERS)
    stack.issue_authority(stack.authority(number=number, **changes))
    words = "expired on" if changes else "is in force until"
    wait_until(
        lambda: _said(stack).get("authority", "").startswith(f"Authority authority-demo, number {number}, {words}"),
        what=f"number {number} to be told",
        seconds=64,
    )
    return number


def _said(stack: Stack) -> dict[str, Any]:
    """The box's last status, as the dashboard has it."""
    with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as db:
        row = db.execute("select status from site where site = ?", (SITE,)).fetchone()
    said: dict[str, Any] = json.loads(row[0]) if row[0] else {}
    return said


def _status(stack: Stack) -> tuple[int, dict[str, Any]]:
    """`gatehouse status --json` inside the box: exit code and what it says."""
    done = stack.home.gateway.run([GATEHOUSE, "status", "--config", stack.box_config, "--json"], check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, told


def _frames(stack: Stack) -> int:
    return sum(tap["messages"] for tap in _status(stack)[1]["status"]["taps"])


def _wait_said(stack: Stack, words: str, *, recording: bool, seconds: float = 20.0) -> None:
    def told() -> bool:
        said = _said(stack)
        return words in said.get("authority", "") and said.get("recording") is recording

    wait_until(told, what=f"the dashboard to hear {words!r}", seconds=seconds)


@pytest.mark.req("R53", "N1")
def test_without_a_valid_document_nothing_about_devices_is_anywhere(stack: Stack) -> None:
    _grant(stack)
    (stack.folder / "box" / "authority.json").unlink()
    _wait_said(stack, "There is no authority document", recording=False)
    forged = stack.authority(number=next(_NUMBERS))
    stack.issue_authority(forged, issuer=Ed25519PrivateKey.generate())
    _wait_said(stack, "does not count: the signature does not hold", recording=False)

    kept, before = _kept(stack), _frames(stack)
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:01")
    phone.lookup("canary-of-nobody.example")
    wait_until(lambda: _frames(stack) > before + 3, what="the sensor to have heard the phone")
    code, told = _status(stack)
    assert code == 1
    assert any("keeps no records about devices" in problem for problem in told["problems"])
    assert _kept(stack) == kept
    assert _rows(stack.keeper_database, "mask") == {"mask": 0}
    for folder in ("box", "dashboard", "broker", "logs"):
        for file in (stack.folder / folder).rglob("*"):
            if file.is_file():
                raw = file.read_bytes()
                assert phone.mac.encode() not in raw, file
                assert b"canary-of-nobody" not in raw, file

    _grant(stack)
    phone.lookup("canary-of-nobody.example")
    wait_until(lambda: _kept(stack)["dashboard finding"] == kept["dashboard finding"] + 1, what="the phone to be found")
    stack.home.leave(phone)


@pytest.mark.req("R53", "N1")
def test_a_document_that_does_not_count_changes_nothing_and_is_told(stack: Stack) -> None:
    path = stack.folder / "box" / "authority.json"
    number = _grant(stack)
    held = path.read_bytes()

    stack.issue_authority(stack.authority(number=number + 1), issuer=Ed25519PrivateKey.generate())
    _wait_said(stack, "the signature does not hold", recording=True)
    unknown = json.loads(held)
    unknown["document"]["clauses"].append({"number": "99", "kind": "telepathy"})
    replace(path, json.dumps(unknown).encode(), mode=0o644)
    _wait_said(stack, "unknown kind 'telepathy'", recording=True)
    stack.issue_authority(stack.authority(number=number + 1).model_copy(update={"site": "site-0002"}))
    _wait_said(stack, "it is for demo/site-0002", recording=True)
    stack.issue_authority(stack.authority(number=1))
    _wait_said(stack, f"it is number 1, and number {number} was accepted already", recording=True)
    assert f"number {number}, is in force" in _said(stack)["authority"]
    assert "A newer file was refused" in stack.officer("refusal-officer").get(f"/households/{SITE}/box")

    found = _kept(stack)["dashboard finding"]
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:02")
    wait_until(lambda: _kept(stack)["dashboard finding"] == found + 1, what="the box to go on recording")
    stack.home.leave(phone)
    replace(path, held, mode=0o644)
    wait_until(lambda: "refused" not in _said(stack)["authority"], what="the refusal to be over")


@pytest.mark.req("R54", "N1")
def test_an_authority_that_ends_stops_the_box_within_a_minute(stack: Stack) -> None:
    _grant(stack, not_after=datetime.now(UTC) + timedelta(seconds=4))
    assert _said(stack)["recording"] is False
    kept, before = _kept(stack), _frames(stack)
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:03")
    wait_until(lambda: _frames(stack) > before + 3, what="the sensor to have heard the phone")
    assert _kept(stack) == kept
    assert _rows(stack.keeper_database, "mask") == {"mask": 0}
    assert "expired on" in stack.officer("expiry-officer").get(f"/households/{SITE}/box")
    _grant(stack)
    stack.home.leave(phone)


@pytest.mark.req("R7", "N3")
def test_commands_that_do_not_count_have_no_effect_and_a_clear_answer(stack: Stack) -> None:
    """Published by somebody who holds the worker's certificate, while the worker itself is away."""
    _grant(stack)
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:04")
    device_id = ""

    def known() -> bool:
        nonlocal device_id
        with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as box:
            row = box.execute("select device_id from address where mac = ?", (phone.mac,)).fetchone()
        device_id = row[0] if row else ""
        return bool(row)

    wait_until(known, what="the phone to be known at the box")
    keys = stack.folder / "keys"
    server = read_signing(keys / "server-signing.pem")
    box = read_sealing(keys / "box-sealing.pem").public_key()
    now = datetime.now(UTC)

    def sealed(name: str, sequence: int, *, device: str = device_id, late: bool = False, **how: Any) -> tuple[str, str]:
        body = SetStanding(device_id=device, standing=Standing.HOUSEHOLD, label=name)
        command = Command(
            command_id=name,
            sequence=sequence,
            issued_at=now - timedelta(seconds=60),
            expires_at=now + timedelta(seconds=-30 if late else 300),
            by="officer-1",
            body=body,
        )
        topic = topic_for(command, tenant=TENANT, site=how.get("site", SITE))
        raw = seal(
            payload_json(command),
            type_=type_of(command).ce_type,
            topic=topic,
            id_=f"try-{name}",
            sequence=sequence,
            at=now,
            signer=how.get("signer", server),
            recipient=box,
        )
        return str(topic_for(command, tenant=TENANT, site=SITE)), base64.b64encode(raw).decode()

    good = sealed("good", 1003)
    script = [
        sealed("forged", 1009, signer=Ed25519PrivateKey.generate()),
        sealed("elsewhere", 1008, site="site-0002"),
        sealed("late", 1001, late=True),
        sealed("nobody", 1002, device="d-nobody"),
        good,
        good,
        sealed("passed", 1000),
    ]
    worker = stack.services.running["ingest"]
    stack.services.end("ingest")
    stack.home.hq.run([sys.executable, "-c", _PUBLISH, stack.folder / "dashboard" / "ingest.toml", json.dumps(script)])
    stack.services.start("ingest", worker.host, worker.argv)

    def answers() -> dict[str, str]:
        with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as db:
            rows = db.execute("select payload from event where type = 'gatehouse.result.v1'").fetchall()
        results = [json.loads(row[0]) for row in rows]
        return {item["command_id"]: f"{item['outcome']}: {item.get('detail', '')}" for item in results}

    wait_until(lambda: "passed" in answers(), what="the answers")
    assert answers() == {
        "late": "expired: The instruction reached the box too late and was not followed.",
        "nobody": "refused: The box does not know this device.",
        "good": "applied: ",
        "passed": "out-of-sequence: A later instruction has already been handled.",
    }
    with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as db:
        rows = db.execute("select standing, label from device where device_id = ?", (device_id,)).fetchall()
    assert rows == [("household", "good")]
    stack.home.leave(phone)


_PUBLISH = """
import base64, json, sys, tomllib
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from wire.tls import client_context
from pathlib import Path
who = tomllib.loads(Path(sys.argv[1]).read_text())["ingest"]
client = Client(CallbackAPIVersion.VERSION2, client_id=who["worker"], protocol=MQTTProtocolVersion.MQTTv5)
client.tls_set_context(client_context(ca=Path(who["ca"]), certificate=Path(who["certificate"]), key=Path(who["key"])))
client.connect(who["host"], who["port"], clean_start=False)
client.loop_start()
for topic, body in json.loads(sys.argv[2]):
    client.publish(topic, base64.b64decode(body), qos=1).wait_for_publish(20)
client.disconnect()
client.loop_stop()
"""
