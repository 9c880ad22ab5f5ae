from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper import orders
from wire.base import Standing
from wire.models import CommandResult, Device, Outcome

PHONE = "02:00:00:00:00:02"


def answer(bench: Any, command: Any) -> CommandResult:
    found = [item for item in bench.payloads(bench.down(command)) if isinstance(item, CommandResult)]
    assert len(found) == 1
    return found[0]


def known(bench: Any, mac: str = PHONE) -> str:
    bench.sight(mac)
    device = bench.core._book.registry.by_mac(mac)
    assert device is not None
    return str(device.device_id)


def test_a_command_has_one_effect_however_often_it_comes(bench: Any) -> None:
    command = bench.command(known(bench), Standing.HOUSEHOLD, label="One")
    first = answer(bench, command)
    assert first.outcome is Outcome.APPLIED
    assert bench.payloads(bench.down(command)) == [], "the answer still waits for its receipt"
    bench.acknowledge()
    again = bench.payloads(bench.down(command))
    assert again == [first], "the answer again, and nothing else"
    device = bench.core._book.registry.by_mac(PHONE)
    assert device.revision == 2


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"expires_at": datetime.fromtimestamp(1_900_000_000.0, UTC)}, Outcome.EXPIRED),
        ({"sequence": 4}, Outcome.OUT_OF_SEQUENCE),
        ({"sequence": 5}, Outcome.OUT_OF_SEQUENCE),
        ({"sequence": 9}, Outcome.APPLIED),
    ],
)
def test_late_and_passed_commands(bench: Any, changes: dict[str, Any], outcome: Outcome) -> None:
    device_id = known(bench)
    answer(bench, bench.command(device_id, Standing.UNKNOWN, sequence=5))
    command = bench.command(device_id, Standing.HOUSEHOLD, **({"sequence": 6} | changes))
    assert answer(bench, command).outcome is outcome
    device = bench.core._book.registry.by_id(device_id)
    assert (device.standing is Standing.HOUSEHOLD) == (outcome is Outcome.APPLIED)


@pytest.mark.req("N2", "R55")
@pytest.mark.parametrize("before", [Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE])
@pytest.mark.parametrize("second", [None, "officer-1"])
def test_one_person_does_not_make_another_s_device_the_person_s_own(bench: Any, before: Standing, second: Any) -> None:
    device_id = known(bench)
    answer(bench, bench.command(device_id, before))
    refused = answer(bench, bench.command(device_id, Standing.REGISTERED, second=second))
    assert refused.outcome is Outcome.REFUSED
    assert "two people" in refused.detail
    assert bench.device(PHONE).standing is before
    assert answer(bench, bench.command(device_id, Standing.REGISTERED)).outcome is Outcome.APPLIED


@pytest.mark.req("R54")
def test_a_box_that_lost_its_database_and_its_clock_follows_no_old_order(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(), boot="ab12")
    bench.online()
    command = bench.command("d-1", Standing.HOUSEHOLD, sequence=7)
    bench.down(command)
    assert bench.store.get("command_sequence") is None, "neither a number nor a time to judge it by"
    assert orders.could_be_old(bench.store, authenticated=False)
    assert not orders.could_be_old(bench.store, authenticated=True)
    bench.store.set("command_sequence", "7")
    bench.down(command)
    assert answer(bench, bench.command("d-1", Standing.HOUSEHOLD, sequence=8)).outcome is Outcome.REFUSED


def test_refusals_are_in_plain_words(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = answer(bench, bench.command("d-nobody", Standing.REGISTERED))
    assert (nobody.outcome, nobody.detail) == (Outcome.REFUSED, "The box does not know this device.")
    device_id = known(bench)
    over = datetime.fromtimestamp(bench.wall - 1, UTC)
    assert answer(bench, bench.command(device_id, Standing.GUEST, guest_until=over)).detail == (
        "The visit would already be over."
    )
    monkeypatch.setattr(orders, "MAX_MASKED", 0)
    assert "at most" in answer(bench, bench.command(device_id, Standing.REGISTERED)).detail
    bench.document(None)
    late = answer(bench, bench.command(device_id, Standing.HOUSEHOLD))
    assert late.outcome is Outcome.REFUSED
    assert "No authority" in late.detail
    assert bench.core._book.registry.by_id(device_id).standing is Standing.UNKNOWN


def test_a_visit_without_an_end_still_ends(bench: Any) -> None:
    device_id = known(bench)
    answer(bench, bench.command(device_id, Standing.GUEST))
    device = bench.core._book.registry.by_id(device_id)
    assert device.guest_until == bench.wall + orders.GUEST_SECONDS


def test_sequence_survives_a_restart(bench: Any, signed: Any) -> None:
    device_id = known(bench)
    answer(bench, bench.command(device_id, Standing.HOUSEHOLD, sequence=50))
    bench.stop()
    bench.start(signed())
    bench.online()
    old = bench.command(device_id, Standing.REGISTERED, sequence=50, command_id="c-other")
    assert answer(bench, old).outcome is Outcome.OUT_OF_SEQUENCE
    states = [item for item in bench.payloads(bench.wait(16)) if isinstance(item, Device)]
    assert all(item.standing is not Standing.REGISTERED for item in states)
