from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from dashboard import auth
from dashboard.access import Role
from dashboard.store import installs, relays, retention_work, schema, wifi
from dashboard.store.retention import _held, purge
from dashboard.store.schedule import DAY, Hold, schedule_of


@pytest.mark.req("R64", "N17")
def test_what_came_with_a_transfer_goes_with_presence_and_a_share_with_decisions(
    engine: Engine, seed: Any, clock: Any
) -> None:
    site = seed.site()
    with engine.begin() as connection:
        for days in (800, 10):
            at = clock.at - days * DAY
            connection.execute(
                insert(schema.history).values(site=site, pack_id=f"p-{days}", part="stays", number=1, at=at, text="x")
            )
            given = {"sections": [], "agency": "Agency", "reader": "Reader", "purpose": "Case", "by": "acc-1"}
            values = {"share_id": f"s-{days}", "site": site, "created_at": at, "until": at + DAY, "failures": 0}
            connection.execute(insert(schema.share).values(**values, **given))
            connection.execute(insert(schema.share_note).values(share_id=f"s-{days}", token="t", text="x", at=at))
        purge(connection, tenant="northmoor", now=clock.at)
        purge(connection, tenant="northmoor", now=clock.at)
    assert {row["pack_id"] for row in seed.rows(schema.history)} == {"p-10"}
    assert {row["share_id"] for row in seed.rows(schema.share)} == {"s-10"}
    assert {row["share_id"] for row in seed.rows(schema.share_note)} == {"s-10"}


@pytest.mark.req("N17")
def test_what_is_held_for_a_case_stays_with_the_visits_of_that_time(engine: Engine, seed: Any, clock: Any) -> None:
    site = seed.site()
    common = {"site": site, "state": "signed", "revision": 2, "by": "acc-1", "present": [], "question_set": 1}
    empty = {"answers": {}, "found": [], "saved_at": 0.0, "outcome": "", "note": "", "own_words": "", "explained": []}
    with engine.begin() as connection:
        for days in (800, 760):
            at = clock.at - days * DAY
            connection.execute(insert(schema.visit).values(visit_id=f"v-{days}", started_at=at, **common, **empty))
            line = {"site": site, "visit_id": f"v-{days}", "device_id": "dev-1", "number": 1, "state": "", "note": ""}
            connection.execute(insert(schema.visit_line).values(**line))
        hold = Hold(since=clock.at - 770 * DAY, until=clock.at - 750 * DAY, device_id="dev-9")
        due = list(retention_work.due(site, decided=clock.at - 730 * DAY, presence=0.0, free=_held((hold,))))
        gone = [
            (table.name, row.visit_id)
            for table, _key, which in due
            if "visit_id" in table.c
            for row in connection.execute(select(table.c.visit_id).where(which))
        ]
    # A visit itself goes a round after its lines.
    assert gone == [("visit_line", "v-800")]


@pytest.mark.req("R64")
def test_every_table_about_a_household_is_erased_in_time_or_has_a_reason() -> None:
    """A table that is added later has to say which it is."""
    from dashboard.store import retention, retention_work

    schedule = schedule_of(None, 1e9)
    named = {table.name for table, _, _ in retention._due("site-1", schedule, ())}
    named |= {"review", "review_act"}  # with the finding that they are about
    named |= {table.name for table, _, _ in retention_work.due("site-1", decided=0.0, presence=0.0)}
    about = {table.name for table in schema.metadata.sorted_tables if "site" in table.c}
    assert about - named <= KEPT, "neither erased nor kept for a reason"


KEPT = {
    "box_software",  # what its box runs, replaced by what it says next
    "release_box",  # which release its box was told to take
    "pilot_box",  # a box that engineers named; nothing about a person
    "site",  # the household itself
    "arrangements",  # as they stand at the box, replaced by the next
    "authority_document",  # the ground on which everything else was kept
    "notice",  # what was shown to whom, as long as the household is there
    "ledger_head",  # digests alone
    "ledger_seed",  # digests alone
    "bundle_part",  # with its bundle
    "bundle_file",  # with its bundle
    "replacement",  # which box was in the home, no devices
    "assignment",  # who was in charge: an audit of its own
    "home",  # whose household it is, replaced by the next
    "alert",  # by alerts' own rounds
    "feed",  # how far the collector's feed has come
    "planned_work",  # by alerts' own rounds
    "transfer",  # its file goes after its own time, its digest stays
    "transfer_taken",  # digests alone: a pack is taken once
    "box_stock",  # keys of boxes
    "box_access",  # whether the broker lets the box in, and when it was given all that it needs
    "wifi",  # the home's own name of its Wi-Fi, replaced by the next and gone with the box
}


@pytest.mark.req("R64")
def test_an_installation_goes_with_what_was_carried_and_an_ended_passphrase_too(
    engine: Engine, seed: Any, clock: Any
) -> None:
    by = auth.add_account(engine, name="fitter", role=Role.OFFICER, now=0.0)
    seed.site()
    old = clock.at - 4000 * 86400.0
    with engine.begin() as connection:
        installs.start(
            connection, "install-1", tenant="northmoor", kind="install", reference="R", site="site-1", by=by, now=old
        )
        relays.ask(connection, "install-1", "request", by=by, now=old)
        found = installs.install_of(connection, "northmoor", "install-1")
        assert found is not None
        assert installs.change_state(connection, found, "done", by=by, now=old)
        for name in ("card-1", "card-2"):
            made = wifi.Made(key_id=name, sealed="A" * 64, purpose="device", label=name)
            wifi.add_key(connection, "site-1", made, by=by, now=old)
        wifi.end_key(connection, "site-1", "card-1", by=by, now=old)
    for _ in range(3):
        with engine.begin() as connection:
            purge(connection, tenant="northmoor", now=clock.at)
    assert seed.rows(schema.relay) == seed.rows(schema.install) == []
    assert [row["key_id"] for row in seed.rows(schema.wifi_key)] == ["card-2"], "what counts is kept"
