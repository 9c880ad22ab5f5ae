from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.household.arrivals import ABSENT_SECONDS
from wire.findings import Finding
from wire.models import Device

PHONE = "02:00:00:00:00:0a"
START = 1_900_000_000.0


@pytest.mark.req("R11")
def test_a_made_up_address_is_told_at_once_while_nobody_could_be_told_by_it(bench: Any) -> None:
    sent = bench.payloads(bench.sight(PHONE))
    assert {type(item) for item in sent} == {Device, Finding}
    assert not bench.core._book._arrivals.waits(PHONE)


@pytest.mark.req("R47")
def test_a_made_up_address_that_is_kept_is_told_from_one_that_changes(bench: Any) -> None:
    bench.sight(PHONE)
    assert bench.device(PHONE).rotates() is None, "not known yet"
    bench.wait(3600)
    bench.sight(PHONE)
    assert bench.device(PHONE).rotates() is None
    bench.document(None)
    address = bench.device(PHONE).addresses[0].seen(START + 25 * 3600)
    assert address.returned


@pytest.mark.req("R26")
def test_absence_and_return_are_counted(bench: Any) -> None:
    bench.sight(PHONE)
    bench.acknowledge()
    bench.wait(ABSENT_SECONDS - 1)
    assert not [item for item in bench.payloads(bench.sight(PHONE)) if isinstance(item, Finding)]
    bench.wait(ABSENT_SECONDS)
    (finding,) = [item for item in bench.payloads(bench.sight(PHONE)) if isinstance(item, Finding)]
    assert finding.count == 2


@pytest.mark.req("R11")
@pytest.mark.parametrize("via", list(m.Via))
def test_each_kind_of_frame_shows_a_device(bench: Any, via: m.Via) -> None:
    (finding,) = [item for item in bench.payloads(bench.sight(PHONE, via)) if isinstance(item, Finding)]
    assert finding.reasons[1].startswith("It was first seen when")


@pytest.mark.req("R18", "R56")
def test_signs_of_a_new_device_may_leave_at_once_where_they_may(make_bench: Any, signed: Any) -> None:
    clauses = [{"number": "1", "kind": "collect", "standings": ["unknown"], "classes": ["presence", "signs"]}]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    sent = bench.sight("00:00:5e:00:53:77") + bench.wait(11)
    masks = [item for item in sent if isinstance(item, m.CollectionMask)]
    assert masks[-1].signs == ("00:00:5e:00:53:77",)
    assert masks[-1].names == ()
