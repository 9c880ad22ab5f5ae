"""Opened messages into rows, on SQLite, without a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update

from dashboard.ingest.apply import Applied, apply
from dashboard.ingest.opening import Arrived, Refusal, open_batch
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.base import Correction, Payload, Standing
from wire.box import BoxStatus
from wire.codec import Opened, payload_json, seal, topic_for
from wire.findings import Finding
from wire.keys import public_text
from wire.models import (
    Command,
    CommandResult,
    Device,
    Outcome,
    Presence,
    PresenceState,
    Proposal,
    Receipt,
    Session,
    type_of,
)
from wire.orders import SetStanding

NOW = 1_772_000_000.0
TENANT = "example"


class Desk:
    """A database with one site, and the keys of both ends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.box = Ed25519PrivateKey.generate()
        self.box_sealing = X25519PrivateKey.generate()
        self.server = X25519PrivateKey.generate()
        with engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site="site-1",
                    tenant=TENANT,
                    title="Household 1",
                    verify_key=public_text(self.box),
                    seal_key=public_text(self.box_sealing),
                )
            )
            connection.execute(
                schema.account.insert().values(account_id="officer-1", name="Officer", role="officer", failures=0)
            )

    def arrived(
        self,
        payload: Payload,
        id_: str,
        *,
        site: str = "site-1",
        tenant: str = TENANT,
        signer: Ed25519PrivateKey | None = None,
    ) -> Arrived:
        topic = topic_for(payload, tenant=tenant, site=site)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=id_,
            sequence=1,
            at=_at(),
            signer=signer or self.box,
            recipient=self.server.public_key(),
        )
        return Arrived(topic=str(topic), body=body, packet=1, connection=1)

    def take(self, *batch: Arrived, now: float = NOW) -> tuple[Applied, list[Refusal]]:
        with self.engine.begin() as connection:
            opened = open_batch(connection, batch, tenant=TENANT, sealing_key=self.server)
            applied = apply(connection, [item for item in opened if isinstance(item, Opened)], now)
        return applied, [item for item in opened if isinstance(item, Refusal)]

    def rows(self, table: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(select(table)))

    def clear(self) -> None:
        with self.engine.begin() as connection:
            for table in (
                schema.event,
                schema.device,
                schema.finding,
                schema.proposal,
                schema.stay,
                schema.command,
            ):
                connection.execute(delete(table))


def _at() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    engine = open_engine(database_url)
    upgrade(engine)
    yield Desk(engine)
    engine.dispose()


MakeDevice = Callable[..., Device]
MakeFinding = Callable[..., Finding]


@pytest.mark.req("R11")
def test_a_batch_becomes_rows_and_numbers_to_receipt(desk: Desk, device: MakeDevice, finding: MakeFinding) -> None:
    applied, refusals = desk.take(desk.arrived(device(1), "e1-1"), desk.arrived(finding(1), "e1-2"))
    assert refusals == applied.refusals == []
    assert applied.numbers == {("site-1", "e1"): {1, 2}}
    assert (applied.stored, applied.repeated) == (2, 0)
    stored = desk.rows(schema.finding)[0]
    assert stored.payload["reasons"] == ["It has not been registered."]
    assert stored.stored_at == NOW
    assert desk.rows(schema.device)[0].first_seen == _at().timestamp()
    assert desk.rows(schema.site)[0].heard_at == NOW


def test_a_repetition_is_one_row_and_receipted_again(desk: Desk, device: MakeDevice) -> None:
    message = desk.arrived(device(1), "e1-1")
    desk.take(message, message)
    applied, _ = desk.take(message)
    assert applied.numbers == {("site-1", "e1"): {1}}
    assert (applied.stored, applied.repeated) == (0, 1)
    assert len(desk.rows(schema.event)) == 1


