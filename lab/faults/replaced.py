"""A dead box replaced: other keys, an empty store, and everything of the home as before.

Two officers put a document in force through the dashboard, a device is registered, an away time is set. Then the box's
store, its authority file and its keys are gone; the new keys are entered and the new box is started. Measured is the
time until its register, authority and arrangements are those of before. Bounded: one box, waits of `PATIENCE` seconds.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dashboard import auth, commands, second
from dashboard.access import Role
from dashboard.auth import SignedIn
from dashboard.commands import Decision
from dashboard.store import charge
from dashboard.store.engine import open_engine
from lab.faults.result import Result, Say
from lab.faults.running import box
from lab.service import wait_until
from lab.stack import SITE, TENANT, Stack
from wire import authority
from wire.acts import SetAuthority
from wire.keys import public_text, write_private
from wire.orders import Order, SetAway

NAME = "replaced"
PROMISE = "a dead box replaced: register, authority and arrangements as before, under a new epoch, within ten minutes"
KEPT_SECONDS = 600.0
PATIENCE = 120.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text. The short form is the whole of it."""
    del short
    with box(folder) as (stack, _officer, _client):
        one, two = _account(stack, "first"), _account(stack, "second")
        document = authority.sign(stack.authority(2), stack.issuer).model_dump_json(exclude_none=True)
        _order(stack, SetAuthority(document=document), one, two)
        today = datetime.now(UTC)
        _order(stack, SetAway(starts=today, ends=today + timedelta(days=1), reason="For the faults"), one)
        wait_until(lambda: _count(stack, "arrangements") == 1, what="what is arranged to be told", seconds=PATIENCE)
        before, epoch = _register(stack), _epoch(stack)
        say(f"{len(before)} device on the register, epoch {epoch}")
        stack.pause_box()
        public = _other_box(stack)
        began = time.monotonic()
        _replace(stack, public)
        stack.resume_box()
        wait_until(lambda: _done(stack), what="the new box to be given everything", seconds=KEPT_SECONDS)
        seconds = time.monotonic() - began
        say(f"as before after {seconds:.1f} s")
        after = _register(stack)
        applied = _restored(stack)
        arranged = _of(stack.keeper_database, "select count(*) from away where reason = 'For the faults'")
        anew = _epoch(stack)
    same = before == after and bool(before)
    return Result(
        kept=same and arranged == 1 and anew != epoch and all(applied.values()) and seconds <= KEPT_SECONDS,
        figures={
            "as before": f"{seconds:.1f} s after the new keys were entered",
            "devices": f"{len(after)} of {len(before)}, {'the same' if same else 'NOT THE SAME'}",
            "orders given again": ", ".join(f"{name}: {'applied' if ok else 'NOT'}" for name, ok in applied.items()),
            "arrangements": "as before" if arranged == 1 else "NOT as before",
            "epoch": "another one" if anew != epoch else "THE SAME",
        },
        remarks=("The new box keeps the certificate of the old one here: enrolment is not part of this run.",),
    )


def _account(stack: Stack, name: str) -> SignedIn:
    engine = open_engine(f"sqlite:///{stack.database}")
    try:
        account_id = auth.add_account(engine, name=name, role=Role.OFFICER, now=_now())
        with engine.begin() as connection:
            charge.assign(connection, sites=[SITE], account_id=account_id, by=None, now=_now())
    finally:
        engine.dispose()
    return SignedIn(account_id=account_id, name=name, role=Role.OFFICER, token_hash="", expires_at=0.0)


def _order(stack: Stack, order: Order, one: SignedIn, two: SignedIn | None = None) -> None:
    """Ask for something as the pages do, agree to it where it takes two, and wait for the box."""
    engine = open_engine(f"sqlite:///{stack.database}")
    decision = Decision(token=commands.new_token(), order=lambda _: order, reason="For the faults", device_id=None)
    try:
        commands.ask(engine, decision, tenant=TENANT, site=SITE, by=one, now=_now(), lifetime=PATIENCE)
        if two is not None and not second.agree(
            engine, decision.token, tenant=TENANT, by=two, why="Looked", now=_now(), lifetime=PATIENCE
        ):
            raise RuntimeError("the second person was not taken")
    finally:
        engine.dispose()
    wait_until(
        lambda: _state(stack, decision.token) == "applied", what=f"{order.action} to be applied", seconds=PATIENCE
    )


def _other_box(stack: Stack) -> dict[str, str]:
    """Take the old box's memory and keys away; the new one's public keys."""
    shutil.rmtree(stack.folder / "box" / "state")
    (stack.folder / "box" / "authority.json").unlink()
    public: dict[str, str] = {}
    for name, key in (("signing", Ed25519PrivateKey.generate()), ("sealing", X25519PrivateKey.generate())):
        path = stack.folder / "keys" / f"box-{name}.pem"
        owner = path.stat().st_uid
        path.unlink()
        write_private(path, key)
        os.chown(path, owner, -1)
        public[name] = public_text(key)
    return public


def _replace(stack: Stack, public: dict[str, str]) -> None:
    config = stack.folder / "dashboard" / "dashboard.toml"
    command = [sys.executable, "-m", "dashboard.cli", "--config", str(config), "replace-box", SITE]
    keys = ["--verify-key", public["signing"], "--seal-key", public["sealing"]]
    subprocess.run([*command, *keys], check=True, capture_output=True)


def _register(stack: Stack) -> list[tuple[object, ...]]:
    """Devices with a standing, as the box has them: what officers said of them."""
    with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as connection:
        question = "select device_id, standing, label from device where standing != 'unknown' order by device_id"
        return list(connection.execute(question))


def _epoch(stack: Stack) -> str:
    found = _of(stack.database, "select coalesce(status_id, '') from site")
    return str(found).rpartition("-")[0]


def _done(stack: Stack) -> bool:
    return bool(_of(stack.database, "select count(*) from replacement where done_at is not null"))


def _restored(stack: Stack) -> dict[str, bool]:
    with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as connection:
        question = "select json_extract(body, '$.action'), state from command where command_id like 'restore-%' order by sequence"
        return {str(action): state == "applied" for action, state in connection.execute(question)}


def _state(stack: Stack, command_id: str) -> str:
    return str(_of(stack.database, "select state from command where command_id = ?", command_id))


def _count(stack: Stack, table: str) -> object:
    return _of(stack.database, f"select count(*) from {table}")  # noqa: S608 - a name of ours


def _of(path: Path, question: str, *values: object) -> object:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(question, values).fetchone()[0]
    return None


def _now() -> float:
    return time.time()
