"""Keys of what is sealed: made, wrapped, destroyed, and the power cut at every step of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from appliance.keeper.store import vault as module
from appliance.keeper.store.database import Store, StoreError
from appliance.keeper.store.vault import Vault, VaultError, month_end, month_of

NOVEMBER, DECEMBER = 1_794_000_000.0, 1_796_600_000.0
PLAIN = b"quillfeather"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "box.db")
    yield opened
    opened.close()


class CutError(Exception):
    """What ends a transaction before it is committed."""


@contextmanager
def rolled_back(store: Store) -> Iterator[None]:
    with suppress(CutError), store.transaction():
        yield
        raise CutError


def key_file(store: Store) -> Path:
    return store.vault._path


def test_months() -> None:
    assert month_of(0) == 1970 * 12
    assert month_of(month_end(month_of(NOVEMBER))) == month_of(NOVEMBER) + 1
    assert month_of(month_end(month_of(NOVEMBER)) - 0.001) == month_of(NOVEMBER)
    assert month_of(DECEMBER) == month_of(NOVEMBER) + 1
    assert month_end(2026 * 12 + 11) == month_end(2026 * 12 + 10) + 31 * 86400


@pytest.mark.req("N17")
def test_one_key_a_class_and_month(store: Store) -> None:
    with store.transaction():
        first, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
        again, other = store.vault.seal("signs", NOVEMBER + 60, PLAIN)
        later, _ = store.vault.seal("signs", DECEMBER, PLAIN)
        names, _ = store.vault.seal("full_names", NOVEMBER, PLAIN)
    assert first == again
    assert sealed != other
    assert len({first, later, names}) == 3
    assert PLAIN not in sealed
    assert store.vault.open(first, sealed) == PLAIN
    assert store.vault.open(later, sealed) is None
    assert store.vault.open(99, sealed) is None
    assert store.vault.open(first, b"short") is None
    assert store.vault.open(first, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None


@pytest.mark.req("N17", "N4")
def test_a_key_of_a_month_that_has_not_come_counts_as_of_this_one(store: Store) -> None:
    with store.transaction():
        early, sealed = store.vault.seal("box", DECEMBER, PLAIN)
        right, _ = store.vault.seal("box", NOVEMBER, PLAIN)
        assert store.vault.bring_back(month_of(NOVEMBER)) == 1
        assert store.vault.bring_back(month_of(NOVEMBER)) == 0
    assert [month for _key, _class, month, _hold in store.vault.table()] == [month_of(NOVEMBER)] * 2
    assert store.vault.open(early, sealed) == PLAIN
    with store.transaction():
        later, _ = store.vault.seal("box", DECEMBER, PLAIN)
        assert later not in {early, right}, "when that month has come it has a key of its own"
        assert store.vault.destroy("box", month_of(NOVEMBER)) == 2
    assert store.vault.open(early, sealed) is None


def test_a_row_is_not_passed_off_as_another_key_s(store: Store) -> None:
    with store.transaction():
        first, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
        second, _ = store.vault.seal("presence", NOVEMBER, PLAIN)
    store.vault._keys[second] = store.vault._keys[first]
    assert store.vault.open(second, sealed) is None


def test_the_key_file_is_the_keeper_s_alone(store: Store) -> None:
    assert key_file(store).stat().st_mode & 0o777 == 0o600
    assert key_file(store).stat().st_size == 32


def test_its_place_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    store = Store(tmp_path / "box.db", vault_key=tmp_path / "elsewhere" / "key")
    store.close()
    assert (tmp_path / "elsewhere" / "key").exists()
    assert not (tmp_path / "vault.key").exists()


@pytest.mark.req("N17")
def test_destroyed_is_gone_and_the_rest_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "box.db")
    with store.transaction():
        gone, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
        kept, other = store.vault.seal("signs", DECEMBER, PLAIN)
    before = (tmp_path / "vault.key").read_bytes()
    old = store._db.execute("select wrapped from vault_key where key = ?", (gone,)).fetchone()[0]
    with store.transaction():
        assert store.vault.destroy("signs", month_of(NOVEMBER)) == 1
        assert store.vault.destroy("signs", month_of(NOVEMBER)) == 0
    assert store.vault.open(gone, sealed) is None
    assert store.vault.open(kept, other) == PLAIN
    assert (tmp_path / "vault.key").read_bytes() != before
    assert not (tmp_path / "vault.key.next").exists()
    # An old copy of the row, such as flash memory may keep, opens nothing with the file as it now is.
    store._db.execute("insert into vault_key values (?, 'signs', ?, null, ?)", (gone, month_of(NOVEMBER), old))
    store.close()
    store = Store(tmp_path / "box.db")
    assert store.vault.lost == 1
    assert store.vault.open(gone, sealed) is None
    assert store.vault.open(kept, other) == PLAIN
    with store.transaction():
        fresh, _ = store.vault.seal("signs", NOVEMBER, PLAIN)
    assert fresh > kept, "a number is never given twice"
    store.close()


def test_what_is_rolled_back_was_never_destroyed(store: Store) -> None:
    with store.transaction():
        key, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
    before = key_file(store).read_bytes()
    with rolled_back(store):
        store.vault.destroy("signs", month_of(NOVEMBER))
        assert store.vault.open(key, sealed) is None
        store.vault.seal("signs", DECEMBER, PLAIN)
    assert store.vault.open(key, sealed) == PLAIN
    assert key_file(store).read_bytes() == before
    assert not store.vault._beside().exists()
    assert [month for _key, _class, month, _hold in store.vault.table()] == [month_of(NOVEMBER)]


def test_a_part_is_rolled_back_and_the_rest_goes_on(store: Store) -> None:
    with store.transaction():
        one, sealed_one = store.vault.seal("signs", NOVEMBER, PLAIN)
        two, sealed_two = store.vault.seal("presence", NOVEMBER, PLAIN)
    with store.transaction():
        store.vault.destroy_keys([one])
        with rolled_back(store):
            store.vault.destroy_keys([two])
    assert store.vault.open(one, sealed_one) is None
    assert store.vault.open(two, sealed_two) == PLAIN
    with rolled_back(store), store.transaction():
        store.vault.destroy_keys([two])
    assert store.vault.open(two, sealed_two) == PLAIN


@pytest.mark.req("N17", "N4")
@pytest.mark.parametrize("step", ["before", "written", "committed", "overwritten", "replaced"])
def test_the_power_goes_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    folder, cut = tmp_path / "box", tmp_path / "cut"
    folder.mkdir()
    store = Store(folder / "box.db")
    with store.transaction():
        gone, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
        kept, other = store.vault.seal("presence", NOVEMBER, PLAIN)

    def copy(now: str) -> None:
        if now == step:
            shutil.copytree(folder, cut)

    write, overwrite = module._write, module._overwrite

    def written(path: Path, key: bytes) -> None:
        copy("before")
        write(path, key)
        copy("written")

    def overwritten(path: Path) -> None:
        copy("committed")
        overwrite(path)
        copy("overwritten")

    monkeypatch.setattr(module, "_write", written)
    monkeypatch.setattr(module, "_overwrite", overwritten)
    with store.transaction():
        store.vault.destroy_keys([gone])
    copy("replaced")
    monkeypatch.undo()
    store.close()

    store = Store(cut / "box.db")
    assert store.vault.open(kept, other) == PLAIN
    assert store.vault.open(gone, sealed) == (PLAIN if step in {"before", "written"} else None)
    assert store.vault.lost == 0
    assert not (cut / "vault.key.next").exists()
    with store.transaction():
        store.vault.destroy("signs", month_of(NOVEMBER))
    assert store.vault.open(gone, sealed) is None
    assert store.vault.open(kept, other) == PLAIN
    store.close()


@pytest.mark.req("N17")
def test_a_hold_has_a_key_of_its_own(store: Store) -> None:
    with store.transaction():
        rows = [store.vault.seal("signs", NOVEMBER, PLAIN), store.vault.seal("signs", NOVEMBER, b"not held")]
        (held,) = store.vault.rewrap(rows[:1], "h-1")
        (other,) = store.vault.rewrap(rows[:1], "h-2")
        store.vault.destroy("signs", month_of(NOVEMBER))
        assert store.vault.rewrap(rows, "h-1") == [None, None]
    assert held is not None
    assert other is not None
    assert held[0] != other[0]
    assert [store.vault.open(*row) for row in (*rows, held)] == [None, None, PLAIN]
    with store.transaction():
        assert store.vault.destroy_hold("h-1") == 1
    assert store.vault.open(*held) is None
    assert store.vault.open(*other) == PLAIN


@pytest.mark.req("R65")
def test_one_record_of_a_month_is_erased_and_the_others_stay(store: Store) -> None:
    month = month_of(NOVEMBER)
    with store.transaction():
        erased = store.vault.seal("signs", NOVEMBER, PLAIN)
        stays = store.vault.seal("signs", NOVEMBER, b"stays")
        old = store.vault.renew("signs", month)
        (moved,) = store.vault.reseal([stays], "signs", month)
        assert store.vault.destroy_keys(old) == 1
        after = store.vault.seal("signs", NOVEMBER, b"later")
    assert moved is not None
    assert after[0] == moved[0]
    assert store.vault.open(*moved) == b"stays"
    assert store.vault.open(*erased) is None


def test_without_its_file_it_goes_on_with_new_keys(tmp_path: Path) -> None:
    store = Store(tmp_path / "box.db")
    with store.transaction():
        key, sealed = store.vault.seal("signs", NOVEMBER, PLAIN)
    store.close()
    (tmp_path / "vault.key").write_bytes(b"not a key")
    store = Store(tmp_path / "box.db")
    assert store.vault.lost == 1
    assert store.vault.open(key, sealed) is None
    with store.transaction():
        fresh, after = store.vault.seal("signs", NOVEMBER, PLAIN)
    assert fresh != key
    with store.transaction():
        store.vault.destroy("presence", month_of(NOVEMBER))
        store.vault.destroy_keys([12345])
    assert store.vault.open(fresh, after) == PLAIN
    assert [number for number, *_rest in store.vault.table()] == [fresh], "what nothing opens is of no use"
    store.close()


def test_keys_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 3)
    month = 31 * 86400
    with store.transaction():
        keys = [store.vault.seal("signs", NOVEMBER + month * number, PLAIN)[0] for number in range(5)]
        store.vault.seal("presence", NOVEMBER, PLAIN)  # the first of its class always has one
    assert keys == [1, 2, 3, 3, 3]
    assert store.vault.shared == 2
    assert len(store.vault.table()) == 4


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "box.db")
    (tmp_path / "there").mkdir()
    with pytest.raises(VaultError, match="cannot be read"):
        Vault(store._db, tmp_path / "there")
    store.close()
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "other.db", vault_key=tmp_path / "nowhere" / "key")


def test_the_wrapped_key_is_no_key(store: Store) -> None:
    with store.transaction():
        key, _ = store.vault.seal("signs", NOVEMBER, PLAIN)
    (wrapped,) = store._db.execute("select wrapped from vault_key").fetchone()
    assert store.vault._keys[key] not in wrapped
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        store._db.execute("insert into vault_key (data_class, month, wrapped) values ('signs', 1, 'text')")
