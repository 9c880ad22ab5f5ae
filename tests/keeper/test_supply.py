"""Versions of a list, good and bad: which comes into use, which is refused, and what is said."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.list_health import health
from appliance.keeper.list_state import Phase
from appliance.keeper.lists import jobs
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.supply import PATIENCE, Supply
from appliance.messages import ListFetched, ListWanted
from appliance.settings import ListSource
from wire.keys import public_text
from wire.lists import Manifest, SignedManifest, sign

START = datetime(2026, 5, 1, tzinfo=UTC)
MANIFEST_URL = "https://lists.example/gambling.json"
DATA_URL = "https://lists.example/gambling.txt"
TEN = b"".join(b"bets%d.example\n" % number for number in range(10))


class Box:
    """A supply whose courier and compiler are the test."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.publisher = Ed25519PrivateKey.generate()
        fields = {"id": "gambling", "manifest": MANIFEST_URL, "publishers": (public_text(self.publisher),)}
        self.source = ListSource.model_validate(settings or fields)
        self.at, self.monotonic = START.timestamp(), 1000.0
        self.start()

    def start(self) -> None:
        """The process begins (again)."""
        library = Library(self.folder / "lists", key_file=self.folder / "lists.key")
        self.lists = Lists()
        self.supply = Supply([self.source], library=library, lists=self.lists, chance=random.Random(1))  # noqa: S311 - jitter
        self.supply.start(at=self.at, monotonic=self.monotonic)

    def wait(self, seconds: float, *, courier: bool = True) -> list[ListWanted]:
        self.monotonic += seconds
        self.at += seconds
        return self.supply.tick(at=self.at, monotonic=self.monotonic, courier=courier)

    def asked(self) -> ListWanted:
        """The next wish, however long it takes."""
        for _ in range(200):
            if wanted := self.wait(1000):
                (one,) = wanted
                return one
        raise AssertionError("it does not ask")

    def bring(self, wanted: ListWanted, body: bytes, *, etag: str | None = None) -> list[ListWanted]:
        with tempfile.TemporaryFile() as file:
            file.write(body)
            file.flush()
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            message = ListFetched(list_id=wanted.list_id, url=wanted.url, outcome="new", etag=etag)
            return self.supply.fetched(message, os.dup(file.fileno()), monotonic=self.monotonic)

    def compile(self) -> None:
        while (work := self.supply.work()) is not None:
            result = jobs.run(work.job, work.descriptor)
            os.close(work.descriptor)
            self.supply.made(work.job, result, at=self.at, monotonic=self.monotonic)

    def manifest(self, body: bytes, **changes: Any) -> Manifest:
        fields = {
            "list_id": "gambling", "number": 1, "version": "v1", "title": "Gambling sites", "category": "gambling",
            "severity": "today", "owner": "Example Trust", "format": "domains", "url": DATA_URL,
            "sha256": hashlib.sha256(body).hexdigest(), "octets": len(body), "entries": 10,
            "published": START, "renew_by": START + timedelta(days=30),
        }  # fmt: skip
        return Manifest.model_validate(fields | changes)

    def signed(self, manifest: Manifest, key: Ed25519PrivateKey | None = None) -> bytes:
        signed: SignedManifest = sign(manifest, key or self.publisher)
        return signed.model_dump_json().encode()

    def publish(self, body: bytes = TEN, **changes: Any) -> None:
        """A version goes all the way."""
        wanted = self.asked()
        assert wanted.url == MANIFEST_URL
        (data,) = self.bring(wanted, self.signed(self.manifest(body, **changes)), etag='"1"')
        assert (data.url, data.most) == (DATA_URL, len(body))
        assert self.bring(data, body) == []
        self.compile()

    @property
    def said(self) -> Any:
        (found,) = health(self.supply, self.at)
        return found

    def holds(self, name: str) -> bool:
        return any(self.lists.match(name, ["gambling"]))

    def files(self) -> set[str]:
        return {path.suffix for path in (self.folder / "lists" / "gambling").iterdir()}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.fixture
