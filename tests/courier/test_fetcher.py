"""The thread that fetches: one at a time, bounded, and forgotten when nobody wants it any more."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.courier import fetcher as under_test
from appliance.courier.fetch import Fetched, nameless
from appliance.courier.fetcher import MAX_QUEUE, Fetcher
from appliance.messages import ListFetched, ListWanted


def wanted(list_id: str = "gambling") -> ListWanted:
    return ListWanted(list_id=list_id, url="http://lists.example/x", etag=None, most=100)


class Held:
    """A fetch that goes on when it is let."""

    def __init__(self, folder: Path) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.descriptors: list[int] = []
        self._folder = folder

    def __call__(self, wanted: ListWanted, **_rest: object) -> Fetched:
        self.begun.release()
        assert self.go.acquire(timeout=20)
        self.descriptors.append(nameless(self._folder))
        message = ListFetched(list_id=wanted.list_id, url=wanted.url, outcome="new")
        return Fetched(message=message, descriptor=self.descriptors[-1])


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held(tmp_path)
    monkeypatch.setattr(under_test, "fetch", made)
    return made


@pytest.fixture
def make(tmp_path: Path, held: Held) -> Iterator[Callable[[], Fetcher]]:
    made: list[Fetcher] = []

    def new() -> Fetcher:
        made.append(Fetcher(authorities={"gambling": None}, folder=tmp_path / "courier"))
        return made[-1]

    yield new
    for fetcher in made:
        fetcher.forget()  # else its thread would go on with the next test's fetch
    held.go.release()


def taken(fetcher: Fetcher, number: int) -> list[Fetched]:
    found: list[Fetched] = []
    while len(found) < number:
        ready, _, _ = select.select([fetcher], [], [], 20)
        assert ready
        found += fetcher.take()
    return found


def test_wishes_are_met_one_after_the_other(make: Callable[[], Fetcher], held: Held) -> None:
    fetcher = make()
    fetcher.want(wanted())
    fetcher.want(wanted())
    assert held.begun.acquire(timeout=20)
    assert not held.begun.acquire(blocking=False), "the second waits"
    held.go.release()
    held.go.release()
    for fetched in taken(fetcher, 2):
        assert fetched.message.outcome == "new"
        assert fetched.descriptor is not None
        os.close(fetched.descriptor)


def test_too_many_are_refused_at_once_and_counted(make: Callable[[], Fetcher], held: Held) -> None:
    fetcher = make()
    fetcher.want(wanted())
    assert held.begun.acquire(timeout=20)
    for _ in range(MAX_QUEUE + 3):
        fetcher.want(wanted())
    assert fetcher.overflow == 3
    assert {item.message.detail for item in taken(fetcher, 3)} == {"too many files are wanted at once"}


def test_what_nobody_wants_any_more_is_dropped(make: Callable[[], Fetcher], held: Held) -> None:
    fetcher = make()
    fetcher.want(wanted())
    assert held.begun.acquire(timeout=20)
    fetcher.want(wanted())
    fetcher.forget()
    fetcher.want(wanted())
    held.go.release()
    assert held.begun.acquire(timeout=20), "the wish after it, not the one that was forgotten"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held.descriptors[0])
    held.go.release()
    (fetched,) = taken(fetcher, 1)
    assert fetched.descriptor is not None
    os.close(fetched.descriptor)


def test_only_lists_of_the_settings_are_fetched(make: Callable[[], Fetcher], tmp_path: Path) -> None:
    fetcher = make()
    fetcher.want(wanted("another"))
    assert taken(fetcher, 1)[0].message.detail == "box.toml names no such list"
    broken = Fetcher(authorities={"gambling": tmp_path / "none.pem"}, folder=tmp_path / "courier")
    broken.want(wanted())
    assert "none.pem: cannot be read" in taken(broken, 1)[0].message.detail
