from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.household.kin import Join
from appliance.signals import Signal
from wire.base import Standing
from wire.box import Arrangements
from wire.codec import MAX_PAYLOAD, payload_json
from wire.findings import Finding
from wire.models import CommandResult, JoinedBy
from wire.orders import AddWatch, EndQuiet, EndWatch, QuietRule

LAPTOP, PHONE = "00:00:5e:00:53:01", "02:00:00:00:00:02"
FAR, OTHER = {"server": "192.0.2.7", "port": 1080}, {"server": "192.0.2.8", "port": 1080}


def order(played: Any, body: Any) -> tuple[CommandResult, list[Any]]:
    bench = played.bench
    sent = bench.payloads(bench.order(body) + bench.wait(1))
    bench.acknowledge()
    (answer,) = (item for item in sent if isinstance(item, CommandResult))
    return answer, [item for item in sent if not isinstance(item, CommandResult)]


def arrangements(sent: list[Any]) -> Arrangements:
    (found,) = (item for item in sent if isinstance(item, Arrangements))
    return found


@pytest.mark.req("R30")
def test_one_click_quiets_this_finding_s_rule_and_subject(played: Any) -> None:
    (finding,) = played.hear(Signal.SOCKS, "5", **FAR)
    answer, sent = order(played, QuietRule(rule="proxy", finding_id=finding.finding_id, reason="The employer's own."))
    assert answer.outcome == "applied"
    (closed,) = [item for item in sent if getattr(item, "kind", None) == "proxy"]
    assert closed.closed_because == "An officer said that this is not relevant here: The employer's own."
    (quieted,) = arrangements(sent).quieted
    assert (quieted.rule, quieted.subject, quieted.by, quieted.count) == ("proxy", "192.0.2.7", "officer-1", 0)

    assert played.hear(Signal.SOCKS, "5", **FAR) == [], "counted only"
    played.hear(Signal.SOCKS, "5", count=900, **FAR)
    assert played.bench.store.quiets.all()[0].count == 1, "once a day"
    assert [item.kind for item in played.hear(Signal.SOCKS, "5", **OTHER)] == ["proxy"], "another proxy is news"
    told = played.bench.payloads(played.bench.wait(3601))
    assert arrangements(told).quieted[0].count == 1


@pytest.mark.req("R30")
def test_a_rule_is_quiet_for_one_device_or_for_the_home(played: Any) -> None:
    played.owns(PHONE)
    order(played, QuietRule(rule="proxy", device_id=played.ids[LAPTOP], reason="Work."))
    assert played.hear(Signal.SOCKS, "5", **FAR) == []
    assert [item.kind for item in played.hear(Signal.SOCKS, "5", mac=PHONE, **FAR)] == ["proxy"]
    _answer, sent = order(played, QuietRule(rule="proxy", reason="Everybody's."))
    assert len(arrangements(sent).quieted) == 2
    assert [item.state for item in sent if getattr(item, "kind", None) == "proxy"] == ["closed"]
    assert played.hear(Signal.SOCKS, "5", mac=PHONE, **OTHER) == []


@pytest.mark.req("R30")
def test_a_quieted_rule_speaks_again_when_it_ends(played: Any) -> None:
    _answer, sent = order(played, QuietRule(rule="proxy", reason="Work."))
    (quieted,) = arrangements(sent).quieted
    answer, sent = order(played, EndQuiet(quiet_id=quieted.quiet_id))
    assert (answer.outcome, arrangements(sent).quieted) == ("applied", ())
    assert [item.kind for item in played.hear(Signal.SOCKS, "5", **FAR)] == ["proxy"]
    assert order(played, EndQuiet(quiet_id=quieted.quiet_id))[0].outcome == "refused"


@pytest.mark.req("R30")
def test_a_time_that_is_over_ends_it(played: Any) -> None:
    until = datetime.fromtimestamp(played.bench.wall + 7200, UTC)
    order(played, QuietRule(rule="proxy", reason="This morning.", until=until))
    assert played.hear(Signal.SOCKS, "5", **FAR) == []
    played.days(0.2)
    assert played.bench.core._book._record.noise.quieted == ()
    assert [item.finding.kind for item in played.open()] == ["proxy"], "it is still there"


