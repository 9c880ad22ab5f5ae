"""Orders about the law of the matter: who gave them, whether that is enough, and which part follows them.

In: a `Command` whose signature and seal held, with an act of `wire.acts`. Out: None where it was followed, else why
not, in plain words. Parts say which acts they follow (`on`); this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from appliance.keeper.authority import Scope
from wire.acts import BREAK_SECONDS, BREAKABLE, NEEDS_TWO
from wire.base import Payload
from wire.models import Command

_Act = TypeVar("_Act", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """By whom an act was asked for, and when."""

    command_id: str
    by: str
    second: str | None
    """Another account that agreed."""
    broken: bool
    """One person acts in an emergency."""
    reason: str
    scope: Scope | None
    at: float
    """Unix seconds."""

    @property
    def ends(self) -> float:
        """What was opened in an emergency is closed again at this moment; else it ends when it says."""
        return self.at + BREAK_SECONDS if self.broken else float("inf")

    @property
    def two(self) -> bool:
        """Whether two different people gave it."""
        return self.second is not None and self.second != self.by


class Acts:
    """Which part follows which act."""

    def __init__(self) -> None:
        self._parts: dict[type[Payload], Callable[[Any, Given], str | None]] = {}

    def on(self, act: type[_Act], follow: Callable[[_Act, Given], str | None]) -> None:
        """Acts of this type are followed by `follow`, in the caller's transaction."""
        self._parts[act] = follow

    def knows(self, order: Payload) -> bool:
        """Whether an order is an act that a part here follows."""
        return type(order) in self._parts

    def apply(self, command: Command, *, scope: Scope | None, at: float) -> str | None:
        """Follow an act; None when that was done, else why not."""
        action = command.body.action
        given = Given(
            command_id=command.command_id,
            by=command.by,
            second=command.second,
            broken=command.break_glass is True,
            reason=command.reason or "",
            scope=scope,
            at=at,
        )
        if given.broken and action not in BREAKABLE:
            return "This cannot be done by one person in an emergency."
        if action in NEEDS_TWO and not given.two and not given.broken:
            return "This needs two people, and only one has agreed."
        return self._parts[type(command.body)](command.body, given)
