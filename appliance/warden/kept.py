"""What stays held over a restart of the machine: orders in; on disk, and out again at start, their fail-closed part.

The kernel forgets its sets with the power, and the keeper takes seconds to say its order again. Leased elements
need nothing of this: they end by themselves (R57). What is kept ends with the authority, by the wall clock.
The file holds hardware addresses, and refused networks; it is there only while an order has a fail-closed part.
Bounded: one file of one message. Read as hostile: what is no order counts as no file.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from appliance.messages import MAX_DATAGRAM, Enforcement, MessageError, decode, encode
from wire.files import replace

_log = logging.getLogger(__name__)


def closed_part(order: Enforcement) -> Enforcement | None:
    """What of an order has no lease; None when nothing, or nobody says until when."""
    closed = frozenset(order.filtered_closed)
    filters = tuple(
        msgspec.structs.replace(each, macs=tuple(mac for mac in each.macs if mac in closed)) for each in order.filters
    )
    filters = tuple(each for each in filters if each.macs)
    held = tuple(mac for mac in order.quarantined if mac in frozenset(order.closed))
    if order.ends is None or not (held or filters):
        return None
    return Enforcement(
        generation=0,
        quarantined=held,
        closed=held,
        filters=filters,
        filtered_closed=tuple(mac for each in filters for mac in each.macs),
        ends=order.ends,
    )


class Kept:
    """One file. What goes wrong with it is logged, never raised: the order itself is in force."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.order = self._read()
        """What the file says; None when there is none."""

    def keep(self, order: Enforcement) -> None:
        """Write the fail-closed part of an order that is in force; without one there is no file."""
        part = closed_part(order)
        if part == self.order:
            return
        self.order = part
        try:
            # Taken away first: a disk that is full must not keep what has ended.
            self._path.unlink(missing_ok=True)
            if part is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                replace(self._path, encode([part]))
        except (OSError, MessageError) as error:
            _log.warning("what is fail-closed is not held over a restart of the machine: %s", error)

    def over(self, now: float) -> bool:
        """Whether what is kept has ended, by the wall clock."""
        return self.order is not None and self.order.ends is not None and now >= self.order.ends

    def _read(self) -> Enforcement | None:
        try:
            with self._path.open("rb") as file:
                found = decode(file.read(MAX_DATAGRAM + 1))
        except FileNotFoundError:
            return None
        except (OSError, MessageError) as error:
            _log.warning("%s is no order: %s", self._path, error)
            return None
        match found:
            case [Enforcement() as order]:
                return closed_part(order)
            case _:
                return None
