from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.releases import Record, Running
from wire.release import Release, SignedRelease, sign

NOW = 1_795_000_000.0
OLD, NEW = "2026.10.1", "2026.11.1"


class PowerCutError(BaseException):
    """The power goes: nothing after this runs."""


@dataclass
class Board:
    """A machine with two system partitions and a boot loader that counts; it may lose its power at any step."""

    versions: dict[str, str] = field(default_factory=lambda: {"A": OLD, "B": ""})
    starts_next: str = "A"
    good: dict[str, bool] = field(default_factory=lambda: {"A": True, "B": False})
    slot: str = "A"
    boots: int = 1
    tries: int = 0
    cut_at: int | None = None
    """The power goes when so many things were done."""
    after: bool = False
    """It goes after the thing was done, not before."""
    things: int = 0
    unwell: bool = False
    """The new version starts and is not well."""
    does_not_start: bool = False
    trace: list[str] = field(default_factory=list)
    going_down: bool = False
    checks: str = ""
    quiet_now: bool = True
    holds: str = ""
    """The version that a bundle really has, where that is not what its statement says."""

    def cut(self, name: str, act: Callable[[], None] = lambda: None) -> None:
        self.things += 1
        if self.things == self.cut_at and not self.after:
            raise PowerCutError
        act()
        self.trace.append(name)
        if self.things == self.cut_at:
            raise PowerCutError

    def running(self) -> Running:
        return Running(version=self.versions[self.slot], slot=self.slot, board="pi4", boot=f"boot-{self.boots}")

    def quiet(self, _record: Record) -> bool:
        return self.quiet_now

    def check(self, _release: Release) -> str:
        self.cut("check")
        return self.checks

    def well(self) -> frozenset[str]:
        return frozenset({"rules", "names", "addresses", "keeper", "internet"})

    def write(self, release: Release, progress: Callable[[int], None]) -> str:
        other = "B" if self.slot == "A" else "A"

        def half() -> None:
            self.versions[other], self.good[other] = "", False

        def whole() -> None:
            self.versions[other], self.good[other] = self.holds or release.version, True
            self.starts_next, self.tries = other, 0

        self.cut("half written", half)
        progress(50)
        self.cut("written", whole)
        progress(100)
        return ""

    def prove(self, _before: frozenset[str]) -> str:
        self.cut("prove")
        return "names are not answered to the household." if self.unwell and self.slot == "B" else ""

    def mark(self, *, good: bool) -> str:
        def do() -> None:
            self.good[self.slot] = good
            self.tries = 0
            if not good:
                self.starts_next = "B" if self.slot == "A" else "A"

        self.cut("good" if good else "bad", do)
        return ""

    def restart(self) -> str:
        self.cut("restart", lambda: setattr(self, "going_down", True))
        return ""

    def boot(self) -> None:
        """Start: what starts next, unless it never came up in three tries or does not start at all."""
        self.boots += 1
        self.going_down = False
        slot = self.starts_next
        self.tries += 1
        broken = not self.versions[slot] or (self.does_not_start and slot == "B")
        if broken or self.tries > 8:
            self.starts_next = slot = "B" if slot == "A" else "A"
            self.tries = 1
        assert self.versions[slot], "nothing that starts is left"
        self.slot = slot


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture(scope="session")
def make_board() -> type[Board]:
    return Board


@pytest.fixture(scope="session")
def power_cut() -> type[BaseException]:
    return PowerCutError


@pytest.fixture
def release_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def signed(release_key: Ed25519PrivateKey) -> Callable[..., SignedRelease]:
    def make(**values: Any) -> SignedRelease:
        key = values.pop("key", release_key)
        issued = datetime.fromtimestamp(NOW, UTC)
        said = {
            "version": NEW,
            "board": "pi4",
            "url": "https://updates.example/b.raucb",
            "sha256": "ab" * 32,
            "size": 1000,
            "floor": OLD,
            "issued": issued,
            "expires": issued + timedelta(days=30),
        }
        return sign(Release.model_validate(said | values), key)

    return make


@pytest.fixture
def now() -> float:
    return NOW