def in_use(box: Box) -> Box:
    """Number 5 is in use."""
    box.publish(number=5, version="v5")
    assert box.holds("www.bets1.example")
    return box


@pytest.mark.req("R31")
def test_a_signed_version_comes_into_use_and_says_what_it_is(box: Box) -> None:
    assert box.said.problem == "It has not come yet."
    box.publish(TEN + b"bets 1\ncom\n*.b*d.example\nhttps://x.example/page\n", entries=10)
    said = box.said
    assert (said.version, said.entries, said.title) == ("v1", 10, "Gambling sites")
    assert (said.malformed, said.malformed_lines, said.unsupported) == (2, (11, 12), 2)
    assert (said.stale, said.problem) == (False, None)
    (match,) = box.lists.match("www.bets1.example", ["gambling"])
    assert (match.list.version, match.list.owner, match.list.source) == ("v1", "Example Trust", DATA_URL)
    assert [item.name for item in box.supply.library.entries("gambling") if hasattr(item, "name")][:1] == [
        "bets0.example"
    ]


def test_it_outlives_the_process_and_asks_with_its_etag(in_use: Box) -> None:
    in_use.start()
    assert in_use.holds("bets1.example")
    wanted = in_use.asked()
    assert (wanted.url, wanted.etag) == (MANIFEST_URL, '"1"')
    same = ListFetched(list_id="gambling", url=MANIFEST_URL, outcome="same", etag='"1"')
    assert in_use.supply.fetched(same, None, monotonic=in_use.monotonic) == []
    assert in_use.said.problem is None
    assert in_use.wait(3600) == []


@pytest.mark.req("R31")
def test_a_list_that_is_not_renewed_is_stale(in_use: Box) -> None:
    in_use.at = (START + timedelta(days=31)).timestamp()
    assert in_use.said.stale
    assert in_use.holds("bets1.example"), "an old list is better than none"


def check_refused(box: Box, says: str) -> None:
    """The old version is in force and why the new one is not is said."""
    assert says in box.said.problem
    assert says in box.supply.states["gambling"].refused
    assert box.said.version == "v5"
    assert box.holds("bets1.example")
    assert box.supply.states["gambling"].phase is Phase.REST
    assert box.files() == {".json", ".table", ".plain"}
    assert len(list((box.folder / "lists" / "gambling").iterdir())) == 3


def bad_manifests() -> dict[str, tuple[Callable[[Box], bytes], str]]:
    other = Ed25519PrivateKey.generate()
    return {
        "wrongly-signed": (lambda box: box.signed(box.manifest(TEN, number=6), other), "signature does not hold"),
        "garbage": (lambda _box: b"\xff\x00 no manifest", "what is there is no manifest"),
        "empty": (lambda _box: b"", "what is there is no manifest"),
        "too-long": (lambda _box: b" " * 70_000, "the most is"),
        "another-list": (lambda box: box.signed(box.manifest(TEN, list_id="adult", number=6)), "for the list adult"),
        "older": (lambda box: box.signed(box.manifest(TEN, number=4, version="v4")), "it is older than ours"),
        "same-number": (lambda box: box.signed(box.manifest(b"x.example", number=5)), "another file has the number 5"),
        "too-large": (lambda box: box.signed(box.manifest(TEN, number=6, octets=1024**3)), "octets, the most is"),
    }


@pytest.mark.req("R31")
@pytest.mark.parametrize("case", bad_manifests())
def test_a_bad_manifest_is_refused(in_use: Box, case: str) -> None:
    make, says = bad_manifests()[case]
    assert in_use.bring(in_use.asked(), make(in_use)) == []
    check_refused(in_use, says)
    in_use.publish(TEN + b"new.example\n", number=6, version="v6")
    assert in_use.said.problem is None, "a good one mends it"
    assert in_use.holds("new.example")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (TEN.replace(b"bets1", b"bads1"), "not the one that its manifest is about"),
        (TEN[:-3], "not the one that its manifest is about"),
        (TEN + b"x", "it has more than"),
        (b"", "not the one that its manifest is about"),
    ],
    ids=["changed", "truncated", "longer", "empty"],
)
def test_a_file_that_is_not_the_manifest_s_is_refused(in_use: Box, body: bytes, says: str) -> None:
    (data,) = in_use.bring(in_use.asked(), in_use.signed(in_use.manifest(TEN, number=6)))
    in_use.bring(data, body)
    in_use.compile()
    check_refused(in_use, says)


