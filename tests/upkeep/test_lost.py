"""No data partition: the second try, one restart into the other version, and never a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from click.testing import CliRunner

from appliance.cli import health
from appliance.upkeep import lost
from appliance.upkeep.lost import SLOT_PROGRAM, give_way

pytestmark = pytest.mark.req("R4", "R57", "N15")


@dataclass
class Machine:
    """Two system partitions and a loader that counts, as image-build/imaging/boot.py has it."""

    order: list[str] = field(default_factory=lambda: ["B", "A"])
    left: dict[str, int] = field(default_factory=lambda: {"A": 3, "B": 3})
    opens: dict[str, int] = field(default_factory=lambda: {"A": 1, "B": 99})
    """At which try a version opens the data partition."""
    refusal: str = ""
    forgetful: bool = False
    """The memory keeps nothing of what it is told."""
    running: str = ""
    starts: list[str] = field(default_factory=list)
    tried: int = 0
    began: list[str] = field(default_factory=list)
    wants_restart: bool = False

    def start(self) -> None:
        """Power on: the loader, then the partition."""
        slot = next((each for each in self.order if self.left[each]), None)
        if slot is None:
            self.order, self.left, slot = ["A", "B"], {"A": 3, "B": 3}, "A"
        self.left[slot] -= 0 if self.forgetful else 1
        self.running, self.tried, self.wants_restart = slot, 1, False
        self.starts.append(slot)

    def there(self) -> bool:
        return self.tried >= self.opens[self.running]

    def run(self, words: Sequence[str]) -> tuple[int, str]:
        match list(words):
            case ["systemctl", "restart", "gatehouse-data.service"]:
                self.tried += 1
            case ["systemctl", *_]:
                self.began.append(" ".join(words))
            case [program, "get-state", slot] if program == SLOT_PROGRAM:
                return 0, "good" if slot in self.order and self.left[slot] else "bad"
            case [program, "get-primary"] if program == SLOT_PROGRAM:
                first = next((each for each in self.order if self.left[each]), "")
                return (0, first) if first else (1, "")
            case [program, *change] if program == SLOT_PROGRAM:
                if self.refusal:
                    return 1, self.refusal
                if not self.forgetful:
                    self._changed(change)
            case _:
                pytest.fail(f"nobody asked for {words}")
        return 0, ""

    def _changed(self, change: Sequence[str]) -> None:
        match change:
            case ["set-primary", slot]:
                self.order = [slot, *(each for each in self.order if each != slot)]
                self.left[slot] = 3
            case ["set-state", slot, "bad"]:
                self.order.remove(slot)
                self.left[slot] = 0
            case _:
                pytest.fail(f"nobody asked for {change}")

    def restart(self) -> str:
        self.wants_restart = True
        return ""

    def live(self, most: int = 50) -> str:
        """Start, and start anew as long as it wants to; what was said last."""
        for _ in range(most):
            self.start()
            said = give_way(self.running, there=self.there, run=self.run, restart=self.restart)
            if not self.wants_restart:
                return said
        pytest.fail(f"it never stops: {self.starts}")


def test_a_new_version_that_cannot_open_it_gives_way_by_itself() -> None:
    machine = Machine()
    assert machine.live() == "The data partition is there."
    assert machine.starts == ["B", "A"]
    machine.start()
    assert machine.running == "A", "and so it stays"


def test_one_that_opens_it_at_the_second_try_goes_on_without_a_restart() -> None:
    machine = Machine(opens={"A": 1, "B": 2})
    assert "second try" in machine.live()
    assert machine.starts == ["B"]
    assert [words.split()[1] for words in machine.began] == ["restart", "--no-block"]


def test_a_card_that_nobody_can_open_costs_one_restart_and_the_box_stays_up() -> None:
    """Also where what runs had proved good for years."""
    machine = Machine(opens={"A": 99, "B": 99})
    for start in range(8):  # and after each cut of the power at most one again
        before = len(machine.starts)
        assert "no other version" in machine.live()
        assert len(machine.starts) - before <= 2, start


def test_a_box_that_was_never_updated_has_nothing_to_give_way_to() -> None:
    machine = Machine(order=["A"], left={"A": 3, "B": 0}, opens={"A": 99, "B": 99})
    assert "no other version" in machine.live()
    assert machine.starts == ["A"]


def test_a_memory_that_keeps_nothing_makes_no_loop() -> None:
    machine = Machine(opens={"A": 99, "B": 99}, forgetful=True)
    assert "does not keep" in machine.live()
    assert machine.starts == ["B"]


def test_what_went_wrong_with_the_loader_is_said() -> None:
    machine = Machine(refusal="Read-only file system")
    machine.start()
    said = give_way("B", there=lambda: False, run=machine.run, restart=machine.restart)
    assert said.endswith("Read-only file system Read-only file system")
    assert not machine.wants_restart


def test_where_no_loader_counts_nothing_is_done() -> None:
    assert "no other version" in give_way("", there=lambda: False, run=lambda _: (0, ""))


def test_a_program_that_is_not_there_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lost.run(["/nowhere/at/all"])[0] == 1
    monkeypatch.setattr(lost, "OPEN_SECONDS", 0.05)
    assert lost.run(["sleep", "60"])[0] == 1


def test_the_unit_s_command_says_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost, "give_way", lambda slot: f"done for {slot!r}")
    monkeypatch.setattr("appliance.releases.slot", lambda _root=None: "B")
    result = CliRunner().invoke(health.health, ["--without-data"])
    assert (result.exit_code, result.output) == (0, "done for 'B'\n")