def test_the_same_id_with_another_payload_is_neither_accepted_nor_receipted(desk: Desk, device: MakeDevice) -> None:
    desk.take(desk.arrived(device(1), "e1-1"))
    applied, _ = desk.take(desk.arrived(device(1, 2), "e1-1"), desk.arrived(device(2), "e1-2"))
    assert [(item.action, item.site) for item in applied.refusals] == [("event-conflict", "site-1")]
    assert applied.numbers == {("site-1", "e1"): {2}}
    assert {(row.device_id, row.revision) for row in desk.rows(schema.device)} == {("device-1", 1), ("device-2", 1)}
    both, _ = desk.take(desk.arrived(device(3), "e1-3"), desk.arrived(device(3, 2), "e1-3"))
    assert len(both.refusals) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(1, 6)), cuts=st.sets(st.integers(1, 4)), again=st.lists(st.integers(0, 4), max_size=4)
)
def test_any_order_and_any_repetition_end_in_the_highest_revision(  # noqa: PLR0917 - fixtures
    order: list[int], cuts: set[int], again: list[int], desk: Desk, device: MakeDevice, finding: MakeFinding
) -> None:
    desk.clear()
    messages = [desk.arrived(device(1, revision), f"e1-{revision}") for revision in order]
    messages += [desk.arrived(finding(1, revision), f"e1-{revision + 10}") for revision in order]
    messages += [messages[index] for index in again]
    start = 0
    for end in [*sorted(cuts), len(messages)]:
        desk.take(*messages[start:end])
        start = end
    assert desk.rows(schema.device)[0].revision == 5
    found = desk.rows(schema.finding)[0]
    assert (found.revision, found.count, found.payload["count"]) == (5, 5, 5)
    assert len(desk.rows(schema.event)) == 10


def _known(revision: int) -> Device:
    said = {"correction": Correction(category="tv"), "key_id": "k-1", "standing": Standing.UNKNOWN}
    said |= {"presence": Presence(state=PresenceState.LEFT, since=_at()), "first_seen": _at(), "last_seen": _at()}
    root = "device-2" if revision % 2 else None
    return Device.model_validate(
        {"device_id": "device-1", "revision": revision, "addresses": (), "merged_into": root} | said
    )


def _proposal(revision: int) -> Proposal:
    pair = {"proposal_id": "proposal-1", "device_id": "device-1", "other_id": "device-2", "raised_at": _at()}
    said = {"reasons": ["Both give the same name."], "against": ["One left late."], "probability": revision / 10}
    state = "open" if revision < 5 else "confirmed"
    return Proposal.model_validate({**pair, **said, "revision": revision, "state": state})


def _stay(revision: int) -> Session:
    stay = {"session_id": "session-1", "device_id": "device-1", "mac": "02:00:5e:00:53:01", "started": _at()}
    over = {"ended": _at() + timedelta(hours=1), "ended_because": "It left."} if revision == 5 else {}
    return Session.model_validate({**stay, **over, "revision": revision, "asleep_seconds": revision * 60})


@pytest.mark.req("N8", "R13")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(1, 6)), cuts=st.sets(st.integers(1, 12)), again=st.lists(st.integers(0, 14), max_size=4)
)
def test_proposals_stays_and_merges_end_in_the_highest_revision(
    order: list[int], cuts: set[int], again: list[int], desk: Desk
) -> None:
    desk.clear()
    messages = [
        desk.arrived(make(revision), f"e1-{revision + 10 * kind}")
        for kind, make in enumerate((_known, _proposal, _stay))
        for revision in order
    ]
    messages += [messages[index] for index in again]
    start = 0
    for end in [*sorted(cuts), len(messages)]:
        applied, refusals = desk.take(*messages[start:end])
        assert applied.refusals == refusals == []
        start = end
    (device,) = desk.rows(schema.device)
    assert (device.revision, device.merged_into, device.key_id) == (5, "device-2", "k-1")
    assert device.correction == {"category": "tv"}
    assert device.presence["state"] == "left"
    (proposal,) = desk.rows(schema.proposal)
    assert (proposal.revision, proposal.state, proposal.probability) == (5, "confirmed", 0.5)
    assert (proposal.reasons, proposal.against) == (["Both give the same name."], ["One left late."])
    (stay,) = desk.rows(schema.stay)
    assert (stay.revision, stay.ended, stay.asleep_seconds) == (5, _at().timestamp() + 3600, 300)
    assert stay.ended_because == "It left."
    assert len(desk.rows(schema.event)) == 15


