from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.devices.model import moment
from appliance.keeper.store import watch
from wire.box import Watch
from wire.findings import Severity


def entry(number: int, *, name: str | None = None, excluded: bool = False, expires: float = 100.0) -> Watch:
    return Watch(
        watch_id=f"a-{number}",
        name=name or f"n{number}.example",
        below=number % 2 == 0,
        excluded=excluded,
        severity=Severity.THIS_WEEK,
        reason="Agreed.",
        by="officer-1",
        at=moment(float(number)),
        expires=moment(expires),
    )


@pytest.mark.req("R35")
def test_what_is_put_comes_back(store: Any) -> None:
    held = (entry(1), entry(2, excluded=True), entry(3, name="n2.example"))
    with store.transaction():
        assert all(store.watched.put(item) for item in held)
    assert store.watched.all() == held
    with store.transaction():
        assert store.watched.remove("a-2")
        assert not store.watched.remove("a-2")
    assert store.watched.all() == (held[0], held[2])


@pytest.mark.req("R35")
def test_those_that_have_ended_go(store: Any) -> None:
    with store.transaction():
        store.watched.put(entry(1, expires=10.0))
        store.watched.put(entry(2, expires=20.0))
        assert not store.watched.prune(9.9)
        assert store.watched.prune(10.0)
    assert [item.watch_id for item in store.watched.all()] == ["a-2"]


def test_bound(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_WATCHED", 2)
    with store.transaction():
        assert [store.watched.put(entry(number)) for number in (1, 2, 3)] == [True, True, False]
        assert store.watched.put(entry(4, name="n1.example")), "in place of the one for that name"
    assert [item.watch_id for item in store.watched.all()] == ["a-2", "a-4"]
