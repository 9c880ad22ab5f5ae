from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, insert, select

import verify
from dashboard.bundles import shelf
from dashboard.bundles.finishing import Finisher
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.store.retention import purge
from lab.faults import bundling
from lab.faults.bundling import Made
from wire.acts import BuildBundle
from wire.base import Payload
from wire.bundles import FILES, PART_OCTETS, BundleBuilt, BundlePart, seal_part
from wire.codec import Envelope, Opened, topic_for
from wire.keys import public_text

NOW, SITE, TENANT = 1_900_100_000.0, "box-1", "force-a"


@dataclass
class Shelf:
    """A dashboard's database, and a box that answers it."""

    engine: Engine
    made: Made
    opener: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def __post_init__(self) -> None:
        letters = {name: letter.encode() for letter, name in FILES.items()}
        given = self.made.given
        text = b"".join(
            letters[name] + line + b"\n"
            for name in given
            if not name.startswith("box.")
            for line in given[name].splitlines()
        )
        text += b"B" + given["box.json"] + b"\nS" + base64.b64encode(given["box.sig"]) + b"\n"
        self.packed = zlib.compress(text, 0)
        parts = [self.packed[at : at + PART_OCTETS] for at in range(0, len(self.packed), PART_OCTETS)]
        self.parts = [
            seal_part(part, bundle_id="bundle-1", number=number, recipient=self.opener.public_key())
            for number, part in enumerate(parts)
        ]

    def opened(self, payload: Payload, site: str = SITE) -> Opened:
        at = datetime.fromtimestamp(NOW, UTC)
        envelope = Envelope(id="e-1", source=f"urn:gatehouse:{TENANT}:{site}", type="x", time=at, sequence="1")
        return Opened(topic=topic_for(payload, tenant=TENANT, site=site), envelope=envelope, payload=payload, digest="")

    def built(self, **changes: Any) -> BundleBuilt:
        at = datetime.fromtimestamp(NOW, UTC)
        fields: dict[str, Any] = {
            "bundle_id": "bundle-1",
            "parts": len(self.parts),
            "octets": len(self.packed),
            "sha256": hashlib.sha256(self.packed).hexdigest(),
            "records": 24,
            "at": at,
            "expires": datetime.fromtimestamp(NOW + 7 * 86_400, UTC),
        }
        return BundleBuilt(**(fields | changes))

    def say(self, payload: Payload, site: str = SITE, now: float = NOW) -> None:
        take = shelf.take_built if isinstance(payload, BundleBuilt) else shelf.take_part
        with self.engine.begin() as connection:
            assert take(connection, self.opened(payload, site), now) == []

    def part(self, number: int) -> BundlePart:
        return BundlePart(bundle_id="bundle-1", number=number, data=base64.b64encode(self.parts[number]).decode())

    def ask(self, now: float, *, answered: bool = True) -> list[tuple[int, int]]:
        """What the dashboard asks for: the first part and how many; what was asked before was answered."""
        with self.engine.begin() as connection:
            if answered:
                connection.execute(schema.command.update().values(state="applied"))
            before = set(connection.execute(select(schema.command.c.command_id)).scalars())
            shelf.ask_missing(connection, tenant=TENANT, now=now)
            rows = connection.execute(select(schema.command.c.command_id, schema.command.c.body)).all()
        return [(row.body["first"], row.body["count"]) for row in rows if row.command_id not in before]

    def turn(self) -> bool:
        finisher = Finisher(self.engine, tenant=TENANT, signing_key=self.made.server, sealing_key=self.opener)
        return finisher.turn(NOW + 60)

    def only(self) -> shelf.Shelved:
        with self.engine.connect() as connection:
            [found] = shelf.bundles_of(connection, SITE)
        return found

    def zip(self) -> bytes:
        made, digest = b"", self.only().sha256
        with self.engine.connect() as connection:
            for number in range(1000):
                chunk = shelf.chunk_of(connection, SITE, "bundle-1", number, sha256=digest)
                if chunk is None:
                    break
                made += chunk
            assert shelf.chunk_of(connection, SITE, "bundle-1", 0, sha256="0" * 64) is None, "that is another one"
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Shelf]:
    engine = open_engine(f"sqlite:///{tmp_path / 'd.db'}")
    upgrade(engine)
    made = bundling.make(tmp_path, records=120)
    order = BuildBundle(
        bundle_id="bundle-1",
        purpose="evidence",
        since=datetime.fromtimestamp(NOW - 99, UTC),
        until=datetime.fromtimestamp(NOW, UTC),
        reason="a hearing",
    )
    with engine.begin() as connection:
        for site in (SITE, "box-2"):
            key = public_text(made.box)
            connection.execute(
                insert(schema.site).values(site=site, tenant=TENANT, title="NM", verify_key=key, seal_key=key)
            )
        connection.execute(insert(schema.account).values(account_id="officer-1", name="o-1", role="officer"))
        connection.execute(
            insert(schema.command).values(
                command_id="c-1",
                site=SITE,
                body=order.model_dump(mode="json"),
                reason="a hearing",
                by="officer-1",
                created_at=NOW - 60,
                expires_at=NOW,
                state="applied",
                detail="",
            )
        )
    yield Shelf(engine, made)
    engine.dispose()