def test_a_device_that_is_itself_again_says_so(desk: Desk) -> None:
    desk.take(desk.arrived(_known(1), "e1-1"))
    desk.take(desk.arrived(_known(2).model_copy(update={"correction": None, "presence": None}), "e1-2"))
    (row,) = desk.rows(schema.device)
    assert (row.merged_into, row.correction, row.presence) == (None, None, None)


def test_what_is_not_this_boxs_word_is_refused(desk: Desk, device: MakeDevice) -> None:
    honest = desk.arrived(device(1), "e1-1")
    moved = Arrived(topic="gatehouse/v1/example/site-2/state/device", body=honest.body, packet=1, connection=1)
    strange = Arrived(topic="other/topic", body=b"", packet=1, connection=1)
    down = desk.arrived(Receipt(epoch="e1", ranges=((1, 1),), at=_at()), "e1-9")
    applied, refusals = desk.take(
        strange,
        moved,
        desk.arrived(device(1), "e1-1", signer=Ed25519PrivateKey.generate()),
        desk.arrived(device(1), "e1-1", tenant="other"),
        down,
        Arrived(topic=honest.topic, body=honest.body[:-40], packet=1, connection=1),
        desk.arrived(device(1), "no-number"),
    )
    whys = [item.why for item in refusals + applied.refusals]
    assert whys[:2] == ["not a topic of ours", "unknown site"]
    assert whys[2:5] == ["signed by no known key", "unknown site", "not a message a box may send"]
    assert "not an envelope" in whys[5]
    assert whys[6] == "an event's id is epoch-number"
    assert desk.rows(schema.event) == []
    assert applied.numbers == {}


def test_a_message_moved_to_another_known_site_is_refused(desk: Desk, device: MakeDevice) -> None:
    with desk.engine.begin() as connection:
        connection.execute(
            schema.site.insert().values(
                site="site-2", tenant=TENANT, title="2", verify_key=public_text(desk.box), seal_key="x"
            )
        )
    honest = desk.arrived(device(1), "e1-1")
    moved = Arrived(topic=honest.topic.replace("site-1", "site-2"), body=honest.body, packet=1, connection=1)
    _, refusals = desk.take(moved)
    assert [item.why for item in refusals] == ["source does not fit the topic"]


def test_a_broken_key_in_the_site_table_is_said(desk: Desk, device: MakeDevice) -> None:
    with desk.engine.begin() as connection:
        connection.execute(update(schema.site).values(verify_key="nonsense"))
    _, refusals = desk.take(desk.arrived(device(1), "e1-1"))
    assert "not a key" in refusals[0].why


def test_statuses_only_move_forward_and_a_will_says_gone(desk: Desk) -> None:
    def status(number: int, outbox: int, *, online: bool = True, epoch: str = "e1", later: int = 0) -> Arrived:
        payload = BoxStatus(online=online, at=_at() + timedelta(seconds=later), outbox=outbox)
        return desk.arrived(payload, f"{epoch}-s{number}")

    will = status(1, 0, online=False)
    desk.take(status(2, 20, later=60), now=NOW)
    desk.take(status(3, 30, later=30), now=NOW + 1)  # the box's clock went back; its numbers did not
    assert desk.rows(schema.site)[0].status["outbox"] == 30
    desk.take(status(2, 20, later=60), now=NOW + 2)
    assert desk.rows(schema.site)[0].status["outbox"] == 30
    desk.take(will, now=NOW + 3)
    site = desk.rows(schema.site)[0]
    assert (site.status["online"], site.status["outbox"], site.heard_at) == (False, 30, NOW + 1)
    desk.take(status(4, 40, later=31), now=NOW + 4)
    assert desk.rows(schema.site)[0].status["online"] is True
    desk.take(status(1, 50, epoch="e2", later=29), now=NOW + 5)
    assert desk.rows(schema.site)[0].status["outbox"] == 40, "an older database's status, seen later"
    desk.take(status(1, 60, epoch="e3", later=90), now=NOW + 6)
    assert desk.rows(schema.site)[0].status["outbox"] == 60
    desk.take(desk.arrived(BoxStatus(online=True, at=_at() + timedelta(days=1)), "strange"), now=NOW + 7)
    assert desk.rows(schema.site)[0].status["outbox"] == 60
    assert desk.rows(schema.event) == []


