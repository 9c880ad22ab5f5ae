from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware.household import Wan
from wire.enrolment import (
    LINE_USER,
    MAX_ANSWER,
    BrokerAt,
    Enrolment,
    EnrolmentError,
    ListAt,
    NoticeTexts,
    OperatorCard,
    Uplink,
    open_,
    seal,
)

SERVER, BOX = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
PINNED = [Ed25519PrivateKey.generate().public_key(), SERVER.public_key()]


def enrolment(**values: Any) -> Enrolment:
    whole: dict[str, Any] = {
        "tenant": "northmoor",
        "site": "box-7",
        "request_key": "0" * 64,
        "certificate": "-----BEGIN CERTIFICATE-----\n",
        "broker": BrokerAt(host="broker.example", port=8883),
        "server_seal": "x" * 44,
        "notice": NoticeTexts(operator="Example", contact="01632 960000", complaints="01632 960001"),
        "at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    return Enrolment(**(whole | values))


@pytest.mark.req("R69")
def test_an_enrolment_is_read_by_its_box_alone_and_only_if_the_server_signed_it() -> None:
    raw = seal(enrolment(), signer=SERVER, recipient=BOX.public_key())
    assert b"northmoor" not in base64.b64decode(raw)
    assert open_(raw, recipient=BOX, pinned=PINNED) == enrolment()
    # A telephone may break lines.
    assert open_(b"\r\n".join(raw[at : at + 76] for at in range(0, len(raw), 76)), recipient=BOX, pinned=PINNED)
    with pytest.raises(EnrolmentError, match="not sealed for this box"):
        open_(raw, recipient=X25519PrivateKey.generate(), pinned=PINNED)
    with pytest.raises(EnrolmentError, match="no key that this box knows"):
        open_(raw, recipient=BOX, pinned=PINNED[:1])


def test_one_changed_octet_opens_nothing() -> None:
    raw = base64.b64decode(seal(enrolment(), signer=SERVER, recipient=BOX.public_key()))
    for at in range(0, len(raw), 7):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises(EnrolmentError):
            open_(base64.b64encode(changed), recipient=BOX, pinned=PINNED)


@given(st.binary(max_size=300))
def test_what_is_no_enrolment_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(EnrolmentError):
        open_(raw, recipient=BOX, pinned=PINNED)


def test_it_is_bounded_on_both_sides() -> None:
    many = tuple(
        ListAt(
            list_id=f"list-{number}", manifest="https://lists.example/" + "m" * 2000, publishers=("k",), ca="c" * 4096
        )
        for number in range(32)
    )
    with pytest.raises(EnrolmentError, match="the most is"):
        seal(enrolment(lists=many, authority="a" * 64 * 1024), signer=SERVER, recipient=BOX.public_key())
    with pytest.raises(EnrolmentError, match="too large"):
        open_(b"A" * (MAX_ANSWER + 1), recipient=BOX, pinned=PINNED)


@pytest.mark.req("R5")
@pytest.mark.parametrize("user", [None, "", 'a"b', "a\\b", "two words", "x" * 129])
def test_a_line_that_no_box_could_dial_is_none(user: str | None) -> None:
    with pytest.raises(ValidationError):
        Uplink(kind="pppoe", user=user, password="secret-of-the-line")


def test_whatever_a_line_may_be_called_a_household_file_takes() -> None:
    for letter in map(chr, range(128)):
        taken = re.fullmatch(LINE_USER, letter) is not None
        document = {"interface": "ppp0", "kind": "pppoe", "port": "eth0", "user": letter}
        try:
            Wan.model_validate(document)
        except ValidationError:
            assert not taken, letter
        else:
            assert taken, letter


def test_a_card_names_resolvers_without_an_interface() -> None:
    """Their addresses are written into a configuration, and an interface's name may hold anything."""
    resolvers = OperatorCard.__pydantic_validator__
    made = OperatorCard.model_construct()
    resolvers.validate_assignment(made, "resolvers", ("192.0.2.53", "2001:db8::53"))
    assert [str(each) for each in made.resolvers] == ["192.0.2.53", "2001:db8::53"]
    with pytest.raises(ValidationError, match="behind a %"):
        resolvers.validate_assignment(made, "resolvers", ("fe80::53%eth0",))