@pytest.mark.req("R68", "N3")
def test_parts_in_any_order_twice_and_lost_become_one_bundle_that_holds(desk: Shelf) -> None:
    desk.say(desk.built())
    count = len(desk.parts)
    assert count > 3
    assert desk.ask(NOW + 1) == [(0, count)]
    numbers = [number for number in range(count) if number != 2] * 2
    random.Random(5).shuffle(numbers)  # noqa: S311 - any order
    for number in numbers:
        desk.say(desk.part(number), now=NOW + 2)
    found = desk.only()
    assert (found.state, found.arrived, found.parts) == ("fetching", count - 1, count)
    assert desk.ask(NOW + 3) == []
    assert desk.ask(NOW + 2 + shelf.ASK_AGAIN) == [(2, count - 2)]
    assert not desk.turn()
    desk.say(desk.part(2))
    assert desk.ask(NOW + 60) == []
    assert desk.turn()
    assert desk.only().state == "complete"
    assert hashlib.sha256(desk.zip()).hexdigest() == desk.only().sha256
    assert verify.Check(desk.zip()).run().bad == []
    assert not desk.turn()
    assert desk.ask(NOW + 90) == [(count, 1)], "the box may delete its own"
    assert desk.ask(NOW + 120) == []


def test_a_box_that_is_away_is_not_asked_again_and_again(desk: Shelf) -> None:
    desk.say(desk.built())
    assert len(desk.ask(NOW + 1)) == 1
    for seconds in range(30, 600, 30):
        assert desk.ask(NOW + seconds, answered=False) == []
    assert len(desk.ask(NOW + 602, answered=False)) == 1


