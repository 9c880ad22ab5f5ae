"""Keys of what is kept sealed, so that destroying a key destroys what it sealed, wherever copies of that lie (N17).

In: octets of a data class and a moment. Out: them sealed (AES-256-GCM) and the number of the key. There is one key a
data class and month (UTC), and one a case hold. Keys stand in the database only wrapped by the key file, 32 octets
beside it. Destroying keys deletes their rows and changes the key file: keys that go on are wrapped anew under a fresh
one, so that an old copy of a row (a page that flash memory still holds, an old backup of the database) opens nothing.

The file changes in four steps, each of which may be the last before a power cut:

1. the fresh key lies in `NAME.next`, synced;
2. the database commits: rows gone, others wrapped anew, `vault_file` names the fresh key;
3. the old file is overwritten and synced, as far as its medium overwrites in place;
4. `NAME.next` takes its place.

Whoever opens the vault finds by `vault_file` which file counts and does the steps that are left. Where no file counts,
what was sealed cannot be read any more: that is counted (`lost`), and sealing goes on with new keys.

Bounded: `MAX_KEYS` keys; beyond them a month's records share the youngest key of their class (`shared`).
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlite_utils import Database

MAX_KEYS = 4096
KEY_OCTETS = 32
_NONCE_OCTETS = 12
_FILE = "vault_file"
"""Key in `meta`: which key file counts, by the hash of its octets."""
_CONTEXT = b"gatehouse/vault/v1\n"
HELD = "held"
"""Data class of the keys of case holds."""


class VaultError(OSError):
    """The key file cannot be read or written."""


class Vault:
    """Keys by number. Calls that write belong in the store's transaction; `settle` after it."""

    def __init__(self, db: Database, path: Path) -> None:
        """Take the key file at `path`; on a new box it is made.

        Raises:
            VaultError: it cannot be read or written.
        """
        self._db = db
        self._path = path
        self._keys: dict[int, bytes] = {}
        self._current: dict[tuple[str, int], int] = {}
        self._next: bytes | None = None
        """The key that takes the file's place once the database has committed."""
        self.shared = 0
        """Sealings under another month's key because there were too many keys, since start."""
        self.lost = 0
        """Keys that no key file opens any more."""
        self._file_key = self._open()
        self._load()

    # --- use --------------------------------------------------------------------------------

    def seal(self, data_class: str, at: float, plain: bytes) -> tuple[int, bytes]:
        """Seal octets of a class, recorded at `at` (Unix seconds): the key's number, and what is kept."""
        key = self._for(data_class, month_of(at))
        return key, self._seal(key, plain)

    def open(self, key: int, sealed: bytes) -> bytes | None:
        """What was sealed; None where the key was destroyed, or it is not what was sealed under it."""
        secret = self._keys.get(key)
        if secret is None or len(sealed) < _NONCE_OCTETS:
            return None
        try:
            return AESGCM(secret).decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], _number(key))
        except InvalidTag:
            return None

    def table(self) -> list[tuple[int, str, int, str | None]]:
        """Number, class, month and hold of every key that is left."""
        return self._db.execute("select key, data_class, month, hold_id from vault_key order by key").fetchall()

    # --- keeping and destroying -------------------------------------------------------------

    def rewrap(self, rows: Iterable[tuple[int, bytes]], hold_id: str) -> list[tuple[int, bytes] | None]:
        """Seal rows (key, sealed) under the key of a case hold, which outlives their month; None: cannot be read."""
        key = self._for(HELD, 0, hold_id)
        return [self._under(key, row) for row in rows]

    def reseal(self, rows: Iterable[tuple[int, bytes]], data_class: str, month: int) -> list[tuple[int, bytes] | None]:
        """Seal rows (key, sealed) under the month's youngest key (see `renew`); None: cannot be read."""
        key = self._for(data_class, month)
        return [self._under(key, row) for row in rows]

    def renew(self, data_class: str, month: int) -> set[int]:
        """From now on a fresh key of this class and month: the numbers of the earlier ones, to reseal and destroy."""
        old = {key for key, kind, when, hold in self.table() if (kind, when, hold) == (data_class, month, None)}
        self._current[data_class, month] = self._make(data_class, month, None)
        return old

    def bring_back(self, month: int) -> int:
        """Keys of later months count as of this one: they were made under a clock that was ahead; how many."""
        gone = int(self._db.execute("update vault_key set month = ? where month > ?", (month, month)).rowcount)
        if gone:
            self._current = {which: key for which, key in self._current.items() if which[1] <= month}
        return gone

    def destroy(self, data_class: str, month: int) -> int:
        """Destroy the keys of a class and month; how many there were."""
        return self.destroy_keys(
            key for key, kind, when, hold in self.table() if (kind, when, hold) == (data_class, month, None)
        )

    def destroy_hold(self, hold_id: str) -> int:
        """Destroy the key of a case hold."""
        return self.destroy_keys(key for key, _kind, _when, hold in self.table() if hold == hold_id)

    def destroy_keys(self, keys: Iterable[int]) -> int:
        """Destroy keys by number; the file changes when the transaction is committed and `settle` called."""
        gone = set(keys)
        if not gone:
            return 0
        self._begin_change()
        self._db.conn.executemany("delete from vault_key where key = ?", [(key,) for key in gone])
        for key in gone:
            self._keys.pop(key, None)
        self._current = {which: key for which, key in self._current.items() if key not in gone}
        return len(gone)

    def settle(self) -> None:
        """After the outermost transaction was committed: put the fresh key file, if there is one, in its place."""
        if self._next is not None:
            self._replace(self._next)
            self._file_key, self._next = self._next, None

    def rolled_back(self) -> None:
        """What was changed within the transaction, or a part of it, is as before: the table is what counts."""
        if self._next is not None and self._named() != _name(self._next):
            self._next = None
            _unlink(self._beside())
        self._load()

    # --- keys -------------------------------------------------------------------------------

    def _seal(self, key: int, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        return nonce + AESGCM(self._keys[key]).encrypt(nonce, plain, _number(key))

    def _under(self, key: int, row: tuple[int, bytes]) -> tuple[int, bytes] | None:
        plain = self.open(*row)
        return None if plain is None else (key, self._seal(key, plain))

    def _for(self, data_class: str, month: int, hold_id: str | None = None) -> int:
        which = (data_class if hold_id is None else f"{data_class}:{hold_id}", month)
        key = self._current.get(which)
        if key is None:
            if len(self._keys) >= MAX_KEYS and (any_of_class := self._youngest(which[0])) is not None:
                self.shared += 1
                return any_of_class
            key = self._current[which] = self._make(data_class, month, hold_id)
        return key

    def _youngest(self, which: str) -> int | None:
        return max((key for (kind, _month), key in self._current.items() if kind == which), default=None)

    def _make(self, data_class: str, month: int, hold_id: str | None) -> int:
        secret = secrets.token_bytes(KEY_OCTETS)
        cursor = self._db.execute(
            "insert into vault_key (data_class, month, hold_id, wrapped) values (?, ?, ?, ?)",
            (data_class, month, hold_id, b""),
        )
        key = int(cursor.lastrowid or 0)
        self._db.execute("update vault_key set wrapped = ? where key = ?", (self._wrap(key, secret), key))
        self._keys[key] = secret
        return key

    def _wrap(self, key: int, secret: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        return nonce + AESGCM(self._next or self._file_key).encrypt(nonce, secret, _number(key))

    def _load(self) -> None:
        """Unwrap every key: the table is what counts."""
        self._keys.clear()
        self._current.clear()
        self.lost = 0
        file = AESGCM(self._next or self._file_key)
        for key, data_class, month, hold_id, wrapped in self._db.execute(
            "select key, data_class, month, hold_id, wrapped from vault_key order by key"
        ).fetchall():
            try:
                self._keys[key] = file.decrypt(wrapped[:_NONCE_OCTETS], wrapped[_NONCE_OCTETS:], _number(key))
            except InvalidTag:
                self.lost += 1
                continue
            self._current[data_class if hold_id is None else f"{data_class}:{hold_id}", month] = key

    # --- the key file -----------------------------------------------------------------------

    def _beside(self) -> Path:
        return self._path.with_name(f"{self._path.name}.next")

    def _named(self) -> str | None:
        row = self._db.execute("select value from meta where key = ?", (_FILE,)).fetchone()
        return None if row is None else str(row[0])

    def _open(self) -> bytes:
        """The key that counts; steps that a power cut left are done."""
        named = self._named()
        here, beside = _read(self._path), _read(self._beside())
        if named is not None and here is not None and _name(here) == named:
            _unlink(self._beside())
            return here
        if named is not None and beside is not None and _name(beside) == named:
            self._replace(beside)
            return beside
        fresh = secrets.token_bytes(KEY_OCTETS)  # a new box; or what was sealed is lost with its file
        _write(self._beside(), fresh)
        with self._db.atomic():
            self._name_file(fresh)
        self._replace(fresh)
        return fresh

    def _name_file(self, key: bytes) -> None:
        self._db.execute("insert or replace into meta (key, value) values (?, ?)", (_FILE, _name(key)))

    def _begin_change(self) -> None:
        if self._next is not None:
            return
        fresh = secrets.token_bytes(KEY_OCTETS)
        _write(self._beside(), fresh)
        self._next = fresh
        self._name_file(fresh)
        self._db.conn.executemany(
            "update vault_key set wrapped = ? where key = ?",
            [(self._wrap(key, secret), key) for key, secret in self._keys.items()],
        )
        self._forget_lost(self._keys)

    def _forget_lost(self, known: Collection[int]) -> None:
        """Keys that nothing opens are of no use to anyone."""
        lost = [(key,) for key, *_rest in self.table() if key not in known]
        self._db.conn.executemany("delete from vault_key where key = ?", lost)

    def _replace(self, key: bytes) -> None:
        _overwrite(self._path)
        beside = self._beside()
        if _read(beside) != key:
            _write(beside, key)
        try:
            beside.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise VaultError(f"{self._path}: cannot be written ({error.strerror})") from error


def month_of(at: float) -> int:
    """Months since the year 0, UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.year * 12 + moment.month - 1


def month_end(month: int) -> float:
    """The first moment (Unix seconds) that is not of this month any more."""
    year, rest = divmod(month + 1, 12)
    return datetime(year, rest + 1, 1, tzinfo=UTC).timestamp()


def _number(key: int) -> bytes:
    """Bound to what is sealed: a row cannot be passed off as another key's."""
    return _CONTEXT + str(key).encode()


def _name(key: bytes) -> str:
    return hashlib.sha256(_CONTEXT + b"file\n" + key).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VaultError(f"{path}: cannot be read ({error.strerror})") from error
    return key if len(key) == KEY_OCTETS else None


def _write(path: Path, key: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(path.parent)
    except OSError as error:
        raise VaultError(f"{path}: cannot be written ({error.strerror})") from error


def _overwrite(path: Path) -> None:
    """Best effort: a medium that writes in place loses the old key here; flash memory may keep it for a while."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(descriptor, bytes(KEY_OCTETS))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink(path: Path) -> None:
    _overwrite(path)
    path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
