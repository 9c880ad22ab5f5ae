"""A backup opens for a day and no longer; a restored dashboard goes on without using a number twice."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from dashboard import auth, backup
from dashboard.access import Role
from dashboard.backup import BackupError
from dashboard.store import schema
from dashboard.store.chain import check
from dashboard.store.engine import open_engine, reading

pytestmark = pytest.mark.req("N17")
NOW = 1_900_000_000.0
HOURS = 24.0


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "backup-keys.json"


@pytest.fixture
def filled(engine: Engine, seed: Any) -> Engine:
    seed.site(sequence_floor=40)
    seed.device(label="canary-label-5521")
    account = auth.add_account(engine, name="officer", role=Role.OFFICER, now=1.0)
    with engine.begin() as connection:
        auth._open_session(connection, account, NOW)
        for number, state in enumerate(("waiting", "sent", "needs-second", "applied"), 1):
            connection.execute(
                insert(schema.command).values(
                    command_id=f"c-{number}",
                    site="site-1",
                    body={"action": "run-probe"},
                    reason="",
                    by=account,
                    created_at=1.0,
                    expires_at=2.0,
                    state=state,
                    sequence=number,
                )
            )
    return engine


def _make(engine: Engine, target: Path, keys: Path, now: float = NOW) -> None:
    assert backup.make(engine, target, keys, now=now, hours=HOURS) > 0


def _restore(target: Path, source: Path, keys: Path, *, now: float = NOW, overwrite: bool = False) -> None:
    backup.restore(f"sqlite:///{target}", source, keys, now=now, overwrite=overwrite)


def test_what_is_in_the_file_cannot_be_read_and_its_key_is_elsewhere(
    filled: Engine, tmp_path: Path, keys: Path
) -> None:
    source = tmp_path / "copy.backup"
    _make(filled, source, keys)
    assert b"canary-label-5521" not in source.read_bytes()
    assert b"SQLite" not in source.read_bytes()
    for path in (source, keys):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"canary-label-5521" in backup.open_backup(source, keys, now=NOW)


def test_a_restored_dashboard_goes_on(filled: Engine, tmp_path: Path, keys: Path) -> None:
    source, target = tmp_path / "copy.backup", tmp_path / "new.db"
    _make(filled, source, keys)
    _restore(target, source, keys)
    engine = open_engine(f"sqlite:///{target}")
    with reading(engine).connect() as connection:
        assert connection.execute(select(schema.device.c.label)).scalar_one() == "canary-label-5521"
        assert connection.execute(select(schema.site.c.sequence_floor)).scalar_one() == NOW
        assert connection.execute(select(schema.session)).all() == []
        states = connection.execute(select(schema.command.c.state).order_by(schema.command.c.command_id))
        assert list(states.scalars()) == ["unsent", "unanswered", "lapsed", "applied"]
        assert check(connection).broken_at is None
        said = connection.execute(
            select(schema.audit.c.subject).where(schema.audit.c.action == "restore-backup")
        ).scalars()
        assert any("may be missing" in line for line in said)
    engine.dispose()


def test_a_backup_that_is_restored_twice_uses_no_number_twice(filled: Engine, tmp_path: Path, keys: Path) -> None:
    source, target = tmp_path / "copy.backup", tmp_path / "new.db"
    _make(filled, source, keys)
    floors = []
    for later in (0.0, 3600.0):
        _restore(target, source, keys, now=NOW + later, overwrite=True)
        engine = open_engine(f"sqlite:///{target}")
        with reading(engine).connect() as connection:
            floors.append(connection.execute(select(schema.site.c.sequence_floor)).scalar_one())
        engine.dispose()
    assert floors[1] - floors[0] == 3600


def test_the_restored_file_can_be_read_by_who_read_the_one_before(filled: Engine, tmp_path: Path, keys: Path) -> None:
    source, target = tmp_path / "copy.backup", tmp_path / "new.db"
    _make(filled, source, keys)
    target.write_bytes(b"")
    target.chmod(0o640)
    journal = tmp_path / "new.db-journal"
    journal.write_bytes(b"of the one before")
    _restore(target, source, keys)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert not journal.exists()


def test_after_a_day_nobody_can_open_it(filled: Engine, tmp_path: Path, keys: Path) -> None:
    source, target = tmp_path / "copy.backup", tmp_path / "new.db"
    _make(filled, source, keys)
    assert backup.expire(keys, now=NOW + HOURS * 3600 - 1) == 0
    with pytest.raises(BackupError, match="key of this backup is gone"):
        _restore(target, source, keys, now=NOW + HOURS * 3600)
    assert not target.exists()
    assert "key" not in keys.read_text()


@pytest.mark.parametrize("place", [0, 25, 40, 400, -1])
def test_an_altered_or_cut_backup_is_refused(filled: Engine, tmp_path: Path, keys: Path, place: int) -> None:
    source, target = tmp_path / "copy.backup", tmp_path / "new.db"
    _make(filled, source, keys)
    raw = bytearray(source.read_bytes())
    raw[place] ^= 1
    source.write_bytes(bytes(raw))
    with pytest.raises(BackupError):
        _restore(target, source, keys)
    source.write_bytes(bytes(raw[:100]))
    with pytest.raises(BackupError):
        _restore(target, source, keys)
    assert not target.exists()


def test_a_database_with_something_in_it_is_not_lost_by_mistake(filled: Engine, tmp_path: Path, keys: Path) -> None:
    source = tmp_path / "copy.backup"
    _make(filled, source, keys)
    with filled.begin() as connection:
        connection.execute(update(schema.device).values(label="later"))
    path = Path(str(filled.url.database))
    with pytest.raises(BackupError, match="--replace"):
        _restore(path, source, keys)
    filled.dispose()
    _restore(path, source, keys, overwrite=True)
    with reading(filled).connect() as connection:
        assert connection.execute(select(schema.device.c.label)).scalar_one() == "canary-label-5521"


def test_a_copy_made_while_others_write_is_whole(filled: Engine, tmp_path: Path, keys: Path) -> None:
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set() and number < 5000:
            number += 1
            with filled.begin() as connection:
                connection.execute(update(schema.device).values(label=f"v-{number}"))
                connection.execute(update(schema.site).values(title=f"v-{number}"))
            wrote.set()
            stop.wait(0.005)  # SQLite hands its lock to nobody in particular

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(20)
        for number in range(3):
            source, target = tmp_path / f"{number}.backup", tmp_path / f"{number}.db"
            _make(filled, source, keys)
            _restore(target, source, keys)
            engine = open_engine(f"sqlite:///{target}")
            with reading(engine).connect() as connection:
                label = connection.execute(select(schema.device.c.label)).scalar_one()
                assert label == connection.execute(select(schema.site.c.title)).scalar_one()
            engine.dispose()
    finally:
        stop.set()
        writer.join()


def test_the_list_of_keys_is_bounded(
    filled: Engine, tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "MOST_KEYS", 2)
    for number in range(2):
        _make(filled, tmp_path / f"{number}.backup", keys)
    with pytest.raises(BackupError, match="2 keys"):
        _make(filled, tmp_path / "3.backup", keys)
    _make(filled, tmp_path / "4.backup", keys, now=NOW + HOURS * 3600)


def test_a_key_list_that_is_not_one_is_said(filled: Engine, tmp_path: Path, keys: Path) -> None:
    for text in ("[]", "{"):
        keys.write_text(text)
        with pytest.raises(BackupError, match="keys"):
            _make(filled, tmp_path / "copy.backup", keys)
