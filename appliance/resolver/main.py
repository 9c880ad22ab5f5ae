"""The resolver room's loop: the keeper's plan in, filtering dnsmasqs running, how they are out.

No question of the household comes into this process: dnsmasq answers, and writes nothing down.
Bounded: `MAX_FILTERS` children; a plan is at most `plan.MAX_PLAN` octets; one question at a time to each child and,
each `STRICT_SECONDS`, one to each search engine's strict name.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable
from pathlib import Path

from appliance import clock, link
from appliance.messages import FilterPlan, MessageError, ResolverState
from appliance.plan import MAX_PLAN, Plan, PlanError, unpack
from appliance.resolver import asking
from appliance.resolver.child import Child
from appliance.resolver.config import PORTS, config
from appliance.resolver.safesearch import Addresses, engines
from appliance.service import notify
from appliance.settings import BoxSettings
from firmware import household, render

LOOK_SECONDS = 2.0
"""Between two looks at the children."""
SAY_SECONDS = 5.0
"""Between two words to the keeper, where nothing has changed."""
STRICT_SECONDS = 3600.0
"""Between two looks for the addresses of strict modes; `RETRY_SECONDS` while one is missing."""
RETRY_SECONDS = 60.0
"""Until what could not be had is tried again: addresses of a strict mode, a filter that could not be put in force."""
MISSES = 3
"""Questions in a row that a child leaves unanswered before it is started again."""
START_MISSES = 40
"""The same for one that has not answered yet, some 40 s: dnsmasq answers nobody before it has read all its names."""
_IDLE_SECONDS = 0.25
_BACKOFF = (0.1, 2.0)

_log = logging.getLogger(__name__)


class Room:
    """All it holds; `step` does what is due and waits for what comes."""

    def __init__(self, settings: BoxSettings, monotonic: float) -> None:
        self._home = household.load(settings.household)
        self._own_name = f"{render.BOX_NAME}.{self._home.lan.domain}"
        self._socket = settings.keeper_socket("resolver")
        self._folder = settings.run_dir / "resolver"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._selector = selectors.DefaultSelector()
        self._keeper: link.Link | None = None
        self._backoff = _BACKOFF[0]
        self._keeper_due = self._look_due = self._say_due = self._strict_due = monotonic
        self._apply_due = float("inf")
        """When to try again what could not be put in force."""
        self._plan: Plan | None = None
        self._told = False
        """This keeper has named a plan; before, what is in force says nothing to it."""
        self._children: dict[int, Child] = {}
        self._missed: dict[int, int] = {}
        self._ready: tuple[int, ...] = ()
        self._targets: dict[str, Addresses] = {}
        self._faults: dict[str, str] = {}
        """Plain sentences by what they are about."""

    def step(self) -> None:
        """Do what is due, then wait for the keeper, a quarter of a second at most."""
        monotonic = clock.monotonic()
        if self._keeper is None and monotonic >= self._keeper_due:
            self._connect(monotonic)
        if monotonic >= self._strict_due:
            self._look_up_strict(monotonic)
        if monotonic >= self._apply_due:
            self._apply(monotonic)
        for child in self._children.values():
            child.tend(monotonic)
        if monotonic >= self._look_due:
            self._look(monotonic)
        if monotonic >= self._say_due:
            self._say(monotonic)
        for key, _ in self._selector.select(_IDLE_SECONDS):
            key.data()

    def close(self) -> None:
        """End the children, hang up."""
        for child in self._children.values():
            child.remove()
        if self._keeper is not None:
            self._keeper.close()
        self._selector.close()

    # --- keeper ---------------------------------------------------------------------------------

    def _connect(self, monotonic: float) -> None:
        try:
            self._keeper = link.connect(self._socket)
        except OSError:
            self._keeper_due = monotonic + self._backoff
            self._backoff = min(self._backoff * 2, _BACKOFF[1])
            return
        self._backoff = _BACKOFF[0]
        self._told = False
        self._selector.register(self._keeper, selectors.EVENT_READ, self._on_keeper)

    def _on_keeper(self) -> None:
        if self._keeper is None:
            return
        try:
            received = self._keeper.receive()
        except link.LinkClosedError:
            self._lose_keeper()
            return
        except MessageError as error:
            _log.warning("the keeper said what no message is: %s", error)
            return
        for message in received:
            if isinstance(message, FilterPlan):
                self._told = True
                self._take(message)

    def _lose_keeper(self) -> None:
        if self._keeper is not None:
            self._selector.unregister(self._keeper)
            self._keeper.close()
            self._keeper = None
            self._keeper_due = clock.monotonic() + self._backoff

    def _say(self, monotonic: float) -> None:
        self._say_due = monotonic + SAY_SECONDS
        if self._keeper is None or not self._told:
            return
        generation = 0 if self._plan is None else self._plan.generation
        state = ResolverState(generation=generation, ready=self._ready, detail=" ".join(self._faults.values())[:1000])
        try:
            self._keeper.send(state)
        except link.LinkFullError:
            return
        except link.LinkClosedError:
            self._lose_keeper()

    # --- the plan -------------------------------------------------------------------------------

    def _take(self, message: FilterPlan) -> None:
        monotonic = clock.monotonic()
        self._say_due = monotonic
        self._faults.pop("plan", None)
        if message.path is None:
            self._plan = Plan(generation=message.generation, filters=())
        else:
            try:
                plan = _read(Path(message.path))
            except (OSError, PlanError) as error:
                self._faults["plan"] = f"The plan of what is refused cannot be read ({error})."
                _log.warning("%s", self._faults["plan"])
                return
            if plan.generation != message.generation:  # a newer one is written already, and will be said
                return
            self._plan = plan
        if any(each.safe_search for each in self._plan.filters) and not self._targets:
            self._look_up_strict(monotonic)
        self._apply(monotonic)

    def _apply(self, monotonic: float) -> None:
        filters = () if self._plan is None else self._plan.filters
        wanted = {each.number for each in filters}
        for number in set(self._children) - wanted:
            self._children.pop(number).remove()
            self._faults.pop(f"filter {number}", None)
        self._faults.pop("strict", None)
        self._ready = ()
        self._apply_due = float("inf")
        strict: list[str] = []
        for each in filters:
            text, left_out = config(self._home, each, self._targets)
            notify("WATCHDOG=1")  # a second and more for each step, where the lists are long
            if left_out:
                what = "are refused" if each.closed else "answer as they do for everybody"
                strict.append(f"The strict mode cannot be had of {', '.join(left_out)}: they {what}.")
            child = self._children.setdefault(each.number, Child(each.number, self._folder))
            fault = child.use(text, monotonic)
            notify("WATCHDOG=1")
            if fault:
                self._apply_due = monotonic + RETRY_SECONDS
                self._faults[f"filter {each.number}"] = f"Filter {each.number} is not in force: {fault}."
                _log.warning("filter %d: %s", each.number, fault)
            else:
                self._faults.pop(f"filter {each.number}", None)
        if strict:
            self._faults["strict"] = " ".join(dict.fromkeys(strict))
        self._missed.clear()
        self._look_due = monotonic

    def _look_up_strict(self, monotonic: float) -> None:
        self._strict_due = monotonic + STRICT_SECONDS
        if self._plan is None or not any(each.safe_search for each in self._plan.filters):
            return
        found: dict[str, Addresses] = {}
        server = str(self._home.lan.address)
        for engine in engines():
            # What was known once is better than nothing while the provider's line is down.
            found[engine.target] = asking.addresses(engine.target, server) or self._targets.get(engine.target, ())
            notify("WATCHDOG=1")
        if not all(found.values()):
            self._strict_due = monotonic + RETRY_SECONDS
        if found != self._targets:
            self._targets = found
            self._apply(monotonic)

    def _look(self, monotonic: float) -> None:
        self._look_due = monotonic + LOOK_SECONDS
        expected = str(self._home.lan.address)
        ready: list[int] = []
        for number, child in self._children.items():
            if f"filter {number}" in self._faults:
                continue
            if asking.answers(self._own_name, expected, "127.0.0.1", PORTS[number]):
                self._missed[number] = 0
                child.answered = True
                ready.append(number)
                continue
            self._missed[number] = self._missed.get(number, 0) + 1
            if self._missed[number] >= (MISSES if child.answered else START_MISSES):
                _log.warning("filter %d does not answer: started again", number)
                self._missed[number] = 0
                child.restart()
            self._look_due = monotonic + _IDLE_SECONDS
        if tuple(ready) != self._ready:
            self._ready = tuple(ready)
            self._say_due = monotonic


def _read(path: Path) -> Plan:
    with path.open("rb") as file:
        return unpack(file.read(MAX_PLAN + 1))


def main(settings: BoxSettings, stopping: Callable[[], bool]) -> None:
    """Run until told to stop.

    Raises:
        FileError: `household.toml` cannot be used.
    """
    room = Room(settings, clock.monotonic())
    notify("READY=1")
    try:
        while not stopping():
            room.step()
    finally:
        room.close()
