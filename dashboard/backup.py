"""Backups that can be opened for a day, and a restore that is safe for running boxes (R64, N17).

In: the dashboard's database. Out: one file, sealed with a key of its own that stands only in a list of keys kept apart
from it. The key goes after `backup_hours`; the file is worthless then, so that what was erased is gone from backups too.

    file = magic | key id (8 octets) | nonce (12) | ChaCha20-Poly1305 over the SQLite file, with magic and key id

Bounded: a key list has at most `MOST_KEYS` keys (a backup more is refused), a file at most `MOST_OCTETS`.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sqlalchemy import Engine, case, func, select, update

from dashboard.store import schema
from dashboard.store.chain import check as check_chain
from dashboard.store.engine import open_engine
from dashboard.store.migrate import SchemaError, upgrade
from dashboard.store.queries import write_audit
from wire.files import replace

MAGIC = b"gatehouse-backup-1\n"
MOST_KEYS = 200
MOST_OCTETS = 2 * 1024**3 - 4096
"""What ChaCha20-Poly1305 takes in one piece here, and a copy is held in memory."""
JUMP = 1_000_000
"""By so much at least the numbers of commands go on after a restore, and to the second of the restore: those that were
given since the backup are never used again, also where one backup is restored twice."""
_ID = 8
_NONCE = 12


class BackupError(ValueError):
    """A backup that cannot be made or restored; the text says why and what to do."""


def key_list(given: Path | None, secret: Path) -> Path:
    """Where keys of backups stand: as the settings say, else beside the service's secret."""
    return given or secret.with_name("backup-keys.json")


def make(engine: Engine, target: Path, keys: Path, *, now: float, hours: float) -> int:
    """Write a sealed copy of the database; its size in octets.

    Raises:
        BackupError: not SQLite, or too many keys or octets.
    """
    if engine.dialect.name != "sqlite":
        raise BackupError(
            "only SQLite is copied here; for PostgreSQL use: pg_dump --format=custom URL | age -r RECIPIENT, and "
            "destroy the recipient's key after the same number of hours"
        )
    expire(keys, now=now)
    held = _read(keys)
    if len(held) >= MOST_KEYS:
        raise BackupError(f"{keys} holds {MOST_KEYS} keys already; wait until some have run out")
    plain = _copy(engine)
    if len(plain) > MOST_OCTETS:
        raise BackupError("the database is too large for this kind of backup; use PostgreSQL")
    name, key, nonce = secrets.token_bytes(_ID), ChaCha20Poly1305.generate_key(), secrets.token_bytes(_NONCE)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plain, MAGIC + name)
    # The key is on disk before the file that needs it: a kill between the two leaves a key too many.
    _write(keys, {**held, name.hex(): {"key": base64.b64encode(key).decode(), "until": now + hours * 3600}})
    replace(target, MAGIC + name + nonce + sealed, mode=0o600)
    with engine.begin() as connection:
        write_audit(connection, at=now, account_id=None, action="make-backup", subject=name.hex(), outcome="done")
    return len(plain)


def expire(keys: Path, *, now: float) -> int:
    """Destroy keys that have run out; how many."""
    held = _read(keys)
    left = {name: entry for name, entry in held.items() if float(entry["until"]) > now}
    if len(left) < len(held):
        _write(keys, left)
    return len(held) - len(left)


def open_backup(source: Path, keys: Path, *, now: float) -> bytes:
    """The database's octets.

    Raises:
        BackupError: no backup, altered, or its key is gone.
    """
    expire(keys, now=now)
    try:
        if source.stat().st_size > MOST_OCTETS + 1024:
            raise BackupError(f"{source} is too large to be a backup")
        raw = source.read_bytes()
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror}") from error
    head = len(MAGIC) + _ID
    if not raw.startswith(MAGIC) or len(raw) < head + _NONCE + 16:
        raise BackupError(f"{source} is not a backup")
    name = raw[len(MAGIC) : head]
    entry = _read(keys).get(name.hex())
    if entry is None:
        raise BackupError("the key of this backup is gone: it is too old, as is meant, or from another server")
    try:
        return ChaCha20Poly1305(base64.b64decode(str(entry["key"]))).decrypt(
            raw[head : head + _NONCE], raw[head + _NONCE :], raw[:head]
        )
    except InvalidTag as error:
        raise BackupError(f"{source} was altered: nothing was restored") from error


