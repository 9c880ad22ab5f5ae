"""Devices and their addresses as they are kept, and the history of which address counted as whose.

In and out: `Device` values; `Link` rows. A device is a set of addresses: joining and splitting move
address rows, and what hangs on an address (evidence, names, stays) moves with them, untouched.
Bounded: devices by the registry; `MAX_LINKS` rows of history an address, the oldest closed ones go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.keeper.devices.model import Address, Device
from wire.base import Correction, Standing
from wire.models import JoinedBy, LooksLike, Presence, Visibility

MAX_LINKS = 16
"""Rows of history an address."""

_DEVICE = (
    "device_id",
    "revision",
    "standing",
    "label",
    "looks_like",
    "guest_until",
    "quarantined",
    "first_seen",
    "last_seen",
    "reported_at",
    "correction",
    "merged_into",
    "visit_ended",
    "presence",
    "visibility",
)
_ADDRESS = ("mac", "device_id", "first_seen", "last_seen", "joined_by", "key_id", "returned")


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    marks = ", ".join("?" * len(columns))
    return (
        f"insert into {table} ({', '.join(columns)}) values ({marks}) "  # noqa: S608 - names are ours, above
        f"on conflict ({columns[0]}) do update set {changes}"
    )


_PUT_DEVICE = _upsert("device", _DEVICE)
_PUT_ADDRESS = _upsert("address", _ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """That an address counts as a device's, from when, until when, and why. Unix seconds."""

    mac: str
    device_id: str
    since: float
    until: float | None = None
    how: JoinedBy | None = None
    """None: the device was first known by this address."""
    probability: float | None = None
    reasons: tuple[str, ...] = ()
    by: str | None = None
    """Opaque reference of the account that confirmed it."""


class Devices:
    """Tables `device`, `address` and `link`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, deleted: Callable[[], None], erased: Callable[[], None]) -> None:
        """`deleted` is called where rows went, `erased` where there were names among them."""
        self._db = db
        self._deleted = deleted
        self._erased = erased

    def all(self) -> list[Device]:
        """All devices, each with its addresses."""
        addresses: dict[str, list[Address]] = {}
        for mac, device_id, first, last, joined_by, key_id, returned in self._db.execute(
            f"select {', '.join(_ADDRESS)} from address order by first_seen"  # noqa: S608 - names are ours, above
        ):
            address = Address(
                mac=mac,
                first_seen=first,
                last_seen=last,
                joined_by=None if joined_by is None else JoinedBy(joined_by),
                key_id=key_id,
                returned=bool(returned),
            )
            addresses.setdefault(device_id, []).append(address)
        rows = self._db.execute(f"select {', '.join(_DEVICE)} from device")  # noqa: S608 - names are ours, above
        return [_device(row, tuple(addresses.get(row[0], ()))) for row in rows]

    def put(self, device: Device) -> None:
        """Write a device and its addresses; an address of another device becomes this one's."""
        self._db.execute(
            _PUT_DEVICE,
            (
                device.device_id,
                device.revision,
                device.standing.value,
                device.label,
                None if device.looks_like is None else device.looks_like.model_dump_json(),
                device.guest_until,
                int(device.quarantined),
                device.first_seen,
                device.last_seen,
                device.reported_at,
                None if device.correction is None else device.correction.model_dump_json(),
                device.merged_into,
                device.visit_ended,
                None if device.presence is None else device.presence.model_dump_json(),
                None if device.visibility is None else device.visibility.model_dump_json(),
            ),
        )
        self._db.conn.executemany(_PUT_ADDRESS, (_address_row(device.device_id, item) for item in device.addresses))

    def remove(self, device_id: str) -> None:
        """Forget a device. Its addresses must have gone or moved before."""
        self._db.execute("delete from device where device_id = ?", (device_id,))
        self._deleted()

    def remove_address(self, mac: str) -> None:
        """Forget an address and everything that hangs on it."""
        readable = self._db.execute(
            "select exists (select 1 from name_visit where mac = ?1) "
            "or exists (select 1 from evidence where mac = ?1 and value <> token)",  # a habit is its own token
            (mac,),
        ).fetchone()[0]
        for table in ("evidence", "hit", "name_visit", "category_day", "record", "session", "link", "address"):
            self._db.execute(f"delete from {table} where mac = ?", (mac,))  # noqa: S608 - tables are ours
        (self._erased if readable else self._deleted)()

    # --- history ----------------------------------------------------------------------------

    def link(self, link: Link) -> None:
        """From now on the address counts as this device's; an earlier link of it ends."""
        self._db.execute("update link set until = ? where mac = ? and until is null", (link.since, link.mac))
        self._db.execute(
            "insert into link (mac, device_id, since, how, probability, reasons, by) values (?, ?, ?, ?, ?, ?, ?)",
            (
                link.mac,
                link.device_id,
                link.since,
                None if link.how is None else link.how.value,
                link.probability,
                json.dumps(link.reasons),
                link.by,
            ),
        )
        self._db.execute(
            "delete from link where mac = ?1 and link_id not in "
            "(select link_id from link where mac = ?1 order by link_id desc limit ?2)",
            (link.mac, MAX_LINKS),
        )

    def linked(self, device_id: str) -> bool:
        """Whether any address was ever this device's."""
        return self._db.execute("select 1 from link where device_id = ? limit 1", (device_id,)).fetchone() is not None

    def links(self, macs: Iterable[str]) -> list[Link]:
        """The history of these addresses, oldest first."""
        found: list[Link] = []
        for mac in macs:
            rows = self._db.execute(
                "select mac, device_id, since, until, how, probability, reasons, by from link "
                "where mac = ? order by link_id",
                (mac,),
            )
            found.extend(_link(row) for row in rows)
        return found


def _address_row(device_id: str, address: Address) -> tuple[str | float | int | None, ...]:
    return (
        address.mac,
        device_id,
        address.first_seen,
        address.last_seen,
        None if address.joined_by is None else address.joined_by.value,
        address.key_id,
        int(address.returned),
    )


def _device(row: tuple[object, ...], addresses: tuple[Address, ...]) -> Device:
    fields = dict(zip(_DEVICE, row, strict=True))
    looks, correction, presence, visibility = (
        fields.pop(name) for name in ("looks_like", "correction", "presence", "visibility")
    )
    return Device(
        **fields | {"standing": Standing(fields["standing"]), "quarantined": bool(fields["quarantined"])},  # type: ignore[arg-type] # columns are STRICT
        looks_like=None if looks is None else LooksLike.model_validate_json(str(looks)),
        correction=None if correction is None else Correction.model_validate_json(str(correction)),
        presence=None if presence is None else Presence.model_validate_json(str(presence)),
        visibility=None if visibility is None else Visibility.model_validate_json(str(visibility)),
        addresses=addresses,
    )


def _link(row: tuple[str, str, float, float | None, str | None, float | None, str, str | None]) -> Link:
    mac, device_id, since, until, how, probability, reasons, by = row
    return Link(
        mac=mac,
        device_id=device_id,
        since=since,
        until=until,
        how=None if how is None else JoinedBy(how),
        probability=probability,
        reasons=tuple(json.loads(reasons)),
        by=by,
    )
