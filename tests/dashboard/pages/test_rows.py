from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from dashboard.pages import rows
from dashboard.pages.desk import Desk, desk
from dashboard.store.devices import StoredDevice, StoredProposal

ADDRESS = {"first_seen": "2026-01-14T20:00:00Z", "last_seen": "2026-01-14T21:00:00Z"}
DEVICE = StoredDevice(
    device_id="dev-1",
    standing="unknown",
    label=None,
    looks_like=None,
    quarantined=False,
    first_seen=1.0,
    last_seen=2.0,
    addresses=[],
    correction=None,
    presence=None,
    merged_into=None,
    key_id=None,
    visibility=None,
)


@pytest.fixture
def at_desk(app: Flask) -> Iterator[Desk]:
    with app.app_context():
        yield desk()


def test_a_device_of_which_nothing_is_known_says_so(at_desk: Desk) -> None:
    row = rows.device_row(at_desk, "site-1", DEVICE)
    assert (row.name, row.looks_like, row.sure, row.presence) == ("No label yet", "Nothing is known yet", "", "")
    assert (row.addresses, row.private, row.corrected, row.against) == ((), False, False, ())
    assert row.address == "/households/site-1/devices/dev-1"


def test_addresses_come_latest_first_and_a_strange_one_is_left_out() -> None:
    used: list[dict[str, Any]] = [
        {"mac": "00:00:5e:00:53:01", "locally_administered": False, **ADDRESS},
        {"mac": 7},
        {"mac": "02:00:5e:00:53:02", "locally_administered": True, **ADDRESS, "last_seen": "2026-01-14T22:00:00Z"},
    ]
    found = rows.addresses(replace(DEVICE, addresses=used))
    assert [item.mac for item in found] == ["02:00:5e:00:53:02", "00:00:5e:00:53:01"]


def test_a_correction_is_marked_only_where_it_says_something(at_desk: Desk) -> None:
    said = replace(DEVICE, correction={"category": "tv"})
    assert rows.device_row(at_desk, "site-1", said).corrected
    assert not rows.device_row(at_desk, "site-1", replace(DEVICE, correction={})).corrected


@pytest.mark.req("R17")
def test_a_proposal_names_both_devices_as_far_as_they_are_known(at_desk: Desk) -> None:
    proposal = StoredProposal(
        proposal_id="prop-1",
        device_id="dev-1",
        other_id="dev-2",
        probability=0.555,
        state="open",
        raised_at=3.0,
        reasons=["Same name."],
        against=[],
    )
    card = rows.proposal_card(at_desk, "site-1", proposal, {"dev-1": replace(DEVICE, label="black phone")})
    assert (card.stays, card.goes) == ("black phone", "Nothing known yet of device dev-2")
    assert "(56%)" in card.sentence
    assert card.sure == "Likely (about 55%)"
    assert (card.sent, card.sent_address, card.open) == ("", "", True)
