from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Core, Peer, Send
from appliance.keeper.steady import Steady, open_store
from appliance.keeper.store.database import Store, StoreError
from appliance.keeper.store.room import StoreFullError

AT = {"now": 1.0, "monotonic": 1.0}


class Short:
    """A core of which some turns find no room."""

    def __init__(self, failing: list[bool]) -> None:
        self.failing = failing
        self.heard_: list[tuple[m.Message, ...]] = []
        self.busy = self.anew = False

    def _turn(self) -> list[Send]:
        if self.failing.pop(0) if self.failing else False:
            raise StoreFullError("no room")
        return [Send(peer=Peer.STATUS, messages=())]

    def heard(self, _peer: Peer, batch: Any, **_at: float) -> list[Send]:
        self.heard_.append(tuple(batch))
        return self._turn()

    def tick(self, **_at: float) -> list[Send]:
        return self._turn()

    connected = gone = document = lambda self, *_what, **_at: self._turn()

    def stopping(self, **_at: float) -> None:
        self._turn()


def steady(store: Store, failing: list[bool]) -> tuple[Steady, list[Any]]:
    made: list[Any] = []

    def make() -> Core:
        made.append(Short(failing))
        return made[-1]  # type: ignore[no-any-return]  # it is asked nothing else

    return Steady(store, make), made


@pytest.mark.req("R69", "N3")
def test_a_turn_that_found_no_room_is_done_again_by_a_fresh_core(store: Store) -> None:
    going, made = steady(store, [False, True, False])
    asked = m.StatusRequest()
    assert going.tick(**AT)
    assert going.heard(Peer.STATUS, iter((asked,)), **AT), "its answer comes all the same"
    assert [core.heard_ for core in made] == [[(asked,)], [(asked,)]]
    assert store.room.narrow
    assert going.take_fresh()
    assert not going.take_fresh()
    assert going.lost == 0


def test_without_any_room_turns_are_lost_and_counted_until_there_is(store: Store) -> None:
    going, made = steady(store, [True, True, True, False])
    assert going.tick(**AT) == []
    assert not going.busy
    assert not going.anew
    assert going.lost == 1
    assert going.gone(Peer.STATUS, **AT) == []
    assert going.lost == 2
    assert going.connected(Peer.STATUS, **AT) == []
    assert len(made) == 2, "nothing is tried before the next tick"
    assert not going.take_fresh(), "nobody can start over with nobody"
    assert going.lost == 3
    assert going.tick(**AT)
    assert going.take_fresh()
    assert going.document(b"", **AT)
    assert len(made) == 4
    going.stopping(**AT)
    assert going.lost == 3
    assert store.room.take_skipped() == {"turn": 3}, "for the ledger"


def test_no_room_to_be_put_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def make() -> Core:
        tried.append(1)
        if len(tried) < 3:
            raise StoreFullError("no room")
        return Short([])  # type: ignore[return-value]  # it is asked nothing else

    going = Steady(store, make)
    assert len(tried) == 2, "room was made, and it was tried again"
    monkeypatch.setattr(store, "relieve", lambda: False)
    assert going.tick(**AT) == []
    monkeypatch.undo()
    assert going.tick(**AT)
    assert going.take_fresh()


@pytest.mark.req("R69", "N8")
def test_the_fresh_core_knows_the_authority_file(store: Store) -> None:
    """Else a disk that was full once would stop the recording until the file changes."""
    told: list[Any] = []

    class Told(Short):
        def document(self, raw: bytes | None, **_at: float) -> list[Send]:
            told.append((self, raw))
            return self._turn()

    failing = [False, True, False, False]
    going = Steady(store, lambda: Told(failing))  # type: ignore[arg-type, return-value]  # it is asked nothing else
    going.document(b"authority", **AT)
    assert going.tick(**AT)
    (first, raw), (second, again) = told
    assert first is not second
    assert raw == again == b"authority"


@pytest.mark.req("R69")
def test_what_was_committed_is_not_done_twice(store: Store) -> None:
    """A turn can find no room after its transaction, for the number of a message that goes beside the outbox."""
    cores: list[Any] = []

    class Late(Short):
        def _turn(self) -> list[Send]:
            with store.transaction():
                store.set("turns", str(int(store.get("turns") or "0") + 1))
            return super()._turn()

    def make() -> Core:
        cores.append(Late([True] if not cores else []))
        return cores[-1]  # type: ignore[no-any-return]  # it is asked nothing else

    going = Steady(store, make)
    assert going.tick(**AT) == []
    assert store.get("turns") == "1"
    assert going.lost == 0
    assert going.take_fresh()
    assert going.tick(**AT)
    assert store.get("turns") == "2"


def test_what_is_not_about_room_ends_it(store: Store) -> None:
    class Broken(Short):
        def _turn(self) -> list[Send]:
            raise sqlite3.DatabaseError("database disk image is malformed")

    going = Steady(store, lambda: Broken([]))  # type: ignore[arg-type, return-value]  # it is asked nothing else
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        going.tick(**AT)


@pytest.mark.req("N17")
def test_the_key_file_lies_where_it_is_told_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir()
    opened = open_store(
        tmp_path / "state" / "keeper.db",
        outbox_octets=2**20,
        share=2**30,
        ballast=0,
        vault_key=elsewhere / "vault.key",
    )
    opened.close()
    assert len((elsewhere / "vault.key").read_bytes()) == 32
    assert not (tmp_path / "state" / "vault.key").exists()
    with pytest.raises(StoreError, match="nowhere"):
        open_store(
            tmp_path / "other" / "keeper.db",
            outbox_octets=2**20,
            share=2**30,
            ballast=0,
            vault_key=tmp_path / "nowhere" / "vault.key",
        )