@pytest.mark.parametrize("body", [b"\xff\xfe\x00\n" * 20, b"<html>not here</html>\n"], ids=["not-utf-8", "a-page"])
def test_a_list_of_which_nothing_can_be_used_is_refused(in_use: Box, body: bytes) -> None:
    in_use.publish(body, number=6, version="v6")
    check_refused(in_use, "no line of it can be used")


@pytest.mark.parametrize("left", [0, 1, 7])
def test_a_version_that_lost_a_fifth_is_refused(in_use: Box, left: int) -> None:
    body = b"".join(TEN.splitlines(keepends=True)[:left])
    in_use.publish(body, number=6, version="v6")
    check_refused(in_use, f"lost {1 - left / 10:.0%} of the entries")


def test_losing_a_fifth_and_no_more_is_taken(in_use: Box) -> None:
    in_use.publish(b"".join(TEN.splitlines(keepends=True)[2:]), number=6, version="v6")
    assert (in_use.said.version, in_use.holds("bets0.example")) == ("v6", False)


def test_an_engineer_can_accept_the_loss(in_use: Box) -> None:
    assert in_use.supply.accept("gambling", "v6", in_use.monotonic) == "No version of gambling was refused."
    in_use.publish(b"bets1.example\n", number=6, version="v6")
    check_refused(in_use, "gatehouse lists accept gambling v6")
    assert "There is no list adult" in str(in_use.supply.accept("adult", "v6", in_use.monotonic))
    assert "is v6, not v7" in str(in_use.supply.accept("gambling", "v7", in_use.monotonic))
    assert in_use.supply.accept("gambling", "v6", in_use.monotonic) is None
    in_use.publish(b"bets1.example\n", number=6, version="v6")
    assert (in_use.said.version, in_use.said.entries, in_use.said.problem) == ("v6", 1, None)


def test_a_server_that_is_down_is_asked_later_each_time(in_use: Box) -> None:
    waits = []
    wanted = in_use.asked()
    for _ in range(8):
        failed = ListFetched(list_id="gambling", url=wanted.url, outcome="failed", detail="the server is not reached")
        in_use.supply.fetched(failed, None, monotonic=in_use.monotonic)
        assert in_use.said.problem == "the server is not reached"
        before = in_use.monotonic
        found: list[ListWanted] = []
        while not found:
            found = in_use.wait(10)
        waits.append(in_use.monotonic - before)
        (wanted,) = found
    assert waits[0] <= 310
    assert waits[-1] > 2 * 3600
    assert in_use.holds("bets1.example")
    assert not in_use.supply.states["gambling"].refused, "nothing was refused"


def test_a_courier_that_goes_or_says_nothing_is_asked_again(in_use: Box) -> None:
    wanted = in_use.asked()
    assert in_use.wait(PATIENCE - 1) == []
    in_use.wait(2)
    assert in_use.said.problem == "the courier did not answer"
    in_use.bring(wanted, b"too late")
    assert in_use.said.problem == "the courier did not answer"
    in_use.asked()
    in_use.supply.courier_gone(in_use.monotonic)
    assert in_use.wait(61, courier=False) == []
    assert len(in_use.wait(1)) == 1


