"""Windows of made-up records, and rules played on them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from appliance.keeper.signs import rules
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.window import Context, Observed, Window
from appliance.signals import Signal
from wire.base import Standing

START = 1_900_000_000.0
FAR, OTHER = "192.0.2.7", "2001:db8::7"


class Script:
    """Signals of one device, put down one after the other."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.records: list[Observed] = []
        self.context: dict[str, Any] = {"device_id": "d-1", "standing": Standing.REGISTERED}

    def hear(self, signal: Signal, value: str = "", **fields: Any) -> Script:
        """One record; `server` defaults to none, times to a minute after the one before."""
        number = next(self._ids)
        first = fields.pop("first", START + 60 * number)
        made = {"first": first, "last": first, "record_id": f"r-{number}"} | fields
        self.records.insert(0, Observed(signal=signal, value=value, **made))
        return self

    def knowing(self, **context: Any) -> Script:
        self.context |= context
        return self

    def signs(self) -> list[Sign]:
        return list(rules.weigh(Window(self.records), Context(**self.context)))

    def network(self, mac: str = "02:00:00:00:00:09") -> list[Sign]:
        return list(rules.weigh_network(mac, Window(self.records), Context(**self.context)))

    def only(self) -> Sign:
        (sign,) = self.signs()
        return sign


@pytest.fixture
def script() -> Callable[[], Script]:
    return Script
