"""The household's own side: forms, the notice, and the page about one's own device."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from appliance import messages as m
from appliance import notice as text
from appliance.keeper import words
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.passphrases import Binding, Purpose
from appliance.keeper.household import doorway as under_test
from appliance.keeper.household.doorway import Doorway
from appliance.keeper.household.own_page import MAX_WRONG
from appliance.keeper.household.record import Ids, Record
from appliance.keeper.law.acts import Given
from appliance.keeper.peers import Peer
from appliance.keeper.store.database import Store
from appliance.settings import NoticeSettings
from wire.acts import IssueCode
from wire.authority import Consent
from wire.base import Standing
from wire.household import HouseholdRequest, Notice

START = 1_900_000_000.0
LAPTOP, PHONE, CLONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b", "02:00:5e:00:53:0c"
HERE = "192.0.2.17"
SETTINGS = NoticeSettings(operator="the Example Service", contact="01632 960000", complaints="Write to example.org.")
CODE = "K7QM-2XPA"


class Hall:
    """The doorway with the porch's and the warden's ends in hand."""

    def __init__(self, store: Store, scope: Scope, settings: NoticeSettings | None = SETTINGS) -> None:
        self.store, self.settings = store, settings
        self.scope: Scope | None = scope
        self.at, self.monotonic = START, 500.0
        self.sent: list[tuple[Peer, m.Message]] = []
        self.neighbours: dict[str, tuple[str, bool]] = {}
        """Who has an IP address, and whether by Wi-Fi."""
        self._numbers = itertools.count(1)
        self._tickets = itertools.count(1)
        self.start()

    def start(self) -> None:
        """Start (again) on the same store."""

        def new(prefix: str) -> Callable[[], str]:
            return lambda: f"{prefix}-{next(self._numbers)}"

        ids = Ids(
            device=new("d"),
            finding=new("f"),
            proposal=new("p"),
            session=new("s"),
            record=new("r"),
            arrangement=new("a"),
        )
        self.record = Record(self.store, ids)
        self.doorway = Doorway(self.record, self.settings, send=lambda peer, message: self.sent.append((peer, message)))
        self.tick()

    def tick(self, seconds: float = 0.0) -> None:
        self.at += seconds
        self.monotonic += seconds
        with self.store.transaction():
            self.doorway.tick(self.scope, at=self.at, monotonic=self.monotonic)

    def device(self, device_id: str, *macs: str, standing: Standing = Standing.UNKNOWN, **changes: Any) -> Device:
        addresses = tuple(Address(mac=mac, first_seen=self.at, last_seen=self.at) for mac in macs)
        made = Device(
            device_id=device_id,
            revision=1,
            standing=standing,
            addresses=addresses,
            first_seen=self.at,
            last_seen=self.at,
            reported_at=self.at,
        )
        with self.store.transaction():
            return self.record.keep(replace(made, **changes))

    def seen(self, *macs: str) -> None:
        with self.store.transaction():
            for mac in macs:
                self.doorway.notices.seen(mac, self.scope, self.at)
            self.doorway.tick(self.scope, at=self.at, monotonic=self.monotonic)

    def led(self) -> dict[str, float]:
        """Who is led to the notice, by the last word the warden had."""
        said = [item for peer, item in self.sent if peer is Peer.WARDEN and isinstance(item, m.NoticeDue)]
        return {each.mac: each.seconds for each in said[-1].devices} if said else {}

    def ask(self, message: m.FormSent | m.OwnPageAsked) -> m.Message:
        """What the porch hears back; the warden answers from `neighbours`."""
        before = len(self.sent)
        with self.store.transaction():
            self.doorway.asked(message, self.monotonic)
            for _peer, question in self.sent[before:]:
                if isinstance(question, m.WhoIs):
                    mac, wireless = self.neighbours.get(question.ip, (None, False))
                    answer = m.ThisIs(token=question.token, mac=mac, wireless=wireless)
                    self.doorway.this_is(answer, self.scope, self.at)
            self.doorway.tick(self.scope, at=self.at, monotonic=self.monotonic)
        (answered,) = [item for peer, item in self.sent[before:] if peer is Peer.PORCH]
        return answered

    def form(self, kind: m.FormKind, client: str = HERE, **fields: Any) -> m.FormAnswered:
        answer = self.ask(m.FormSent(ticket=next(self._tickets), client=client, kind=kind, **fields))
        assert isinstance(answer, m.FormAnswered)
        return answer

    def page(self, client: str = HERE, code: str = "") -> tuple[m.OwnSection, ...]:
        answer = self.ask(m.OwnPageAsked(ticket=next(self._tickets), client=client, code=code))
        assert isinstance(answer, m.OwnPage)
        return answer.sections

    def digest(self) -> str:
        assert self.settings is not None
        return text.digest(text.sections(words.notice(self.scope), self.settings))

    def payloads(self, type_: str) -> list[str]:
        rows = self.store.outbox.waiting(without=(), most=10_000)
        return [row.body for row in rows if row.type == type_]

    def requests(self) -> list[HouseholdRequest]:
        return [HouseholdRequest.model_validate_json(body) for body in self.payloads("gatehouse.request.v1")]

    def issue(self, device_id: str, code: str = CODE, *, seconds: float = 3600.0) -> str | None:
        order = IssueCode(
            device_id=device_id,
            code_sha256=sha256(f"{device_id}:{code}".encode()).hexdigest(),
            expires=datetime.fromtimestamp(self.at + seconds, UTC),
        )
        given = Given(
            command_id="c-1", by="officer-1", second=None, broken=False, reason="", scope=self.scope, at=self.at
        )
        with self.store.transaction():
            return self.doorway.own.issue(order, given)

    def joined(self, mac: str, key_id: str | None, *, joined: bool = True) -> None:
        self.doorway.own.station(m.StationChanged(ts=self.at, mac=mac, joined=joined, key_id=key_id))

    def bind(self, key_id: str, device_id: str | None, purpose: Purpose = Purpose.DEVICE) -> None:
        kinship = self.store.kinship
        with self.store.transaction():
            binding = Binding(key_id=key_id, purpose=purpose, device_id=device_id)
            kinship.put_passphrases(kinship.passphrases().bind(binding))


@pytest.fixture
def hall(store: Store, scope: Scope) -> Hall:
    return Hall(store, scope)


# --- the notice -----------------------------------------------------------------------------------


@pytest.mark.req("R59", "R57")
def test_a_device_is_led_to_the_notice_once_for_a_minute(hall: Hall) -> None:
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
def test_who_says_to_have_read_it_is_let_go_and_it_is_proved(hall: Hall) -> None:
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
    assert kinds.count("household") == 2, "the notice, and that it was read"


@pytest.mark.req("R59")
def test_a_notice_that_is_not_the_present_one_was_not_read(hall: Hall) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    hall.seen(PHONE)
    answer = hall.form(m.FormKind.NOTICE_READ, notice="0" * 64)
    assert not answer.taken
    assert "has changed meanwhile" in answer.why
    assert PHONE in hall.led()
    assert hall.requests() == []


@pytest.mark.req("R59", "R60")
def test_another_text_is_shown_to_everybody_anew(hall: Hall, make_authority: Callable[..., Any]) -> None:
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
    store: Store, make_authority: Callable[..., Any], kind: str, *, asked: bool
) -> None:
    end = datetime.fromtimestamp(START + 300 * 86400, UTC)
    given = Consent(id="adult-1", role="adult", kind="consent", given_at=datetime.fromtimestamp(START - 9000, UTC))
    changes = {"consents": (given,)} if kind == "consent" else {}
    hall = Hall(store, Scope(authority=make_authority(kind=kind, not_after=end, **changes)))
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
def test_without_an_authority_nobody_is_led_anywhere_and_nothing_is_written(hall: Hall) -> None:
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
def test_a_flood_of_addresses_holds_nobody_up_for_longer(hall: Hall) -> None:
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


def test_what_runs_the_home_is_led_nowhere(hall: Hall) -> None:
    hall.device("d-switch", LAPTOP, standing=Standing.INFRASTRUCTURE)
    hall.seen(LAPTOP)
    assert hall.led() == {}


def test_without_a_page_there_is_no_notice(store: Store, scope: Scope) -> None:
    hall = Hall(store, scope, settings=None)
    hall.device("d-phone", PHONE)
    hall.seen(PHONE)
    assert (hall.led(), hall.payloads("gatehouse.notice.v1")) == ({}, [])


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.req("N12", "R58")
@pytest.mark.parametrize("kind", [m.FormKind.CORRECTION, m.FormKind.COMPLAINT, m.FormKind.ACCESS])
def test_what_somebody_writes_goes_to_the_officers_in_their_own_words(hall: Hall, kind: m.FormKind) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, True)
    assert hall.form(kind, text="It is mine, not his.").taken
    (request,) = hall.requests()
    assert (request.kind, request.device_id, request.text) == (kind.value, "d-phone", "It is mine, not his.")
    assert hall.record.registry.by_id("d-phone") is not None
    assert hall.record.registry.by_id("d-phone").standing is Standing.UNKNOWN  # type: ignore[union-attr]


@pytest.mark.req("N12")
def test_an_empty_complaint_says_what_is_missing(hall: Hall) -> None:
    answer = hall.form(m.FormKind.COMPLAINT, text="  ")
    assert (answer.taken, answer.why) == (False, "Please write what it is about.")


@pytest.mark.req("N12")
def test_a_device_and_a_home_send_so_many_forms_a_day(hall: Hall) -> None:
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


def test_questions_that_nobody_answers_are_settled_in_a_second(hall: Hall) -> None:
    with hall.store.transaction():
        hall.doorway.asked(m.FormSent(ticket=7, client=HERE, kind=m.FormKind.ACCESS), hall.monotonic)
    hall.tick(0.5)
    assert not [item for peer, item in hall.sent if peer is Peer.PORCH]
    hall.tick(0.6)
    assert [item for peer, item in hall.sent if peer is Peer.PORCH] == [m.FormAnswered(ticket=7, taken=True)]
    with hall.store.transaction():
        hall.doorway.this_is(m.ThisIs(token=1, mac=PHONE), hall.scope, hall.at)
    assert len(hall.requests()) == 1, "an answer that comes late says nothing"


def test_questions_beyond_the_bound_are_turned_away(hall: Hall) -> None:
    for ticket in range(under_test.MAX_PENDING + 3):
        hall.doorway.asked(m.OwnPageAsked(ticket=ticket, client=HERE), hall.monotonic)
    turned = [item for peer, item in hall.sent if peer is Peer.PORCH]
    assert turned == [m.OwnPage(ticket=under_test.MAX_PENDING + number) for number in range(3)]
    assert hall.doorway.refused == 3
    hall.doorway.porch_gone()
    hall.tick(2)
    assert len([item for peer, item in hall.sent if peer is Peer.PORCH]) == 3


def test_a_device_that_is_forgotten_leaves_nothing(hall: Hall) -> None:
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


# --- one's own device -----------------------------------------------------------------------------


@pytest.mark.req("N12", "R76")
def test_its_own_passphrase_shows_a_device_its_page_and_no_other(hall: Hall) -> None:
    hall.device("d-phone", PHONE, standing=Standing.HOUSEHOLD, label="Sam's phone")
    hall.device("d-laptop", LAPTOP, standing=Standing.REGISTERED, label="Alex's laptop")
    hall.neighbours[HERE] = (PHONE, True)
    hall.bind("key-phone", "d-phone")
    hall.joined(PHONE, "key-phone")
    said = "\n".join(line for section in hall.page() for line in (section.title, *section.lines))
    assert "It counts among the devices of other people in the household." in said
    assert "when they are connected (clause 1), for 180 days." in said
    assert "Nothing about this device waits for an officer." in said
    assert "laptop" not in said
    assert PHONE not in said


@pytest.mark.req("N12")
def test_a_copied_address_is_told_what_everybody_is_told(hall: Hall) -> None:
    hall.device("d-phone", PHONE, standing=Standing.REGISTERED)
    hall.bind("key-phone", "d-phone")
    hall.bind("household", None, Purpose.HOUSEHOLD)
    strangers = [hall.page()]  # nobody is known to have that address
    hall.neighbours[HERE] = (PHONE, True)
    strangers.append(hall.page())  # it has not joined as far as the box knows
    hall.joined(PHONE, "household")
    strangers.append(hall.page())  # with everybody's passphrase
    hall.joined(PHONE, "key-phone")
    hall.neighbours[HERE] = (PHONE, False)
    strangers.append(hall.page())  # at a cable, while the device is at the access point
    hall.neighbours[HERE] = (CLONE, True)
    hall.joined(CLONE, "key-phone")
    strangers.append(hall.page())  # another address with the same passphrase
    hall.neighbours[HERE] = (PHONE, True)
    strangers.append(hall.page())  # two use it at once
    hall.joined(CLONE, None, joined=False)
    hall.joined(PHONE, None, joined=False)
    strangers.append(hall.page())
    assert strangers == [()] * 7
    hall.joined(PHONE, "key-phone")
    assert hall.page() != ()
    hall.doorway.own.stations_lost()
    assert hall.page() == ()


@pytest.mark.req("N12")
def test_an_officers_code_works_once_on_the_device_it_is_for(hall: Hall) -> None:
    hall.device("d-phone", PHONE)
    hall.device("d-laptop", LAPTOP)
    assert hall.issue("d-phone") is None
    hall.neighbours["192.0.2.18"] = (LAPTOP, False)
    assert hall.page("192.0.2.18", CODE) == (), "another device"
    hall.neighbours[HERE] = (PHONE, False)
    assert hall.page(HERE, CODE) != ()
    assert hall.page(HERE, CODE) == ()


@pytest.mark.req("N12")
@pytest.mark.parametrize("typed", ["k7qm-2xpa", "K7QM 2XPA"])
def test_a_code_may_be_typed_as_people_type(hall: Hall, typed: str) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    assert hall.issue("d-phone", "K7QM2XPA") is None
    assert hall.page(HERE, typed) != ()


@pytest.mark.req("N12")
def test_five_wrong_codes_close_it(hall: Hall) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.issue("d-phone")
    hall.page()  # without a code nothing was tried
    for number in range(MAX_WRONG):
        assert hall.page(HERE, f"WRONG-{number}") == ()
        hall.start()  # also over restarts
    assert hall.page(HERE, CODE) == ()


@pytest.mark.req("N12")
def test_a_code_ends_when_its_officer_said(hall: Hall) -> None:
    hall.device("d-phone", PHONE)
    hall.neighbours[HERE] = (PHONE, False)
    hall.issue("d-phone", seconds=60)
    hall.tick(61)
    assert hall.page(HERE, CODE) == ()


@pytest.mark.parametrize(
    ("device_id", "seconds", "why"),
    [
        ("d-other", 60.0, "does not know this device"),
        ("d-phone", -1.0, "within seven days"),
        ("d-phone", 8 * 86400.0, "within seven days"),
    ],
)
def test_a_code_that_cannot_be_is_refused(hall: Hall, device_id: str, seconds: float, why: str) -> None:
    hall.device("d-phone", PHONE)
    assert why in (hall.issue(device_id, seconds=seconds) or "")


def test_there_are_so_many_codes_and_no_more(hall: Hall) -> None:
    for number in range(33):
        hall.device(f"d-{number}", f"02:00:5e:00:54:{number:02x}")
    answers = [hall.issue(f"d-{number}") for number in range(33)]
    assert answers[:32] == [None] * 32
    assert "Too many codes" in (answers[32] or "")
    hall.scope = None
    assert "No authority" in (hall.issue("d-0") or "")