def test_no_descriptor_is_left_open(in_use: Box) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    in_use.bring(in_use.asked(), b"garbage")
    in_use.publish(TEN + b"new.example\n", number=6)
    unknown = ListWanted(list_id="unknown", url="https://lists.example/", etag=None, most=1)
    in_use.bring(unknown, b"x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.req("N16")
def test_of_a_confidential_list_only_hashes_stay(box: Box) -> None:
    box.publish(confidential=True)
    assert box.files() == {".json", ".table"}
    assert b"bets" not in b"".join(path.read_bytes() for path in (box.folder / "lists" / "gambling").iterdir())
    (match,) = box.lists.match("www.bets1.example", ["gambling"])
    assert match.entry.startswith("keyed:")
    assert list(box.supply.library.entries("gambling")) == []


def test_a_full_disk_is_said_and_changes_nothing(in_use: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_rest: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "compile_table", full)
        in_use.publish(number=6, version="v6")
    assert "No space left on device" in in_use.said.problem
    assert len(list((in_use.folder / "lists" / "gambling").iterdir())) == 3
    with monkeypatch.context() as patched:
        patched.setattr(Library, "take", full)
        in_use.publish(number=6, version="v6")
    assert "disk may be full" in in_use.said.problem
    assert in_use.said.version == "v5"
    in_use.publish(number=6, version="v6")
    assert in_use.said.version == "v6"


def test_a_damaged_table_is_fetched_again(in_use: Box) -> None:
    (table,) = (in_use.folder / "lists" / "gambling").glob("*.table")
    table.write_bytes(table.read_bytes()[:-1])
    in_use.start()
    assert not in_use.holds("bets1.example")
    assert "cut short" in in_use.said.problem
    in_use.publish(number=5, version="v5")
    assert in_use.holds("bets1.example")


# --- local files ------------------------------------------------------------------------------


@pytest.fixture
def local(tmp_path: Path) -> Box:
    (tmp_path / "own.txt").write_bytes(TEN)
    return Box(
        tmp_path, id="gambling", version="1", title="Own list", severity="today", path=tmp_path / "own.txt",
        stale_days=30.0,
    )  # fmt: skip


def test_a_local_file_is_in_use_from_the_start_and_looked_at_again(local: Box) -> None:
    assert local.holds("bets1.example")
    stems = {path.stem for path in (local.folder / "lists" / "gambling").glob("*.table")}
    local.start()
    assert {path.stem for path in (local.folder / "lists" / "gambling").glob("*.table")} == stems, "not compiled again"
    (local.folder / "own.txt").write_bytes(TEN + b"new.example\n")
    local.wait(31)
    local.compile()
    assert local.holds("new.example")
    (local.folder / "own.txt").unlink()
    local.wait(31)
    assert "cannot be read" in local.said.problem
    assert local.holds("new.example")


def test_a_local_file_that_lost_much_is_refused_until_accepted(local: Box) -> None:
    (local.folder / "own.txt").write_bytes(b"bets1.example\n")
    local.wait(31)
    local.compile()
    assert "has lost 90% of the entries" in local.said.problem
    assert local.holds("bets2.example")
    local.start()
    assert local.holds("bets2.example")
    assert local.supply.accept("gambling", "1", local.monotonic) is None
    local.wait(1)
    local.compile()
    assert (local.said.entries, local.said.problem) == (1, None)


def test_an_old_local_file_is_stale_where_the_settings_say_so(local: Box) -> None:
    local.at = (local.folder / "own.txt").stat().st_mtime + 29 * 86400
    assert not local.said.stale
    local.at += 2 * 86400
    assert local.said.stale


def confidential(folder: Path) -> Box:
    (folder / "own.txt").write_bytes(TEN)
    said = {"version": "1", "title": "Own list", "severity": "today", "confidential": True}
    return Box(folder, id="gambling", path=folder / "own.txt", **said)


@pytest.mark.req("N16")
def test_a_confidential_local_file_is_taken_once_and_deleted(tmp_path: Path) -> None:
    box = confidential(tmp_path)
    assert not (tmp_path / "own.txt").exists()
    assert box.holds("bets1.example")
    box.start()
    assert (box.holds("bets1.example"), box.said.problem) == (True, None)
    assert (box.wait(31), box.said.problem) == ([], None)


@pytest.mark.req("N16")
def test_a_plain_text_that_cannot_be_deleted_is_said_while_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuses)
        box = confidential(tmp_path)
        for _ in range(3):
            assert "its plain text could not be deleted (Permission denied)" in box.said.problem
            box.wait(31)
    for _ in range(2):
        box.wait(31)
    assert (box.said.problem, (tmp_path / "own.txt").exists()) == (None, False)
