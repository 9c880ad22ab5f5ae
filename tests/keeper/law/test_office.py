from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance.keeper.authority import Reason
from appliance.keeper.core import Peer
from wire.acts import PauseRecording, ResumeRecording, SetAuthority, WithdrawConsent
from wire.authority import CollectClause, Consent, DataClass
from wire.base import Payload, Standing
from wire.findings import FindingKind, Severity
from wire.models import Command, CommandResult, Outcome

START = 1_900_000_000.0
PHONE = "02:00:00:00:00:02"
MORE = (CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.SIGNS)),)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


@pytest.fixture
def order(bench: Any) -> Callable[..., tuple[Outcome, str, list[Any]]]:
    """Give an order; its outcome, what was said, and all that went out."""

    def give(body: Payload, **changes: Any) -> tuple[Outcome, str, list[Any]]:
        bench.sequence += 1
        fields = {
            "command_id": f"c-{bench.sequence}",
            "sequence": bench.sequence,
            "issued_at": datetime.fromtimestamp(bench.wall, UTC),
            "expires_at": datetime.fromtimestamp(bench.wall, UTC) + timedelta(minutes=5),
            "by": "officer-1",
            "body": body,
        }
        sent = bench.down(Command(**(fields | changes)))
        result = next(each for each in bench.payloads(sent) if isinstance(each, CommandResult))
        return result.outcome, result.detail, sent

    return give


def recording(bench: Any) -> bool:
    before = bench.rows("device")
    bench.sight(f"02:00:00:00:07:{before:02x}")
    return bool(bench.rows("device") > before)


def reason(bench: Any) -> Reason:
    found = bench.core._judgement.reason
    assert isinstance(found, Reason)
    return found


@pytest.mark.req("R54")
def test_a_pause_stops_recording_at_once_and_ends_by_itself(bench: Any, order: Any) -> None:
    outcome, _detail, sent = order(PauseRecording(until=at(600), reason="A visit."))
    assert outcome is Outcome.APPLIED
    assert [each.kind for each in bench.law(sent)] == [FindingKind.AUTHORITY_CHANGED]
    assert not recording(bench)
    assert "paused until" in bench.core._judgement.sentence
    bench.wait(599)
    assert not recording(bench)
    bench.wait(2)
    assert recording(bench)


@pytest.mark.req("R54")
def test_a_clock_set_forward_does_not_put_a_pause_off(make_served: Any, signed: Any) -> None:
    served = make_served(signed(not_after=at(900_000)))
    bench = served.bench
    served.online()
    bench.store.set("command_sequence", "0")  # an order was followed before: none is taken for an old one
    served.wait(5.0, wall=bench.wall + 86_400)
    now = datetime.fromtimestamp(served.true, UTC)
    dates = {"issued_at": now, "expires_at": now + timedelta(days=7)}
    for body in (PauseRecording(until=at(3600), reason="A visit."), PauseRecording(reason="A visit.")):
        sent = bench.down(bench.command("d-none", Standing.UNKNOWN, body=body, **dates))
        assert [each.outcome for each in bench.payloads(sent) if isinstance(each, CommandResult)] == [Outcome.APPLIED]
    served.answer()
    assert bench.core.anew
    served.restart(signed(not_after=at(900_000)))
    served.online()
    served.wait(1.0)
    served.answer()
    assert reason(bench) is Reason.PAUSED
    assert not recording(bench)


@pytest.mark.req("R54", "N2")
def test_to_go_on_before_a_pause_is_over_takes_two(bench: Any, order: Any, signed: Any) -> None:
    order(PauseRecording(reason="A death in the family."))
    bench.stop()
    bench.start(signed())
    bench.online()
    assert reason(bench) is Reason.PAUSED, "over a restart too"
    alone = order(ResumeRecording(reason="It is over."))
    assert alone[0] is Outcome.REFUSED
    assert "two people" in alone[1]
    assert order(ResumeRecording(reason="It is over."), second="officer-1")[0] is Outcome.REFUSED
    assert order(ResumeRecording(reason="It is over."), second="officer-2")[0] is Outcome.APPLIED
    assert recording(bench)
    assert order(ResumeRecording(reason="Again."), second="officer-2")[0] is Outcome.REFUSED
    assert order(PauseRecording(until=at(-60), reason="Late."))[0] is Outcome.REFUSED


