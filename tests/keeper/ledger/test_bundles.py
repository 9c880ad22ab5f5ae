from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import verify
from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.ledger import bundles as module
from appliance.keeper.store.bundles import MAX_BUNDLES
from dashboard.bundles.assemble import Known, complete
from dashboard.bundles.parts import unpack
from wire.acts import BuildBundle, FetchBundle
from wire.base import Payload, Standing
from wire.batch import Batch
from wire.bundles import BundleBuilt, BundlePart, open_part
from wire.codec import read_payload
from wire.keys import public_text
from wire.ledger import Head, HeadCosigned, cosigned_bytes, signed
from wire.models import CommandResult, Outcome

LAPTOP, PHONE = "00:00:5e:00:53:01", "02:00:00:00:00:02"
SITE, TENANT = "box-1", "force-a"


class Desk:
    """The dashboard's end of a bench."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.said: list[Payload] = []

    def take(self, heard: Iterable[m.Message]) -> None:
        for message in heard:
            if isinstance(message, m.Outbound):
                payload = self.bench.open(message).payload
                items = payload.items if isinstance(payload, Batch) else ()
                self.said += [read_payload(item.type, item.body.encode()) for item in items] or [payload]

    def wait(self, times: int = 1, seconds: float = 1.0) -> None:
        for _ in range(times):
            self.take(self.bench.wait(seconds))
            self.bench.hear(Peer.COURIER, m.Credit(count=64))

    def of(self, kind: type[Any]) -> list[Any]:
        """Each once: what nobody receipts is said again."""
        found: list[Any] = []
        for payload in self.said:
            if isinstance(payload, kind) and payload not in found:
                found.append(payload)
        return found

    def order(self, body: Any, **changes: Any) -> CommandResult:
        before = len(self.of(CommandResult))
        fields = {"second": "officer-2", **changes}
        self.take(self.bench.down(self.bench.command("d-none", Standing.UNKNOWN, body=body, **fields)))
        self.wait()
        answers = self.of(CommandResult)[before:]
        assert len(answers) == 1
        found: CommandResult = answers[0]
        return found

    def cosign(self) -> Head:
        """Counter-sign the last head."""
        head: Head = self.of(Head)[-1]
        at = datetime.fromtimestamp(self.bench.wall, UTC)
        told = cosigned_bytes(tenant=TENANT, site=SITE, epoch=head.epoch, size=head.size, root=head.root, at=at)
        said = HeadCosigned(
            epoch=head.epoch, size=head.size, root=head.root, at=at, signature=signed(self.bench.server_key, told)
        )
        self.take(self.bench.down(said))
        return head

    def build(self, name: str = "bundle-1", **changes: Any) -> BuildBundle:
        now = datetime.fromtimestamp(self.bench.wall, UTC)
        fields: dict[str, Any] = {
            "bundle_id": name,
            "purpose": "evidence",
            "since": now - timedelta(days=1),
            "until": now,
        }
        return BuildBundle(**(fields | {"reason": "a hearing"} | changes))

    def data(self, built: BundleBuilt) -> bytes:
        """The data part, from parts in any order."""
        found = {}
        for part in self.of(BundlePart):
            sealed = base64.b64decode(part.data)
            found[part.number] = open_part(
                sealed, bundle_id=built.bundle_id, number=part.number, key=self.bench.server_opener
            )
        return b"".join(found[number] or b"" for number in range(built.parts))


@pytest.fixture
def desk(bench: Any) -> Desk:
    """A household that has been watched for a while, with a counter-signed log."""
    bench.online()
    desk = Desk(bench)
    bench.give(LAPTOP, Standing.REGISTERED)
    bench.give(PHONE, Standing.HOUSEHOLD)
    desk.wait(140)
    desk.cosign()
    return desk


def whole(desk: Desk, built: BundleBuilt) -> bytes:
    given = unpack(desk.data(built))
    head = json.loads(given["heads.jsonl"].splitlines()[-1])["head"]
    known = Known(epoch=head["epoch"], size=head["size"], root=head["root"])
    return complete(given, known, box_key=public_text(desk.bench.box_key), signer=desk.bench.server_key)


@pytest.mark.req("R68", "N3")
def test_from_an_order_of_two_people_to_a_bundle_that_holds(desk: Desk) -> None:
    assert desk.order(desk.build()).outcome is Outcome.APPLIED
    desk.wait(5)
    [built] = desk.of(BundleBuilt)
    assert built.problem == ""
    assert built.records > 0
    assert desk.order(FetchBundle(bundle_id="bundle-1"), second=None).outcome is Outcome.APPLIED
    desk.wait(5)
    check = verify.Check(whole(desk, built)).run()
    assert check.bad == []
    told = json.loads(check.files["box.json"])
    assert (told["by"], told["second"], told["break_glass"]) == ("officer-1", "officer-2", False)
    assert check.files["authority.jsonl"].count(b"\n") == 1


@pytest.mark.req("N2", "R68")
def test_one_person_is_not_enough_but_in_an_emergency_for_an_hour(desk: Desk) -> None:
    assert desk.order(desk.build(), second=None).outcome is Outcome.REFUSED
    assert desk.order(desk.build(), second="officer-1").outcome is Outcome.REFUSED
    assert desk.order(desk.build(), second=None, break_glass=True).outcome is Outcome.APPLIED
    desk.wait(5)
    [built] = desk.of(BundleBuilt)
    assert built.expires - built.at <= timedelta(hours=1)
    assert desk.bench.store.bundles.path("bundle-1").exists()
    desk.wait(1, 3600)
    assert not desk.bench.store.bundles.path("bundle-1").exists()
    result = desk.order(FetchBundle(bundle_id="bundle-1"), second=None)
    assert (result.outcome, "does not hold" in result.detail) == (Outcome.REFUSED, True)


@pytest.mark.req("N3")
def test_what_lies_on_the_box_cannot_be_read_there(desk: Desk) -> None:
    desk.order(desk.build())
    desk.wait(5)
    path = desk.bench.store.bundles.path("bundle-1")
    assert LAPTOP.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = desk.bench.store.bundles.part("bundle-1", 0)
    assert open_part(sealed, bundle_id="bundle-1", number=0, key=desk.bench.box_opener) is None
    assert open_part(sealed, bundle_id="bundle-1", number=1, key=desk.bench.server_opener) is None


@pytest.mark.req("N3")
def test_a_restart_while_it_is_built_begins_it_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINES_A_TURN", 1)
    desk.take(desk.bench.down(desk.bench.command("d-none", Standing.UNKNOWN, body=desk.build(), second="officer-2")))
    desk.wait(2)
    assert desk.of(BundleBuilt) == []
    desk.bench.stop()
    monkeypatch.undo()
    desk.bench.start(None)
    desk.bench.online()
    desk.wait(8)
    assert len(desk.of(BundleBuilt)) == 1
    files = sorted(path.name for path in desk.bench.store.bundles.path("bundle-1").parent.iterdir())
    assert files == ["bundle-1.sealed"]
    desk.order(FetchBundle(bundle_id="bundle-1"), second=None)
    desk.wait(5)
    assert verify.Check(whole(desk, desk.of(BundleBuilt)[0])).run().bad == []


@pytest.mark.req("N12")
def test_a_person_s_own_records_name_nobody_else(desk: Desk) -> None:
    bench = desk.bench
    mine, theirs = bench.device(LAPTOP).device_id, bench.device(PHONE).device_id
    refused = desk.order(desk.build(purpose="access"))
    assert refused.outcome is Outcome.REFUSED
    assert desk.order(desk.build("own-1", purpose="access", device_ids=(mine,))).outcome is Outcome.APPLIED
    desk.wait(5)
    desk.order(FetchBundle(bundle_id="own-1"), second=None)
    desk.wait(5)
    [built] = desk.of(BundleBuilt)
    given = unpack(desk.data(built))
    text = b"".join(given.values()).decode(errors="replace")
    assert mine in text
    assert theirs not in text
    assert PHONE not in text
    assert verify.Check(whole(desk, built)).run().bad == []


@pytest.mark.req("N3")
def test_a_turn_writes_little(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINES_A_TURN", 5)
    monkeypatch.setattr("appliance.keeper.ledger.bundle.PORTION", 4)
    desk.take(desk.bench.down(desk.bench.command("d-none", Standing.UNKNOWN, body=desk.build(), second="officer-2")))
    turns = 0
    while not desk.of(BundleBuilt):
        assert desk.bench.core.busy
        desk.wait()
        turns += 1
    size = desk.bench.store.ledger.log.heads()[-1].size
    assert turns >= size // 8


def test_orders_that_cannot_be_followed_are_refused_in_words(desk: Desk) -> None:
    now = datetime.fromtimestamp(desk.bench.wall, UTC)
    for order in (
        desk.build(since=now, until=now),
        desk.build(device_ids=("d-unknown",)),
        FetchBundle(bundle_id="nothing"),
    ):
        result = desk.order(order)
        assert result.outcome is Outcome.REFUSED
        assert result.detail


@pytest.mark.req("N3")
def test_what_is_yet_to_come_is_not_promised(desk: Desk) -> None:
    now = datetime.fromtimestamp(desk.bench.wall, UTC)
    assert desk.order(desk.build(since=now + timedelta(days=1), until=now + timedelta(days=2))).detail
    assert desk.order(desk.build("later", until=now + timedelta(days=2))).outcome is Outcome.APPLIED
    desk.wait(5)
    desk.order(FetchBundle(bundle_id="later"), second=None)
    desk.wait(5)
    [built] = desk.of(BundleBuilt)
    told = json.loads(unpack(desk.data(built))["box.json"])
    # A head that is signed after this must not look as if the bundle should hold it.
    assert told["until_ms"] <= built.at.timestamp() * 1000


@pytest.mark.req("N3")
def test_what_the_server_has_is_deleted_here_and_makes_room(desk: Desk) -> None:
    for number in range(MAX_BUNDLES):
        desk.order(desk.build(f"b-{number}"))
    desk.wait(10)
    built = next(said for said in desk.of(BundleBuilt) if said.bundle_id == "b-0")
    assert desk.bench.store.bundles.path("b-0").exists()
    assert desk.order(FetchBundle(bundle_id="b-0", first=built.parts), second=None).outcome is Outcome.APPLIED
    assert not desk.bench.store.bundles.path("b-0").exists()
    assert desk.order(desk.build("one-more")).outcome is Outcome.APPLIED
    again = desk.order(FetchBundle(bundle_id="b-0", first=built.parts), second=None)
    assert (again.outcome, "does not hold" in again.detail) == (Outcome.REFUSED, True)


def test_the_box_holds_few_at_a_time(desk: Desk) -> None:
    for number in range(MAX_BUNDLES):
        assert desk.order(desk.build(f"b-{number}")).outcome is Outcome.APPLIED
    assert desk.order(desk.build("b-0")).outcome is Outcome.REFUSED
    assert "already" in desk.order(desk.build("one-more")).detail


def test_too_large_a_bundle_is_refused_in_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DATA", 100)
    desk.order(desk.build())
    desk.wait(5)
    [built] = desk.of(BundleBuilt)
    assert "too large" in built.problem
    assert desk.bench.store.bundles.all() == []
    assert not list(desk.bench.store.bundles.path("x").parent.iterdir())


def test_a_log_without_a_head_says_so(make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> None:
    bench = make_bench(signed())
    bench.online()
    desk = Desk(bench)
    bench.store._db.execute("create trigger none after insert on ledger_head begin delete from ledger_head; end")
    bench.store._db.execute("delete from ledger_head")
    desk.order(desk.build())
    desk.wait(2)
    assert ["not signed its log" in said.problem for said in desk.of(BundleBuilt)] == [True]