@pytest.mark.req("R19")
def test_old_messages_repeated_do_not_make_a_silent_box_look_alive(desk: Desk, device: MakeDevice) -> None:
    status = desk.arrived(BoxStatus(online=True, at=_at()), "e1-s1")
    event = desk.arrived(device(1), "e1-1")
    desk.take(status, event)
    desk.take(status, event, now=NOW + 600)
    assert desk.rows(schema.site)[0].heard_at == NOW
    desk.take(desk.arrived(BoxStatus(online=True, at=_at()), "e1-s2"), now=NOW + 700)
    assert desk.rows(schema.site)[0].heard_at == NOW + 700


def test_a_will_before_any_status_is_kept(desk: Desk) -> None:
    desk.take(desk.arrived(BoxStatus(online=False, at=_at()), "e1-s1"))
    assert desk.rows(schema.site)[0].status["online"] is False
    assert desk.rows(schema.site)[0].heard_at is None


def _command(desk: Desk, state: str = "sent") -> None:
    body = SetStanding(device_id="device-1", standing=Standing.HOUSEHOLD).model_dump(mode="json")
    with desk.engine.begin() as connection:
        connection.execute(
            schema.command.insert().values(
                command_id="command-1",
                site="site-1",
                sequence=1,
                device_id="device-1",
                body=body,
                reason="asked",
                by="officer-1",
                created_at=NOW,
                expires_at=NOW + 600,
                state=state,
                detail="",
            )
        )


@pytest.mark.parametrize(
    ("outcomes", "final"),
    [
        (["applied"], "applied"),
        (["refused", "applied"], "refused"),
        (["applied", "out-of-sequence"], "applied"),
        (["out-of-sequence", "applied"], "applied"),
        (["expired", "applied"], "applied"),
        (["expired", "refused"], "expired"),
    ],
)
@pytest.mark.parametrize("before", ["sent", "unanswered"])
def test_the_first_answer_stands_but_applied_overrules_a_lesser_one(
    desk: Desk, outcomes: list[str], final: str, before: str
) -> None:
    _command(desk, before)
    for number, outcome in enumerate(outcomes, start=1):
        result = CommandResult(command_id="command-1", outcome=Outcome(outcome), detail="why", at=_at())
        applied, _ = desk.take(desk.arrived(result, f"e1-{number}"))
        assert applied.numbers == {("site-1", "e1"): {number}}
    row = desk.rows(schema.command)[0]
    assert (row.state, row.detail, row.answered_at) == (final, "why", NOW)


def test_a_box_cannot_answer_for_another(desk: Desk) -> None:
    _command(desk)
    with desk.engine.begin() as connection:
        other = Ed25519PrivateKey.generate()
        connection.execute(
            schema.site.insert().values(
                site="site-2", tenant=TENANT, title="2", verify_key=public_text(other), seal_key="x"
            )
        )
    result = CommandResult(command_id="command-1", outcome=Outcome.APPLIED, at=_at())
    desk.take(desk.arrived(result, "e9-1", site="site-2", signer=other))
    assert desk.rows(schema.command)[0].state == "sent"


def test_a_command_is_no_event(desk: Desk) -> None:
    body = SetStanding(device_id="device-1", standing=Standing.HOUSEHOLD)
    command = Command(command_id="c", sequence=1, issued_at=_at(), expires_at=_at(), by="officer-1", body=body)
    _, refusals = desk.take(desk.arrived(command, "e1-1"))
    assert refusals[0].why == "not a message a box may send"
    with desk.engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(schema.event)).scalar_one() == 0