@pytest.mark.req("R54", "R60")
def test_a_withdrawal_holds_until_a_higher_number(bench: Any, order: Any, signed: Any) -> None:
    assert order(WithdrawConsent(reason="The person said so."))[0] is Outcome.APPLIED
    assert reason(bench) is Reason.WITHDRAWN
    assert not recording(bench)
    bench.document(signed())
    assert reason(bench) is Reason.WITHDRAWN, "the same document does not end it"
    bench.stop()
    bench.start(signed())
    bench.online()
    assert reason(bench) is Reason.WITHDRAWN
    bench.document(signed(number=2, issued_at=at(0)))
    assert recording(bench)


@pytest.mark.req("R54", "N1")
def test_offline_for_a_month_it_stops_before_its_end_by_the_error_of_the_clock(make_served: Any, signed: Any) -> None:
    """A slow quartz would otherwise go on for minutes after the end."""
    served = make_served(signed(not_after=at(30 * 86400)))
    served.online()
    served.answer()
    served.bench.gone(Peer.COURIER)
    served.wait(30 * 86400 - 280)
    assert reason(served.bench) is Reason.IN_FORCE
    served.wait(30)
    assert reason(served.bench) is Reason.EXPIRED


@pytest.mark.req("R54", "R60")
def test_a_variation_that_waited_does_not_end_a_withdrawal(bench: Any, order: Any, signed: Any) -> None:
    later = signed(number=2, not_before=at(100)).decode()
    assert order(SetAuthority(document=later))[0] is Outcome.APPLIED
    assert order(WithdrawConsent(reason="The person said so."))[0] is Outcome.APPLIED
    bench.wait(101)
    assert reason(bench) is Reason.WITHDRAWN
    assert not recording(bench)


@pytest.mark.req("R54", "R60", "N2")
def test_to_record_again_after_a_withdrawal_takes_two(bench: Any, order: Any, signed: Any) -> None:
    order(WithdrawConsent(reason="The person said so."))
    again = SetAuthority(document=signed(number=2).decode())
    outcome, detail, _sent = order(again)
    assert outcome is Outcome.REFUSED
    assert "begin again" in detail
    over = SetAuthority(document=signed(number=2, withdrawn_at=at(-1)).decode())
    assert order(over)[0] is Outcome.APPLIED, "what lets nothing be recorded takes one"
    assert order(SetAuthority(document=signed(number=3).decode()))[0] is Outcome.REFUSED
    assert order(SetAuthority(document=signed(number=3).decode()), second="officer-2")[0] is Outcome.APPLIED
    assert recording(bench)


@pytest.mark.req("R60", "N2")
def test_a_consent_that_was_missing_takes_two(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(kind="consent"))
    bench.online()
    given = Consent(id="adult-1", role="adult", kind="consent", given_at=at(60))
    body = SetAuthority(document=signed(number=2, kind="consent", consents=(given,)).decode())
    bench.down(bench.command("d-none", Standing.UNKNOWN, body=body, second=None))
    bench.wait(61)
    assert not recording(bench)


@pytest.mark.req("R54", "N2")
def test_one_person_does_not_undo_what_waits_for_its_day(bench: Any, order: Any, signed: Any) -> None:
    less = (CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),)
    waits = signed(number=3, not_before=at(100), clauses=less).decode()
    assert order(SetAuthority(document=waits))[0] is Outcome.APPLIED
    assert order(SetAuthority(document=signed(number=2).decode()), second="officer-2")[0] is Outcome.REFUSED, "older"
    wide = SetAuthority(document=signed(number=4, not_before=at(100)).decode())
    assert order(wide)[0] is Outcome.REFUSED
    bench.wait(101)
    assert bench.core._judgement.scope.authority.number == 3


@pytest.mark.req("N1")
def test_a_restart_before_it_was_told_compares_with_the_one_before(make_served: Any, signed: Any) -> None:
    """The file is taken away and another comes while nobody vouches for the time, and the keeper starts again."""
    served = make_served(signed())
    served.online()
    served.answer()
    served.restart(None, boot="cd34")
    served.bench.document(signed(number=2, clauses=MORE))
    served.restart(signed(number=2, clauses=MORE))
    served.online()
    told = served.bench.law(served.answer()) + served.bench.law(served.wait(1.0))
    (changed,) = [each for each in told if each.kind is FindingKind.AUTHORITY_CHANGED]
    assert any("signs" in each for each in changed.reasons)
    assert not any("no authority before" in each for each in changed.reasons)


@pytest.mark.req("R54", "R60")
def test_a_consent_that_is_needed_ends_the_authority_when_it_is_withdrawn(bench: Any, order: Any, signed: Any) -> None:
    given = Consent(id="adult-1", role="adult", kind="consent", given_at=at(-7200))
    told = Consent(id="adult-2", role="adult", kind="notice", given_at=at(-7200))
    bench.document(signed(number=2, consents=(given, told)))
    assert recording(bench)
    assert order(WithdrawConsent(consent="adult-2", reason="No."))[0] is Outcome.REFUSED, "nothing rests on it"
    assert order(WithdrawConsent(consent="adult-1", reason="No."))[0] is Outcome.APPLIED
    assert not recording(bench)


