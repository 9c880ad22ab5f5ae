"""A box that was never enrolled asks; `station` is the desk, with a broker that notes whom it let in."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, update

from dashboard.enrol.asking import Outcome
from dashboard.enrol.enrolling import MOST_ANSWERS, MOST_WAITING
from dashboard.enrol.line import seal_uplink
from dashboard.enrol.share import HOUR
from dashboard.store import schema, stock, wifi
from wire.enrolment import MAX_REQUEST, EnrolmentError, EnrolmentRequest
from wire.wifi import open_passphrase, seal_passphrase

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def _heard(station: Any, site: str, at: float | None) -> None:
    with station.engine.begin() as connection:
        connection.execute(update(schema.site).where(schema.site.c.site == site).values(heard_at=at))


@pytest.mark.req("R1", "R69")
def test_a_box_that_is_not_in_stock_is_told_so_and_nothing_is_written(station: Any, new_box: Any) -> None:
    answer = station.enroller.answer(new_box(site="box-1").request(), NOW)
    assert (answer.outcome, answer.says) == (Outcome.REFUSED, "this box is not in stock here")
    assert station.audited() == []


@pytest.mark.req("R1", "R2")
def test_a_box_in_stock_waits_until_its_code_is_claimed_and_then_gets_all_it_needs(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    before = station.audited()
    answer = station.enroller.answer(box.request(), NOW)
    assert (answer.outcome, answer.says, answer.sealed) == (Outcome.WAITING, "waiting to be claimed", b"")
    assert station.audited() == before, "waiting writes nothing"
    assert station.let_in == []
    station.claim(box)
    request = box.request()
    said = station.open(station.enroller.answer(request, NOW), box)
    csr = EnrolmentRequest.model_validate_json(request).csr
    assert (said.tenant, said.site) == ("example", "box-1")
    assert said.request_key == hashlib.sha256(csr.encode()).hexdigest()
    certificate = x509.load_pem_x509_certificate(said.certificate.encode())
    certificate.verify_directly_issued_by(
        x509.load_pem_x509_certificate(station.authority.certificate_path.read_bytes())
    )
    assert certificate.public_key() == box.tls.public_key()
    assert (certificate.not_valid_after_utc - datetime.fromtimestamp(NOW, UTC)).days == 7
    assert said.broker.host == "broker.example.org"
    assert (said.network, said.authority) == (None, None)
    assert station.let_in == ["box-1"]
    assert station.audited()[-1] == ("enrol-box", "box-1", "done")


@pytest.mark.req("R69")
def test_the_answer_opens_on_no_other_box(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    answer = station.enroller.answer(box.request(), NOW)
    with pytest.raises(EnrolmentError, match="not sealed for this box"):
        station.open(answer, new_box(site="box-1"))


@pytest.mark.req("R1")
def test_a_box_that_lost_its_answer_asks_again_until_it_was_heard(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    for _ in range(2):
        assert station.enroller.answer(box.request(), NOW).outcome is Outcome.DONE
    _heard(station, "box-1", NOW + 60)
    answer = station.enroller.answer(box.request(), NOW + 61)
    assert (answer.outcome, answer.says) == (Outcome.REFUSED, "the box is at work already")
    assert station.audited()[-1] == ("enrol-box", "box-1: the box is at work already", "refused")
    with station.engine.begin() as connection:
        stock.reopen(connection, box.card, by=None, now=NOW + 62)
    assert station.enroller.answer(box.request(), NOW + 63).outcome is Outcome.DONE
    _heard(station, "box-1", NOW + 64)
    assert station.enroller.answer(box.request(), NOW + 65).outcome is Outcome.REFUSED


@pytest.mark.req("R69")
def test_another_box_of_the_same_name_gets_nothing(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    answer = station.enroller.answer(new_box(site="box-1").request(), NOW)
    assert (answer.outcome, answer.says) == (Outcome.REFUSED, "this box is not in stock here")


@pytest.mark.req("R69")
def test_a_revoked_box_and_one_that_was_replaced_get_nothing(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    mine = schema.site.c.site == "box-1"
    with station.engine.begin() as connection:
        connection.execute(update(schema.site).where(mine).values(revoked_at=NOW))
    assert station.enroller.answer(box.request(), NOW).says == "the box was revoked"
    with station.engine.begin() as connection:
        connection.execute(update(schema.site).where(mine).values(revoked_at=None, verify_key="A" * 44))
    assert station.enroller.answer(box.request(), NOW).says == "the home has another box"


def test_a_request_that_does_not_hold_is_refused_in_a_plain_word(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    request = EnrolmentRequest.model_validate_json(box.request())

    def says(raw: bytes) -> str:
        answer = station.enroller.answer(raw, NOW)
        assert answer.outcome is Outcome.REFUSED
        return str(answer.says)

    assert says(b"x" * (MAX_REQUEST + 1)) == "the request is too large"
    assert says(b"{}") == "it is no request of a box"
    other = EnrolmentRequest.model_validate_json(new_box(site="box-1").request())
    forged = request.model_copy(update={"signature": other.signature})
    assert says(forged.model_dump_json().encode()) == "it is not signed with the key of its card"
    foreign = request.model_copy(update={"card": request.card.model_copy(update={"signature": other.card.signature})})
    assert says(foreign.model_dump_json().encode()) == "it is no request of a box"
    assert says(new_box(site="box-1", tenant="another").request()) == "the box is another operator's"
    assert "for another name" in says(box.request(name="box-2"))
    assert says(box.request(at=NOW - 2 * 86400)) == "it was made at another time: the box's clock is wrong"


@pytest.mark.req("R5")
def test_what_a_telephone_carries_may_come_from_a_box_that_does_not_know_the_time(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    request = box.request(at=NOW - 400 * 86400)
    assert station.enroller.answer(request, NOW).outcome is Outcome.REFUSED
    assert station.enroller.answer(request, NOW, carried=True).outcome is Outcome.DONE


def test_how_often_a_box_is_answered_is_bounded(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    for _ in range(MOST_ANSWERS):
        assert station.enroller.answer(box.request(), NOW).outcome is Outcome.DONE
    assert station.enroller.answer(box.request(), NOW + 1).outcome is Outcome.BUSY
    assert station.enroller.share.turned_away == 1
    assert station.enroller.answer(box.request(), NOW + HOUR).outcome is Outcome.DONE
    assert MOST_WAITING > 10 * MOST_ANSWERS, "a box that waits asks often, and costs little"


def test_where_the_broker_does_not_answer_the_box_is_to_ask_again(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    station.closed.append("closed")
    assert station.enroller.answer(box.request(), NOW).outcome is Outcome.LATER
    station.closed.clear()
    assert station.enroller.answer(box.request(), NOW).outcome is Outcome.DONE


def test_what_is_stored_wrongly_for_a_box_is_a_word_to_it_and_no_crash(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    with station.engine.begin() as connection:
        wifi.save_wifi(connection, "box-1", ssid="Home", security="none-of-these", by="officer-1", now=NOW)
    assert station.enroller.answer(box.request(), NOW).outcome is Outcome.LATER
    assert station.audited()[-1][0] == "enrol-box"


@pytest.mark.req("R5")
def test_a_line_that_cannot_be_dialled_is_said_and_not_given_by_half(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    stranger = X25519PrivateKey.generate().public_key()
    line = seal_uplink({"user": "line@provider.example", "password": "x"}, site="box-1", recipient=stranger)
    with station.engine.begin() as connection:
        wifi.save_wifi(connection, "box-1", ssid="Home", uplink="pppoe", uplink_sealed=line, by="officer-1", now=NOW)
    answer = station.enroller.answer(box.request(), NOW)
    assert answer.outcome is Outcome.REFUSED
    assert "enter it again" in answer.says


@pytest.mark.req("R2", "R5", "N9")
def test_the_homes_wifi_and_line_are_enclosed_and_cannot_be_read_in_the_database(
    station: Any, new_box: Any, tmp_path: Any
) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    said = {"household": "the words of this home", "card-1": "abcde-fghjk-mnpqr-stuvw", "card-2": "over-long-ago"}
    with station.engine.begin() as connection:
        line = seal_uplink(
            {"user": "line@provider.example", "password": "secret-of-the-line"},
            site="box-1",
            recipient=station.opener.public_key(),
        )
        wifi.save_wifi(connection, "box-1", ssid="Home", uplink="pppoe", uplink_sealed=line, by="officer-1", now=NOW)
        for key_id, passphrase in said.items():
            sealed = seal_passphrase(passphrase, site="box-1", key_id=key_id, recipient=box.sealing.public_key())
            made = wifi.Made(
                key_id=key_id,
                sealed=sealed,
                purpose={"household": "household", "card-1": "device", "card-2": "guest"}[key_id],  # type: ignore[arg-type] # one of them
                label="a device",
                until=NOW - 1 if key_id == "card-2" else None,
            )
            wifi.add_key(connection, "box-1", made, by="officer-1", now=NOW)
    given = station.open(station.enroller.answer(box.request(), NOW), box).network
    assert given is not None
    assert (given.ssid, given.uplink.kind, given.uplink.user, given.uplink.password) == (
        "Home",
        "pppoe",
        "line@provider.example",
        "secret-of-the-line",
    )
    opened = {
        item.key_id: open_passphrase(item.sealed, site="box-1", key_id=item.key_id, recipient=box.sealing)
        for item in given.passphrases
    }
    assert opened == {key: said[key] for key in ("household", "card-1")}, "what is over is left out"
    raw = (tmp_path / "dashboard.db").read_bytes()
    for word in (*said.values(), "secret-of-the-line", "line@provider.example"):
        assert word.encode() not in raw


@pytest.mark.req("R2", "R66")
def test_only_a_document_that_two_people_gave_and_nobody_withdrew_is_enclosed(station: Any, new_box: Any) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)

    def order(command_id: str, action: str, at: float, state: str, second: str | None, **body: Any) -> None:
        with station.engine.begin() as connection:
            connection.execute(
                insert(schema.command).values(
                    command_id=command_id,
                    site="box-1",
                    body={"action": action, **body},
                    reason="Order",
                    by="officer-1",
                    created_at=at,
                    expires_at=at + 600,
                    state=state,
                    detail="",
                    second=second,
                )
            )

    def enclosed() -> str | None:
        given: str | None = station.open(station.enroller.answer(box.request(), NOW), box).authority
        return given

    order("c1", "set-authority", NOW - 50, "needs-second", None, document="one")
    assert enclosed() is None
    order("c2", "set-authority", NOW - 40, "disagreed", "officer-2", document="two")
    assert enclosed() is None
    order("c3", "set-authority", NOW - 30, "unsent", "officer-2", document="three")
    assert enclosed() == "three", "nobody was there to take it"
    order("c4", "withdraw-consent", NOW - 20, "unanswered", None)
    assert enclosed() is None
    order("c5", "set-authority", NOW - 10, "waiting", "officer-2", document="five")
    assert enclosed() == "five"
