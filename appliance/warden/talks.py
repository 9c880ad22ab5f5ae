"""Who exchanged how much with whom: readings of the kernel's sets in, what is new since the last one out.

Enters: elements of `names.TALK_SETS` as `nft -j` lists them, and when they were read. Leaves: `TalksCounted`,
which go to the sensor and nowhere else.
Bounded: by the sets (`names.TALKS_SIZE` each), `MAX_TALKS` in a message; what comes back to an address of
which no device is known is counted in `unmatched`.

Nothing shows on the way back whose frame it will be. Therefore what a device sends is counted with its address,
and what comes back is put beside it by that address; a frame that bears another's address draws off nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.messages import MAX_TALKS, Talk, TalksCounted
from firmware import names

TALK_SECONDS = 60.0
"""Between two readings."""

_PROTOCOLS = {"tcp": 6, "udp": 17, 6: 6, 17: 17}
"""As `nft` writes them: by name, or by number where the system has no list of names."""

_Way = tuple[str, str, int, int]
"""A device's address, the far one, protocol, port."""
_Reading = dict[tuple[str, _Way], int]
"""By hardware address (empty on the way back) and way: octets."""


def read(elements: Mapping[str, Iterable[Any]]) -> _Reading:
    """Octets of each element; what is not of the form of its set is passed over."""
    found: _Reading = {}
    for talks in names.TALK_SETS:
        for element in elements.get(talks.name, ()):
            match element:
                case {"elem": {"val": {"concat": list(parts)}, "counter": {"bytes": int(octets)}}}:
                    mac = str(parts.pop(0)) if talks.up and parts else ""
                    match parts:
                        case [str(own), str(far), str() | int() as protocol, int(port)] if protocol in _PROTOCOLS:
                            found[mac, (own, far, _PROTOCOLS[protocol], port)] = octets
                        case _:
                            pass
                case _:
                    pass
    return found


class Talks:
    """Differences between readings."""

    def __init__(self) -> None:
        self._before: _Reading | None = None
        self._read_at = 0.0
        self.unmatched = 0
        """Ways back to an address that no device sends from."""

    def forget(self) -> None:
        """Start anew with the next reading: nobody was told of what came before."""
        self._before = None

    def count(self, elements: Mapping[str, Iterable[Any]], ts: float, monotonic: float) -> list[TalksCounted]:
        """What was exchanged since the reading before; nothing at the first, of which nobody knows since when."""
        reading, before, seconds = read(elements), self._before, monotonic - self._read_at
        self._before, self._read_at = reading, monotonic
        if before is None:
            return []
        up: dict[tuple[str, str, int, int], int] = {}
        down: dict[tuple[str, str, int, int], int] = {}
        # Also ways on which nothing moved: a device's address may have been quiet while its answers came.
        # Of several with one address, who sent the most: another may put it on a packet, and would draw off what comes back.
        sent = sorted((octets, mac, way) for (mac, way), octets in reading.items() if mac)
        owners = {way: mac for _, mac, way in sent}
        addresses = {way[0]: mac for way, mac in owners.items()}
        for (mac, way), octets in reading.items():
            # An element that went and came back has begun at nothing.
            earlier = before.get((mac, way), 0)
            moved = octets - earlier if octets >= earlier else octets
            if not moved:
                continue
            own, far, protocol, port = way
            owner = mac or owners.get(way) or addresses.get(own)
            if owner is None:
                self.unmatched += 1
                continue
            side = up if mac else down
            talk = (owner, far, protocol, port)
            side[talk] = side.get(talk, 0) + moved
        talks = [Talk(*talk, up=up.get(talk, 0), down=down.get(talk, 0)) for talk in dict.fromkeys([*up, *down])]
        return [
            TalksCounted(ts=ts, seconds=seconds, talks=tuple(talks[at : at + MAX_TALKS]))
            for at in range(0, len(talks), MAX_TALKS)
        ]