@pytest.mark.req("R54", "R60")
@pytest.mark.parametrize(
    ("changes", "moment", "found"),
    [
        ({"withdrawn_at": at(60)}, 59, Reason.IN_FORCE),
        ({"withdrawn_at": at(60)}, 61, Reason.WITHDRAWN),
        ({"pauses": ({"starts": at(60), "ends": at(120)},)}, 61, Reason.PAUSED),
        ({"pauses": ({"starts": at(60), "ends": at(120)},)}, 121, Reason.IN_FORCE),
        ({"kind": "consent"}, 1, Reason.LAPSED),
        (
            {"kind": "consent", "consents": ({"id": "a", "role": "subject", "kind": "consent", "given_at": at(-9)},)},
            1,
            Reason.IN_FORCE,
        ),
        (
            {
                "kind": "consent",
                "consents": (
                    {"id": "a", "role": "subject", "kind": "consent", "given_at": at(-9)},
                    {"id": "b", "role": "adult", "kind": "notice", "given_at": at(-9)},
                ),
            },
            1,
            Reason.LAPSED,
        ),
        (
            {"consents": ({"id": "a", "role": "adult", "kind": "consent", "given_at": at(-9), "confirm_by": at(60)},)},
            61,
            Reason.LAPSED,
        ),
    ],
)
def test_what_a_document_says_of_its_own_end(
    make_bench: Any, signed: Any, changes: dict[str, Any], moment: float, found: Reason
) -> None:
    bench = make_bench(signed(**changes))
    bench.online()
    bench.wait(moment)
    assert reason(bench) is found
    assert recording(bench) is (found is Reason.IN_FORCE)


@pytest.mark.req("N1", "N2")
def test_a_document_by_command_counts_and_more_takes_two_people(bench: Any, order: Any, signed: Any) -> None:
    less = signed(
        number=2, clauses=(CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),)
    )
    assert order(SetAuthority(document=less.decode()))[0] is Outcome.APPLIED
    assert bench.core._judgement.scope.authority.number == 2
    more = SetAuthority(document=signed(number=3, clauses=MORE).decode())
    alone = order(more)
    assert alone[0] is Outcome.REFUSED
    assert "signs" in alone[1]
    outcome, _detail, sent = order(more, second="officer-2")
    assert outcome is Outcome.APPLIED
    (changed,) = bench.law(sent)
    assert changed.severity is Severity.THIS_WEEK
    assert any("signs" in each for each in changed.reasons)
    assert order(SetAuthority(document=less.decode()), second="officer-2")[0] is Outcome.REFUSED, "an older one"
    forged = signed(number=9).replace(b'"EX-0001"', b'"EX-0002"').decode()
    assert order(SetAuthority(document=forged), second="officer-2")[0] is Outcome.REFUSED


@pytest.mark.req("N1")
def test_a_carried_document_is_there_after_a_restart_and_the_old_file_changes_nothing(
    bench: Any, order: Any, signed: Any
) -> None:
    order(SetAuthority(document=signed(number=2).decode()))
    bench.stop()
    bench.start(signed())
    bench.online()
    assert bench.core._judgement.scope.authority.number == 2
    assert "refused" not in bench.core._judgement.sentence
    bench.document(None)
    assert bench.core._judgement.scope is None, "taking the file away is a withdrawal"


@pytest.mark.req("N1")
def test_a_box_without_a_file_takes_one_by_command(make_bench: Any, signed: Any) -> None:
    bench = make_bench(None)
    bench.online()
    bench.sequence += 1
    body = SetAuthority(document=signed().decode())
    bench.down(bench.command("d-1", Standing.GUEST, body=body, second="officer-2"))
    assert recording(bench)
    bench.stop()
    bench.start(None)
    bench.online()
    assert recording(bench)


@pytest.mark.req("R54")
def test_what_was_in_force_during_the_whole_of_a_time(bench: Any, order: Any) -> None:
    within = bench.core._counsel.office.within
    assert within(START - 10, START + 10) is not None
    assert within(START - 3601, START) is None, "before it began"
    assert within(START, START + 86401) is None, "after its end"
    order(PauseRecording(until=at(100), reason="A visit."))
    assert within(START - 100, START - 1) is not None
    assert within(START - 1, START + 1) is None
    assert within(START + 101, START + 200) is not None
    order(WithdrawConsent(reason="No."))
    assert within(START - 100, START - 1) is None