def restore(url: str, source: Path, keys: Path, *, now: float, overwrite: bool) -> None:
    """Put a backup in the place of an empty database, or of one that may be lost.

    Boxes go on as they are: numbers of commands jump past what may have been given since, sign-ins end, commands that
    waited are closed, and the audit says that what came between the backup and now may be missing here.

    Raises:
        BackupError: as `open_backup`; or the database is not empty; or the backup is not sound.
    """
    plain = open_backup(source, keys, now=now)
    engine = open_engine(url)
    try:
        if engine.dialect.name != "sqlite" or not engine.url.database:
            raise BackupError("only an SQLite file is restored here; for PostgreSQL use pg_restore")
        path = Path(engine.url.database)
        if path.exists() and not overwrite and _holds_something(path):
            raise BackupError(f"{path} is not empty; give --replace to lose what is in it")
        _prepare(plain, path, now)
    finally:
        engine.dispose()


def _prepare(plain: bytes, path: Path, now: float) -> None:
    """Make the new file beside the old one, put it right, and only then let it take the place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(plain)
            file.flush()
            os.fsync(file.fileno())
        engine = open_engine(f"sqlite:///{fresh}")
        try:
            upgrade(engine)
            put_right(engine, now)
        except SchemaError as error:
            raise BackupError(f"the backup cannot be used: {error}") from error
        finally:
            engine.dispose()
        if path.exists():  # the service reads it under its own user
            before = path.stat()
            os.chown(fresh, before.st_uid, before.st_gid)
            fresh.chmod(before.st_mode & 0o777)
        # First: SQLite would play an old file's journal back into the new one.
        for rest in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def put_right(engine: Engine, now: float) -> None:
    """Make what comes from a backup safe for running boxes: commands, their numbers, sign-ins and the audit.

    Raises:
        BackupError: an SQLite file that is damaged.
    """
    command = schema.command
    with engine.begin() as connection:
        whole = engine.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        if not whole:
            raise BackupError("the backup is damaged: nothing was restored")
        found = check_chain(connection)
        made_at = connection.execute(select(func.max(schema.audit.c.at))).scalar() or 0.0
        connection.execute(schema.session.delete())
        floor = func.coalesce(schema.site.c.sequence_floor, 0)
        for old, new in (("waiting", "unsent"), ("needs-second", "lapsed"), ("sent", "unanswered")):
            connection.execute(update(command).where(command.c.state == old).values(state=new))
        connection.execute(
            update(schema.site).values(
                sequence_floor=case((floor + JUMP > int(now), floor + JUMP), else_=int(now)),
            )
        )
        for site in connection.execute(select(schema.site.c.site)).scalars().all():
            write_audit(
                connection,
                at=now,
                account_id=None,
                action="restore-backup",
                subject=f"{site}: what came after {made_at:.0f} may be missing here",
                outcome="restored",
            )
        write_audit(
            connection,
            at=now,
            account_id=None,
            action="restore-backup",
            subject="audit chain" + ("" if found.broken_at is None else f" broken at {found.broken_at}"),
            outcome="restored",
        )


def _holds_something(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0 and any(
                connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608 - our names
                for table in ("site", "account", "audit")
            )
    except sqlite3.Error:
        return True


def _copy(engine: Engine) -> bytes:
    """A consistent copy while others write (SQLite's online backup), as octets."""
    with closing(sqlite3.connect(str(engine.url.database))) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        return bytes(copy.serialize())


def _read(keys: Path) -> dict[str, dict[str, str | float]]:
    try:
        found = json.loads(keys.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BackupError(f"{keys} cannot be read; without it no backup can be opened") from error
    if not isinstance(found, dict):
        raise BackupError(f"{keys} is not a list of keys")
    return found


def _write(keys: Path, held: dict[str, dict[str, str | float]]) -> None:
    replace(keys, json.dumps(held, indent=1).encode(), mode=0o600)