def test_what_no_report_can_say_ends_that_bundle_alone(desk: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflows(*_: object, **__: object) -> bytes:
        raise OverflowError

    monkeypatch.setattr("dashboard.bundles.finishing.complete", overflows)
    desk.say(desk.built())
    for number in range(len(desk.parts)):
        desk.say(desk.part(number))
    assert desk.turn()
    assert (desk.only().state, "OverflowError" in desk.only().problem) == ("failed", True)


@pytest.mark.req("R68")
def test_an_officer_s_statement_makes_another_bundle_of_the_same_records(desk: Shelf) -> None:
    desk.say(desk.built())
    with desk.engine.begin() as connection:
        assert not shelf.certify(connection, site=SITE, bundle_id="bundle-1", by="officer-9", text="Mine.", now=NOW)
    for number in range(len(desk.parts)):
        desk.say(desk.part(number))
    desk.turn()
    before = desk.zip()
    with desk.engine.begin() as connection:
        assert shelf.certify(connection, site=SITE, bundle_id="bundle-1", by="officer-9", text=" I am\nsure. ", now=NOW)
    assert desk.zip() == b""
    desk.turn()
    with desk.engine.begin() as connection:
        assert not shelf.certify(connection, site=SITE, bundle_id="bundle-1", by="officer-9", text="Again.", now=NOW)
    files = verify.unzip(desk.zip())
    assert verify.Check(desk.zip()).run().bad == []
    assert files["records.jsonl"] == verify.unzip(before)["records.jsonl"]
    assert b"Statement of account officer-9: I am sure." in files["report.html"]


@pytest.mark.req("N3")
def test_a_log_of_which_the_server_had_seen_more_is_not_passed_off_as_whole(desk: Shelf) -> None:
    with desk.engine.begin() as connection:
        connection.execute(
            insert(schema.ledger_head).values(
                site=SITE,
                epoch=desk.made.known.epoch,
                seq=1,
                size=desk.made.known.size + 50,
                root="0" * 64,
                since=0,
                consistency=[],
                at={"wall_ms": bundling.START * 1000 + 5},
                signature="x",
                received_at=NOW,
                verdict="cosigned",
                cosigned_at=NOW,
                cosignature="x",
            )
        )
    desk.say(desk.built())
    for number in range(len(desk.parts)):
        desk.say(desk.part(number))
    desk.turn()
    assert verify.Check(desk.zip()).run().bad == [
        "This is the log that the server had seen, and all of it (not so: True)"
    ]


@pytest.mark.parametrize("how", ["other octets", "another's part", "no data part"])
def test_what_is_not_what_the_box_built_is_refused_in_words(desk: Shelf, how: str) -> None:
    if how == "no data part":
        desk.packed = b"x" * 10
        plain = {0: desk.packed}
    else:
        plain = {0: desk.packed[:PART_OCTETS]}
    key = desk.opener.public_key()
    number = 1 if how == "another's part" else 0
    wrong = plain[0] if how == "no data part" else b"y" + plain[0][1:]
    sealed = seal_part(wrong, bundle_id="bundle-1", number=number, recipient=key)
    desk.parts = [sealed] if how == "no data part" else [sealed, *desk.parts[1:]]
    desk.say(desk.built())
    for each in range(len(desk.parts)):
        desk.say(desk.part(each))
    assert desk.turn()
    found = desk.only()
    assert found.state == "failed"
    assert "cannot be completed" in found.problem
    assert desk.zip() == b""


def test_what_was_not_asked_for_or_cannot_be_is_not_taken(desk: Shelf) -> None:
    desk.say(desk.built(bundle_id="another"))
    desk.say(desk.built(), site="box-2")
    desk.say(desk.part(0))
    with desk.engine.connect() as connection:
        assert shelf.bundles_of(connection, SITE) == shelf.bundles_of(connection, "box-2") == []
    desk.say(desk.built(octets=10**9))
    assert desk.only().state == "failed"
    desk.say(desk.part(0))
    assert desk.only().arrived == 0


def test_parts_beyond_the_bound_are_not_kept(desk: Shelf) -> None:
    desk.say(desk.built())
    desk.say(BundlePart(bundle_id="bundle-1", number=len(desk.parts), data=desk.part(0).data))
    desk.say(BundlePart(bundle_id="bundle-1", number=0, data="not base64"))
    desk.say(BundlePart(bundle_id="bundle-1", number=0, data=base64.b64encode(bytes(PART_OCTETS + 49)).decode()))
    assert desk.only().arrived == 0


def test_a_box_that_could_not_says_why(desk: Shelf) -> None:
    desk.say(desk.built(problem="It would be too large to carry.", parts=0, octets=0, records=0))
    assert (desk.only().state, desk.only().problem) == ("failed", "It would be too large to carry.")
    assert desk.ask(NOW + 5) == []


def test_when_the_box_has_deleted_it_the_rest_is_not_asked_for(desk: Shelf) -> None:
    desk.say(desk.built())
    assert desk.ask(NOW + 8 * 86_400) == []
    assert "Ask for it anew" in desk.only().problem


@pytest.mark.req("N17")
def test_when_its_time_is_over_only_that_it_was_is_left_and_there_is_room_for_another(
    desk: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.say(desk.built())
    for number in range(len(desk.parts)):
        desk.say(desk.part(number))
    desk.turn()
    digest = desk.only().sha256
    with desk.engine.begin() as connection:
        purge(connection, tenant=TENANT, now=NOW + 29 * 86_400)
        for table in (schema.bundle_part, schema.bundle_file):
            assert connection.execute(select(table)).all() == []
        assert connection.execute(select(schema.audit.c.subject)).scalars().all() == [f"{SITE}: bundle 1"]
    assert (desk.only().state, desk.only().sha256) == ("gone", digest)
    monkeypatch.setattr(shelf, "MAX_BUNDLES", 1)
    desk.say(desk.built())
    assert desk.only().state == "gone", "a repetition does not begin it anew"
    with desk.engine.begin() as connection:
        purge(connection, tenant=TENANT, now=NOW + 800 * 86_400)
        assert connection.execute(select(schema.bundle)).all() == []


def test_a_household_has_few_bundles(desk: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MAX_BUNDLES", 0)
    desk.say(desk.built())
    with desk.engine.connect() as connection:
        assert shelf.bundles_of(connection, SITE) == []
