from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.traits import Trait
from wire.acts import EndUnmask, PauseRecording, Unmask, WithdrawConsent
from wire.authority import CollectClause, DataClass, ListsClause, UnmaskClause
from wire.base import Payload, Standing
from wire.findings import FindingKind, Severity
from wire.models import Command, CommandResult, Outcome

PHONE = "02:00:00:00:00:02"
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
    UnmaskClause(
        number="6",
        standings=(Standing.GUEST, Standing.UNKNOWN),
        classes=(DataClass.FINGERPRINT, DataClass.LIST_HITS),
        most_hours=2,
    ),
)


@pytest.fixture
def home(make_bench: Any, signed: Any) -> Any:
    bench = make_bench(signed(clauses=CLAUSES))
    bench.online()
    bench.sight(PHONE)
    return bench


@pytest.fixture
def order(home: Any) -> Callable[..., tuple[CommandResult, list[m.Message]]]:
    def give(body: Payload, **changes: Any) -> tuple[CommandResult, list[m.Message]]:
        home.sequence += 1
        fields = {
            "command_id": f"c-{home.sequence}",
            "sequence": home.sequence,
            "issued_at": datetime.fromtimestamp(home.wall, UTC),
            "expires_at": datetime.fromtimestamp(home.wall, UTC) + timedelta(minutes=5),
            "by": "officer-1",
            "body": body,
        }
        sent = home.down(Command(**(fields | changes)))
        return next(each for each in home.payloads(sent) if isinstance(each, CommandResult)), sent

    return give


def unmask(home: Any, hours: float = 1.0) -> Unmask:
    until = datetime.fromtimestamp(home.wall, UTC) + timedelta(hours=hours)
    device = home.core._book.registry.by_mac(PHONE)
    return Unmask(device_id=device.device_id, until=until, reason="A serious concern.")


def names_may_leave(home: Any) -> bool:
    return PHONE in home.core._collection.mask


def hear_name(home: Any, text: str) -> None:
    trait = m.TraitSeen(ts=home.wall, mac=PHONE, trait=Trait.DHCP4_HOST_NAME, value=text)
    home.hear(Peer.SENSOR, trait)


def readable(home: Any, text: str) -> bool:
    """Whether the evidence of the box holds the text in words."""
    return any(text in str(row) for row in home.store._db.execute("select * from evidence").fetchall())


@pytest.mark.req("N2")
def test_it_takes_two_people_and_ends_by_itself(home: Any, order: Any) -> None:
    assert order(unmask(home))[0].outcome is Outcome.REFUSED
    assert not names_may_leave(home)
    hear_name(home, "example-phone")
    assert not readable(home, "example-phone")
    assert order(unmask(home), second="officer-2")[0].outcome is Outcome.APPLIED
    assert names_may_leave(home)
    hear_name(home, "example-phone-2")
    assert readable(home, "example-phone-2")
    generation = home.core._collection.generation
    home.look_up(PHONE, "bets.example", generation=generation)
    assert home.store.findings.open_of(home.core._book.registry.by_mac(PHONE).device_id)
    home.wait(3599)
    assert names_may_leave(home)
    home.wait(2)
    assert not names_may_leave(home)
    assert not readable(home, "example-phone-2"), "what it calls itself is readable only meanwhile"
    assert home.store.law.unmasked() == ()


@pytest.mark.req("N2")
def test_only_what_the_clause_names_is_kept(home: Any, order: Any) -> None:
    order(unmask(home), second="officer-2")
    home.look_up(PHONE, "news.example", generation=home.core._collection.generation)
    kinds = {
        each.finding.kind for each in home.store.findings.open_of(home.core._book.registry.by_mac(PHONE).device_id)
    }
    assert FindingKind.LISTED_NAME not in kinds
    everything = b"".join(path.read_bytes() for path in home.path.parent.iterdir() if path.is_file())
    assert b"news.example" not in everything


@pytest.mark.req("N2")
def test_never_for_longer_than_the_clause_says(home: Any, order: Any) -> None:
    order(unmask(home, hours=24), second="officer-2")
    (opened,) = home.store.law.unmasked()
    assert opened.ends == home.wall + 2 * 3600


@pytest.mark.req("N2", "R55")
@pytest.mark.parametrize("stops", [PauseRecording(reason="A visit."), WithdrawConsent(reason="No.")])
def test_what_was_readable_goes_when_the_authority_stops_meanwhile(home: Any, order: Any, stops: Payload) -> None:
    order(unmask(home), second="officer-2")
    hear_name(home, "example-phone-2")
    assert readable(home, "example-phone-2")
    order(stops)
    home.wait(1)
    assert home.store.law.unmasked() == ()
    assert not readable(home, "example-phone-2")


@pytest.mark.req("N2", "R54")
def test_it_ends_while_nobody_vouches_for_the_time_and_is_not_for_what_was_heard_before(
    make_served: Any, signed: Any
) -> None:
    served = make_served(signed(clauses=CLAUSES))
    bench = served.bench
    served.online()
    served.answer()
    bench.sight(PHONE)

    def take_off() -> CommandResult:
        sent = bench.down(bench.command("d-none", Standing.UNKNOWN, body=unmask(bench), second="officer-2"))
        return next(each for each in bench.payloads(sent) if isinstance(each, CommandResult))

    assert take_off().outcome is Outcome.APPLIED
    served.restart(signed(clauses=CLAUSES), boot="cd34")
    served.online()
    assert names_may_leave(bench)
    assert "what time it is" in take_off().detail, "nobody could say when it ends"
    served.wait(3590)
    hear_name(bench, "heard-meanwhile")
    served.wait(20)
    hear_name(bench, "heard-after")
    assert not names_may_leave(bench)
    served.answer()
    served.wait(1)
    assert served.bench.store.law.unmasked() == ()
    assert not readable(bench, "heard-after")
    assert not readable(bench, "heard-meanwhile")


@pytest.mark.req("N2", "N3")
def test_in_an_emergency_one_may_for_an_hour_and_it_is_told_at_once(home: Any, order: Any) -> None:
    result, sent = order(unmask(home, hours=2), break_glass=True)
    assert result.outcome is Outcome.APPLIED
    (told,) = home.law(sent)
    assert (told.kind, told.severity) == (FindingKind.BREAK_GLASS, Severity.ACT_NOW)
    assert told.device_id is None
    home.wait(3601)
    assert not names_may_leave(home)


@pytest.mark.req("N2")
def test_no_clause_no_unmasking(home: Any, order: Any, signed: Any) -> None:
    order(unmask(home), second="officer-2")
    home.document(signed(number=2, clauses=CLAUSES[:2]))
    home.wait(1)
    assert not names_may_leave(home)
    refused = order(unmask(home), second="officer-2")[0]
    assert refused.outcome is Outcome.REFUSED
    assert "No clause" in refused.detail


@pytest.mark.req("N2")
def test_it_is_there_after_a_restart_and_can_be_ended(home: Any, order: Any, signed: Any) -> None:
    order(unmask(home), second="officer-2")
    home.stop()
    home.start(signed(clauses=CLAUSES))
    home.online()
    assert names_may_leave(home)
    ended = EndUnmask(device_id=unmask(home).device_id)
    assert order(ended)[0].outcome is Outcome.APPLIED, "to narrow takes one"
    assert not names_may_leave(home)
    assert order(ended)[0].outcome is Outcome.REFUSED
    assert (
        order(Unmask(device_id="d-9", until=datetime.fromtimestamp(home.wall + 60, UTC), reason="x"), second="o-2")[
            0
        ].detail
        == "The box does not know this device."
    )
