"""The household's own side: forms, and the notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.household import doorway as under_test
from appliance.keeper.peers import Peer
from appliance.keeper.store.household_side import MAX_CLAIMS, MAX_FORMS, Claim
from wire.authority import Consent
from wire.base import Standing
from wire.household import Notice

START = 1_900_000_000.0
LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
HERE = "192.0.2.17"


# --- the notice -----------------------------------------------------------------------------------


@pytest.mark.req("R59", "R57")
def test_a_device_is_led_to_the_notice_once_for_a_minute(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.seen(PHONE)
    assert hall.led() == {PHONE: m.UNREAD_SECONDS}
    hall.tick(20)
    with hall.store.transaction():
        hall.doorway.tell_warden(hall.at)
    assert hall.led() == {PHONE: m.UNREAD_SECONDS - 20}
    hall.tick(41)
    with hall.store.transaction():
        hall.doorway.tell_warden(hall.at)
    assert hall.led() == {}
    hall.tick(3600)
    hall.seen(PHONE)
    assert hall.led() == {}
    hall.start()
    hall.seen(PHONE)
    assert hall.led() == {}, "not after a restart either"


@pytest.mark.req("R59", "R60")
def test_who_says_to_have_read_it_is_let_go_and_it_is_proved(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    hall.seen(PHONE)
    assert hall.form(m.FormKind.NOTICE_READ, notice=hall.digest()).taken
    assert hall.led() == {}
    (request,) = hall.requests()
    assert (request.kind, request.device_id, request.notice) == ("notice-read", "d-phone", hall.digest())
    (told,) = [Notice.model_validate_json(body) for body in hall.payloads("gatehouse.notice.v1")]
    assert told.sha256 == hall.digest() == sha256("\n".join(told.lines).encode()).hexdigest()
    assert any("Nobody in this home is asked to watch" in line for line in told.lines)
    assert hall.form(m.FormKind.NOTICE_READ, notice=hall.digest()).taken
    assert len(hall.requests()) == 1, "said twice it is read once"
    kinds = [row[0] for row in hall.store._db.execute("select kind from ledger").fetchall()]
    assert kinds.count("household") == 3, "the notice, that it was shown, and that it was read"


@pytest.mark.req("R59")
def test_a_notice_that_is_not_the_present_one_was_not_read(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    hall.seen(PHONE)
    answer = hall.form(m.FormKind.NOTICE_READ, notice="0" * 64)
    assert not answer.taken
    assert "has changed meanwhile" in answer.why
    assert PHONE in hall.led()
    assert hall.requests() == []


@pytest.mark.req("R59", "R60")
def test_another_text_is_shown_to_everybody_anew(hall: Any, make_authority: Callable[..., Any]) -> None:
    hall.device("d-phone", PHONE)
    hall.seen(PHONE)
    hall.tick(600)
    hall.scope = Scope(authority=make_authority(number=2, not_after=datetime.fromtimestamp(START + 40 * 86400, UTC)))
    hall.tick()
    hall.seen(PHONE)
    assert PHONE in hall.led()
    assert len(hall.payloads("gatehouse.notice.v1")) == 2


@pytest.mark.req("R60")
@pytest.mark.parametrize(("kind", "asked"), [("consent", True), ("order", False)])
def test_consent_is_confirmed_after_three_months(
    new_hall: Callable[..., Any], make_authority: Callable[..., Any], kind: str, *, asked: bool
) -> None:
    end = datetime.fromtimestamp(START + 300 * 86400, UTC)
    given = Consent(id="adult-1", role="adult", kind="consent", given_at=datetime.fromtimestamp(START - 9000, UTC))
    changes = {"consents": (given,)} if kind == "consent" else {}
    hall = new_hall(Scope(authority=make_authority(kind=kind, not_after=end, **changes)))
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.seen(PHONE)
    hall.form(m.FormKind.NOTICE_READ, notice=hall.digest())
    hall.tick(89 * 86400)
    hall.seen(PHONE)
    assert hall.led() == {}
    hall.tick(2 * 86400)
    hall.seen(PHONE)
    assert (PHONE in hall.led()) is asked


@pytest.mark.req("R53", "R57")
def test_without_an_authority_nobody_is_led_anywhere_and_nothing_is_written(hall: Any) -> None:
    hall.scope = None
    hall.tick()
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.seen(PHONE)
    assert hall.led() == {}
    assert hall.form(m.FormKind.COMPLAINT, text="It is slow.").taken
    (request,) = hall.requests()
    assert (request.device_id, request.proved, request.text) == (None, False, "It is slow.")
    refused = hall.form(m.FormKind.GUEST, visitor=m.Visitor.PHONE, seconds=3600.0)
    assert not refused.taken
    assert "no records" in refused.why


@pytest.mark.req("R57")
def test_a_flood_of_addresses_holds_nobody_up_for_longer(hall: Any) -> None:
    macs = [f"02:00:5e:00:{number >> 8:02x}:{number & 255:02x}" for number in range(m.MAX_UNREAD + 40)]
    for number, mac in enumerate(macs):
        hall.device(f"d-{number}", mac)
    hall.seen(*macs)
    assert len(hall.led()) == m.MAX_UNREAD
    assert hall.doorway.overflow() == 40
    hall.tick(61)
    with hall.store.transaction():
        hall.doorway.tell_warden(hall.at)
    assert hall.led() == {}


def test_what_runs_the_home_is_led_nowhere(hall: Any) -> None:
    hall.device("d-switch", LAPTOP, standing=Standing.INFRASTRUCTURE)
    hall.seen(LAPTOP)
    assert hall.led() == {}


def test_without_a_page_there_is_no_notice(new_hall: Callable[..., Any], scope: Scope) -> None:
    hall = new_hall(scope, settings=None)
    hall.device("d-phone", PHONE)
    hall.seen(PHONE)
    assert (hall.led(), hall.payloads("gatehouse.notice.v1")) == ({}, [])


@pytest.mark.req("R54", "N12")
def test_while_what_is_heard_is_sealed_nothing_is_said_of_a_device(hall: Any) -> None:
    hall.device("d-phone", PHONE, standing=Standing.HOUSEHOLD)
    hall.neighbours[HERE] = (PHONE, True)
    hall.bind("key-phone", "d-phone")
    hall.joined(PHONE, "key-phone")
    assert hall.page() != ()
    hall.sealed = True
    assert hall.page() == ()
    assert hall.form(m.FormKind.COMPLAINT, text="It is slow.").taken
    assert hall.form(m.FormKind.NOTICE_READ, notice=hall.digest()).taken
    (request,) = hall.requests()
    assert (request.kind, request.device_id, request.proved) == ("complaint", None, False)


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.req("N12", "R58")
@pytest.mark.parametrize("kind", [m.FormKind.CORRECTION, m.FormKind.COMPLAINT, m.FormKind.ACCESS])
def test_what_somebody_writes_goes_to_the_officers_in_their_own_words(hall: Any, kind: m.FormKind) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    assert hall.form(kind, text="It is mine, not his.").taken
    (request,) = hall.requests()
    assert (request.kind, request.device_id, request.text) == (kind.value, "d-phone", "It is mine, not his.")
    assert hall.record.registry.by_id("d-phone").standing is Standing.UNKNOWN


@pytest.mark.req("N12")
def test_an_empty_complaint_says_what_is_missing(hall: Any) -> None:
    answer = hall.form(m.FormKind.COMPLAINT, text="  ")
    assert (answer.taken, answer.why) == (False, "Please write what it is about.")


@pytest.mark.req("N12")
def test_a_device_and_a_home_send_so_many_forms_a_day(hall: Any) -> None:
    for number in range(20):
        hall.device(f"d-{number}", f"02:00:5e:00:54:{number:02x}")
        hall.neighbours[f"192.0.2.{100 + number}"] = (f"02:00:5e:00:54:{number:02x}", False)
    taken = [hall.form(m.FormKind.COMPLAINT, "192.0.2.100", text="Again.").taken for _ in range(5)]
    assert taken == [True] * under_test.DAILY_DEVICE + [False, False]
    for _ in range(2):
        for number in range(1, 20):
            hall.form(m.FormKind.COMPLAINT, f"192.0.2.{100 + number}", text="Another.")
    assert len(hall.requests()) == under_test.DAILY
    assert hall.doorway.refused > 0
    hall.tick(86_401)
    assert hall.form(m.FormKind.COMPLAINT, "192.0.2.100", text="The day after.").taken


@pytest.mark.req("N12")
def test_made_up_devices_do_not_take_the_familys_way_to_complain(hall: Any) -> None:
    hall.device("d-family", PHONE, standing=Standing.HOUSEHOLD)
    hall.neighbours[HERE] = (PHONE, True)
    for number in range(MAX_FORMS):
        mac = f"02:00:5e:01:{number >> 8:02x}:{number & 255:02x}"
        hall.device(f"d-{number}", mac)
        hall.neighbours["192.0.2.100"] = (mac, False)
        hall.seen(mac)
        hall.form(m.FormKind.NOTICE_READ, "192.0.2.100", notice=hall.digest())
        hall.form(m.FormKind.COMPLAINT, "192.0.2.100", text="Made up.")
    assert len(hall.requests()) == MAX_FORMS // 2
    assert hall.form(m.FormKind.COMPLAINT, HERE, text="Ours.").taken
    hall.seen(PHONE)
    assert hall.form(m.FormKind.NOTICE_READ, HERE, notice=hall.digest()).taken
    assert [(each.kind, each.device_id) for each in hall.requests()[-2:]] == [
        ("complaint", "d-family"),
        ("notice-read", "d-family"),
    ]


@pytest.mark.req("N12")
def test_a_visitor_is_heard_also_where_no_more_visits_find_room(hall: Any) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    for number in range(MAX_CLAIMS):
        claim = Claim(device_id=f"d-{number}", visitor="phone", until=hall.at + 9000, at=hall.at)
        assert hall.store.household_side.put_claim(claim)
    assert hall.form(m.FormKind.GUEST, visitor=m.Visitor.PHONE, seconds=3600.0).taken
    assert [(each.kind, each.device_id) for each in hall.requests()] == [("guest", "d-phone")]
    assert hall.doorway.refused == 1


def test_questions_that_nobody_answers_are_settled_in_a_second(hall: Any) -> None:
    with hall.store.transaction():
        hall.doorway.asked(m.FormSent(ticket=7, client=HERE, kind=m.FormKind.ACCESS), hall.monotonic)
    hall.tick(0.5)
    assert not [item for peer, item in hall.sent if peer is Peer.PORCH]
    hall.tick(0.6)
    assert [item for peer, item in hall.sent if peer is Peer.PORCH] == [m.FormAnswered(ticket=7, taken=True)]
    with hall.store.transaction():
        hall.doorway.this_is(m.ThisIs(token=1, mac=PHONE), hall.scope, hall.at)
    assert len(hall.requests()) == 1, "an answer that comes late says nothing"


def test_questions_beyond_the_bound_are_turned_away(hall: Any) -> None:
    for ticket in range(under_test.MAX_PENDING + 3):
        hall.doorway.asked(m.OwnPageAsked(ticket=ticket, client=HERE), hall.monotonic)
    turned = [item for peer, item in hall.sent if peer is Peer.PORCH]
    assert turned == [m.OwnPage(ticket=under_test.MAX_PENDING + number) for number in range(3)]
    assert hall.doorway.refused == 3
    hall.doorway.porch_gone()
    hall.tick(2)
    assert len([item for peer, item in hall.sent if peer is Peer.PORCH]) == 3


def test_a_device_that_is_forgotten_leaves_nothing(hall: Any) -> None:
    device = hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.seen(PHONE)
    hall.form(m.FormKind.GUEST, visitor=m.Visitor.PHONE, seconds=3600.0)
    with hall.store.transaction():
        hall.store.devices.remove_address(PHONE)
        hall.record.remove(device)
    hall.tick(under_test.PRUNE_SECONDS + 1)
    for table in ("notice_shown", "guest_claim", "own_code", "form_sent"):
        assert hall.store._db.table(table).count == 0, table
