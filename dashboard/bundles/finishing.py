"""Completes bundles whose parts are all here, where ingest's keys are; the web process has none.

In: rows of `bundle` in state `arrived`, sealed parts, the server's keys, what the server counter-signed. Out: the zip in
`bundle_file`, or the reason why there is none. Reading, making and writing are transactions of their own, so that making
one holds nobody up; made twice it is the same to the octet. Bounded: one bundle at a time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from dashboard.bundles.assemble import Certified, Known, complete
from dashboard.bundles.parts import BundleError, unpack
from dashboard.store.schema import bundle, bundle_file, bundle_part, ledger_head
from dashboard.store.schema import site as sites
from wire.bundles import open_part
from wire.merkle import EMPTY

CHUNK = 512 * 1024
PAUSE = 1.0

_log = logging.getLogger(__name__)


class Finisher:
    """Makes zips."""

    def __init__(
        self, engine: Engine, *, tenant: str, signing_key: Ed25519PrivateKey, sealing_key: X25519PrivateKey
    ) -> None:
        self._engine = engine
        self._tenant = tenant
        self._signing_key = signing_key
        self._sealing_key = sealing_key

    def run(self, stopping: Callable[[], bool], pause: Callable[[float], object], now: Callable[[], float]) -> None:
        """Work until told to stop; `now` reads Unix seconds."""
        while not stopping():
            try:
                worked = self.turn(now())
            except SQLAlchemyError as error:
                _log.warning("bundles wait: the database is not available (%s)", type(error).__name__)
                worked = False
            if not worked:
                pause(PAUSE)

    def turn(self, now: float) -> bool:
        """Complete one bundle, if one waits."""
        with self._engine.connect() as connection:
            statement = (
                select(bundle, sites.c.verify_key)
                .join(sites, sites.c.site == bundle.c.site)
                .where(sites.c.tenant == self._tenant, bundle.c.state == "arrived")
                .order_by(bundle.c.built_at)
                .limit(1)
            )
            row = connection.execute(statement).mappings().first()
            if row is None:
                return False
            sealed = connection.execute(
                select(bundle_part.c.number, bundle_part.c.data)
                .where(bundle_part.c.site == row["site"], bundle_part.c.bundle_id == row["bundle_id"])
                .order_by(bundle_part.c.number)
            ).all()
            try:
                given = unpack(self._opened(row, [(part.number, bytes(part.data)) for part in sealed]))
                known = _known(connection, row, given)
            except BundleError as error:
                given, problem = {}, str(error)
            except (ArithmeticError, RecursionError) as error:
                given, problem = {}, _strange(error)
        if given:
            try:
                made = complete(given, known, box_key=row["verify_key"], signer=self._signing_key)
            except BundleError as error:
                problem = str(error)
            except Exception as error:  # noqa: BLE001 - what one box gives must not end everybody's bundles
                problem = _strange(error)
            else:
                self._shelve(row, made, now)
                return True
        self._write(row, {"state": "failed", "problem": f"The bundle cannot be completed: {problem}."[:300]})
        return True

    def _opened(self, row: Any, sealed: list[tuple[int, bytes]]) -> bytes:
        """The data part.

        Raises:
            BundleError: a part was sealed for another, or the whole is not what the box said that it built.
        """
        packed = bytearray()
        for number, data in sealed:
            plain = open_part(data, bundle_id=row["bundle_id"], number=number, key=self._sealing_key)
            if plain is None:
                raise BundleError(f"part {number} does not open")
            packed += plain
        if len(packed) != row["data_octets"] or hashlib.sha256(packed).hexdigest() != row["data_sha256"]:
            raise BundleError("what came is not what the box said that it built")
        return bytes(packed)

    def _shelve(self, row: Any, made: bytes, now: float) -> None:
        which = {"site": row["site"], "bundle_id": row["bundle_id"]}
        with self._engine.begin() as connection:
            connection.execute(
                delete(bundle_file).where(
                    bundle_file.c.site == which["site"], bundle_file.c.bundle_id == which["bundle_id"]
                )
            )
            for number, start in enumerate(range(0, len(made), CHUNK)):
                chunk = made[start : start + CHUNK]
                connection.execute(insert(bundle_file).values(**which, number=number, data=chunk))
        told = {"octets": len(made), "sha256": hashlib.sha256(made).hexdigest(), "completed_at": now}
        self._write(row, {"state": "complete", **told})

    def _write(self, row: Any, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            which = (bundle.c.site == row["site"]) & (bundle.c.bundle_id == row["bundle_id"])
            connection.execute(update(bundle).where(which).values(**values))


def _strange(error: Exception) -> str:
    return f"what the box gave cannot be read ({type(error).__name__})"


def _known(connection: Connection, row: Any, given: dict[str, bytes]) -> Known:
    """What the server saw of this log: the longest head that it counter-signed of what the bundle should hold.

    A head from within the bundle's time that is longer than the bundle shows that the end was cut off; the verifier
    then says so.
    """
    try:
        told = json.loads(given["box.json"])
        epoch, size, until = str(told["epoch"]), int(told["size"]), int(told["until_ms"])
    except (ValueError, KeyError, TypeError):
        raise BundleError("the box's own statement cannot be read") from None
    statement = (
        select(ledger_head.c.size, ledger_head.c.root, ledger_head.c.at)
        .where(ledger_head.c.site == row["site"], ledger_head.c.epoch == epoch, ledger_head.c.cosignature.is_not(None))
        .order_by(ledger_head.c.size.desc())
    )
    seen_size, root = 0, EMPTY.hex()
    with connection.execute(statement) as heads:
        for head in heads:
            if head.size <= size or head.at["wall_ms"] < until:
                seen_size, root = head.size, head.root
                break
    certified = None
    if row["certified_by"] is not None:
        certified = Certified(
            by=row["certified_by"], at_ms=round(row["certified_at"] * 1000), text=row["certified_text"]
        )
    return Known(epoch=epoch, size=seen_size, root=root, certified=certified)
