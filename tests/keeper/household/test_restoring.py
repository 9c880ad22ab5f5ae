"""A box that took another's place is given the devices that the dashboard knew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.household import restoring
from wire.acts import Restored, RestoreDevices
from wire.base import Correction, Standing
from wire.models import Command, CommandResult, Device, Outcome

pytestmark = pytest.mark.req("N15")
PHONE = "02:00:00:00:00:02"
LAPTOP = "02:00:00:00:00:03"
BEFORE = datetime.fromtimestamp(1_899_000_000, UTC)


def kept(device_id: str = "d-kept", mac: str = PHONE, **values: Any) -> Restored:
    row: dict[str, Any] = {
        "device_id": device_id,
        "revision": 7,
        "standing": Standing.HOUSEHOLD,
        "label": "Black phone",
        "macs": (mac,),
        "first_seen": BEFORE,
        "last_seen": BEFORE,
    }
    return Restored(**(row | values))


def give(bench: Any, *devices: Restored, sequence: int | None = None) -> tuple[CommandResult, list[Device]]:
    values = {} if sequence is None else {"sequence": sequence}
    command: Command = bench.command("d-any", Standing.HOUSEHOLD, **values)
    order = RestoreDevices(devices=devices)
    told = bench.payloads(bench.down(command.model_copy(update={"body": order})))
    (result,) = [item for item in told if isinstance(item, CommandResult)]
    return result, [item for item in told if isinstance(item, Device)]


def test_devices_come_back_with_their_ids_and_later_revisions(bench: Any) -> None:
    said = Correction(category="phone")
    result, devices = give(bench, kept(correction=said), kept("d-other", LAPTOP, standing=Standing.REGISTERED))
    assert result.outcome is Outcome.APPLIED, result.detail
    phone = bench.core._book.registry.by_mac(PHONE)
    assert (phone.device_id, phone.label, phone.standing) == ("d-kept", "Black phone", Standing.HOUSEHOLD)
    assert (phone.correction, phone.first_seen) == (said, BEFORE.timestamp())
    assert {item.device_id for item in devices} == {"d-kept", "d-other"}
    assert all(item.revision > 7 for item in devices)


def test_what_was_seen_meanwhile_becomes_the_known_devices(bench: Any) -> None:
    bench.sight(PHONE)
    stranger = bench.core._book.registry.by_mac(PHONE).device_id
    assert give(bench, kept())[0].outcome is Outcome.APPLIED
    registry = bench.core._book.registry
    assert registry.by_id(stranger) is None
    phone = registry.by_mac(PHONE)
    assert (phone.device_id, phone.last_seen > BEFORE.timestamp()) == ("d-kept", True)


def test_the_same_restoring_goes_on_and_repeats_without_effect(bench: Any) -> None:
    assert give(bench, kept())[0].outcome is Outcome.APPLIED
    again, told = give(bench, kept(), kept("d-other", LAPTOP))
    assert again.outcome is Outcome.APPLIED
    assert [item.device_id for item in told] == ["d-other"], "the first one is left as it is"


def test_a_box_with_devices_of_its_own_is_left_alone(bench: Any) -> None:
    bench.sight(LAPTOP)
    own = bench.core._book.registry.by_mac(LAPTOP).device_id
    bench.down(bench.command(own, Standing.HOUSEHOLD))
    result, told = give(bench, kept())
    assert (result.outcome, told) == (Outcome.REFUSED, [])
    assert "of its own" in result.detail


def test_all_of_an_order_or_none(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result, told = give(bench, kept(), kept("d-other", PHONE))
    assert (result.outcome, told) == (Outcome.REFUSED, [])
    assert bench.core._book.registry.by_mac(PHONE) is None
    monkeypatch.setattr(restoring, "MAX_RESTORED_IDS", 1)
    result, _ = give(bench, kept(), kept("d-other", LAPTOP))
    assert "no room" in result.detail
    monkeypatch.setattr(restoring, "MAX_MASKED", 0)
    result, _ = give(bench, kept(standing=Standing.REGISTERED))
    assert "at most" in result.detail


def test_without_an_authority_nothing_is_put_on_the_register(bench: Any) -> None:
    bench.document(None)
    result, _ = give(bench, kept())
    assert result.outcome is Outcome.REFUSED
    assert "No authority" in result.detail
    assert bench.core._book.registry.by_mac(PHONE) is None


def test_a_visit_that_is_over_is_up_for_review(bench: Any) -> None:
    give(bench, kept(standing=Standing.GUEST, guest_until=BEFORE))
    phone = bench.core._book.registry.by_mac(PHONE)
    assert (phone.standing, phone.visit_ended) == (Standing.UNKNOWN, BEFORE.timestamp())


def test_a_passphrase_is_its_own_again(bench: Any) -> None:
    give(bench, kept(standing=Standing.REGISTERED, key_id="k-1"))
    assert [key.key_id for key in bench.core._book.keys._record.store.kinship.passphrases().of_device("d-kept")] == [
        "k-1"
    ]
