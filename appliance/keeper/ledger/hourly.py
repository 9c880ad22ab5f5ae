"""What repeats, recorded by the hour: signals, looked-up names as far as they may be kept, and who was there (R68).

A row that counts is filed when its hour is over; the row remembers how much of its count the ledger has, in the same
transaction. So a crash in between neither loses nor doubles, and what comes late to an hour makes a later record.
When recording ends, what is counted so far is filed at once.

In: the hour, and devices. Out: records. Bounded: `PORTION` rows a turn, and `IN_ONE` in a record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from appliance.keeper.devices.model import Device
from appliance.keeper.ledger.book import Ledger
from wire.authority import DataClass
from wire.ledger import RecordKind

HOUR = 3600
PORTION = 500
IN_ONE = 100

_SIGNAL = ("record_id", "signal", "value", "server", "port", "first", "last", "count", "octets")
_NAME = ("name", "count", "first", "last")
_GROUND = ("authority_id", "authority_number", "clause")


class Hours:
    """Closes hours; `closed` is the first moment that is not closed yet, Unix seconds."""

    def __init__(self, ledger: Ledger, *, closed: int) -> None:
        self._ledger = ledger
        self.closed = closed
        self._more = False

    def tick(self, at: float, devices: Iterable[Device], *, ending: bool = False) -> bool:
        """File what is due at `at`; with `ending`, all there is. Whether an hour was closed."""
        hour = int(at // HOUR) * HOUR
        over = hour > self.closed
        if over or ending:
            self._presence(devices, until=at if ending else hour)
            self.closed = math.ceil(at) if ending else hour
        if over or ending or self._more:
            before = hour // HOUR + (1 if ending else 0)
            self._more = self._signals(before) | self._names()
            while ending and self._more:
                self._more = self._signals(before) | self._names()
        return over or ending

    def _presence(self, devices: Iterable[Device], *, until: float) -> None:
        for device in devices:
            seen = [address.mac for address in device.addresses if address.last_seen >= self.closed]
            if seen and device.first_seen < until:
                body = {
                    "device_id": device.device_id,
                    "from_ms": self.closed * 1000,
                    "until_ms": round(until * 1000),
                    "seen": seen,
                    "last_seen_ms": round(device.last_seen * 1000),
                }
                self._ledger.note(
                    RecordKind.DEVICE,
                    body,
                    data_class=DataClass.PRESENCE.value,
                    macs=device.macs,
                    device_id=device.device_id,
                )

    def _signals(self, before_hour: int) -> bool:
        log = self._ledger.log
        rows = log.unfiled_signals(before_hour, PORTION)
        for (hour, mac, *ground), group in groupby(rows, key=itemgetter("hour", "mac", *_GROUND)):
            for part in _portions(group):
                body = {
                    "mac": mac,
                    "from_ms": hour * HOUR * 1000,
                    "until_ms": (hour + 1) * HOUR * 1000,
                    **dict(zip(_GROUND, ground, strict=True)),
                    "signals": [_plain(row, _SIGNAL) for row in part],
                }
                data_class = DataClass.SIGNS.value
                self._ledger.note(RecordKind.SIGNALS, body, data_class=data_class, macs=(mac,))
                log.filed_signals(row["record_id"] for row in part)
        return len(rows) == PORTION

    def _names(self) -> bool:
        log = self._ledger.log
        rows = log.unfiled_names(PORTION)
        for (mac, *ground), group in groupby(rows, key=itemgetter("mac", *_GROUND)):
            for part in _portions(group):
                body = {
                    "mac": mac,
                    "until_ms": self._ledger.stamp.wall_ms,
                    **dict(zip(_GROUND, ground, strict=True)),
                    "names": [_plain(row, _NAME) for row in part],
                }
                data_class = DataClass.FULL_NAMES.value
                self._ledger.note(RecordKind.NAMES, body, data_class=data_class, macs=(mac,))
                log.filed_names((mac, row["name"]) for row in part)
        return len(rows) == PORTION


def _portions(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    left = iter(rows)
    while portion := list(islice(left, IN_ONE)):
        yield portion


def _plain(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The row's columns; times in whole milliseconds, as all that is signed and hashed."""
    return {
        f"{name}_ms" if name in ("first", "last") else name: round(row[name] * 1000)
        if name in ("first", "last")
        else row[name]
        for name in names
        if row[name] is not None
    }