@pytest.mark.req("R30")
@pytest.mark.parametrize(
    "body",
    [
        QuietRule(rule="no-such-rule", reason="x"),
        QuietRule(rule="proxy", device_id="d-none", reason="x"),
        QuietRule(rule="proxy", finding_id="f-none", reason="x"),
        QuietRule(rule="proxy", reason="x", until=datetime(2020, 1, 1, tzinfo=UTC)),
        EndQuiet(quiet_id="a-none"),
    ],
)
def test_what_cannot_be_quieted_is_refused_in_words(played: Any, body: Any) -> None:
    answer, sent = order(played, body)
    assert answer.outcome == "refused"
    assert answer.detail.endswith(".")
    assert not [item for item in sent if isinstance(item, Arrangements)]


@pytest.mark.req("R30")
def test_quieted_rules_are_bounded_and_outlive_the_keeper(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.keeper.household import quieting

    monkeypatch.setattr(quieting, "MAX_QUIETED", 2)
    for subject in ("192.0.2.1", "192.0.2.2"):
        assert order(played, QuietRule(rule="proxy", subject=subject, reason="x"))[0].outcome == "applied"
    assert "at most" in order(played, QuietRule(rule="proxy", subject="192.0.2.3", reason="x"))[0].detail
    bench = played.bench
    raw = bench.store.get("authority_document")
    bench.stop()
    bench.start(raw.encode())
    assert [item.subject for item in bench.core._book._record.noise.quieted] == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.req("R30")
def test_the_same_again_replaces_what_was_said(played: Any) -> None:
    order(played, QuietRule(rule="proxy", reason="One."))
    _answer, sent = order(played, QuietRule(rule="proxy", reason="Two."))
    assert [item.reason for item in arrangements(sent).quieted] == ["Two."]
    assert arrangements(sent).revision == 2


@pytest.mark.req("R30", "R26")
def test_a_list_entry_that_does_not_matter_here_is_quieted_too(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    sent = bench.payloads(bench.look_up(LAPTOP, "www.bets.example", generation=bench.generation))
    (finding,) = (item for item in sent if isinstance(item, Finding) and item.kind == "listed-name")
    bench.order(QuietRule(rule="listed-name", finding_id=finding.finding_id, reason="An advertisement."))
    bench.wait(60)
    assert bench.open_kinds(LAPTOP) == []
    bench.look_up(LAPTOP, "bets.example", generation=bench.generation)
    assert bench.open_kinds(LAPTOP) == []
    assert [item.count for item in bench.store.quiets.all()] == [1]


@pytest.mark.req("R30", "R35")
def test_what_was_said_of_a_device_does_not_silence_the_one_that_it_joins(played: Any) -> None:
    """Else a visitor's quieted tunnel, joined to a device on the register, would hide that one's."""
    bench = played.bench
    played.owns(PHONE)
    bench.order(QuietRule(rule="tunnel", device_id=played.ids[PHONE], reason="a work VPN"))
    assert played.hear(Signal.WIREGUARD, "initiation", mac=PHONE, **FAR) == []
    book = bench.core._book
    with bench.store.transaction():
        book.kin.join(
            book.registry.by_id(played.ids[LAPTOP]),
            book.registry.by_id(played.ids[PHONE]),
            Join(how=JoinedBy.PERSON, because="A person said so."),
            scope=bench.core._judgement.scope,
            at=bench.wall,
        )
    told = played.hear(Signal.WIREGUARD, "initiation", **FAR)
    assert [(item.kind, item.state, item.device_id) for item in told] == [("tunnel", "open", played.ids[LAPTOP])]


def test_what_would_not_fit_one_message_is_refused(played: Any) -> None:
    """All is told whole or not at all; a message that is too large would end the keeper each time it starts."""
    ends = datetime.fromtimestamp(played.bench.wall + 86400, UTC)
    taken: list[Arrangements] = []
    for number in range(200):
        answer, sent = order(
            played, AddWatch(excluded=True, name=f"n{number}.{'x' * 60}.example", reason="“Größe”. " * 30, expires=ends)
        )
        if answer.outcome != "applied":
            break
        taken.append(arrangements(sent))
    assert answer.detail.startswith("As much is arranged with this home as the box can tell of.")
    assert 20 < len(taken[-1].watch) < 200
    assert MAX_PAYLOAD - 8192 < len(payload_json(taken[-1])) <= MAX_PAYLOAD - 4096, "counts may rise"
    assert order(played, QuietRule(rule="proxy", reason="Work."))[0].outcome != "applied"
    for entry in taken[-1].watch[:3]:
        assert order(played, EndWatch(watch_id=entry.watch_id))[0].outcome == "applied"
    assert order(played, QuietRule(rule="proxy", reason="Work."))[0].outcome == "applied"
