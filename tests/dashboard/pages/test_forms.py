"""Forms: whatever is typed is an order that the wire takes, or named faults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.commands import Decision, new_token
from dashboard.pages import forms, words
from dashboard.pages.forms import Answered, Bound, Corrected, Parted, Standed
from dashboard.pages.typed import Errors
from wire.base import Standing
from wire.orders import BindPassphrase, CorrectDevice, RunProbe, SetStanding, SplitDevice

MACS = ("02:00:5e:00:53:01", "02:00:5e:00:53:02", "02:00:5e:00:53:03")
NAMES = (
    "token standing label days reason category os_family vendor model confirmed key_id purpose answer kind".split()  # noqa: SIM905 - reads best
)
VALUES = [*Standing, *words.CATEGORIES, *forms.PURPOSES, *forms.LOOKS, "0" * 32, "7", "confirm", "refuse", "k-1", "1"]
FIELDS = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.text(max_size=600), st.sampled_from(VALUES)))


def _results(form: dict[str, str], macs: list[str]) -> list[tuple[Decision | None, Errors]]:
    return [
        Standed.read(form).check("dev-1"),
        Corrected.read(form).check("dev-1"),
        Bound.read(form).check("dev-1"),
        Parted.read(form, macs).check("dev-1", MACS),
        Answered.read(form).check("prop-1", "dev-1"),
    ]


@given(FIELDS, st.lists(st.one_of(st.text(max_size=20), st.sampled_from(MACS)), max_size=5))
def test_whatever_is_typed_is_an_order_that_the_wire_takes_or_named_faults(
    form: dict[str, str], macs: list[str]
) -> None:
    for decision, errors in _results(form, macs):
        assert (decision is None) == bool(errors)
        if decision is not None:
            assert decision.order(1_800_000_000.0).model_dump(mode="json", exclude_none=True)["action"]
            assert decision.reason
    asked = forms.look_round(form)
    assert asked is None or isinstance(asked.order(0.0), RunProbe)


def _typed(**fields: str) -> dict[str, str]:
    return {"token": new_token(), "reason": "Shown at the visit"} | fields


def _order(result: tuple[Decision | None, Errors], at: float = 0.0) -> Any:
    decision, errors = result
    assert errors == ()
    assert decision is not None
    return decision.order(at)


@pytest.mark.req("R13")
def test_what_is_left_empty_is_left_to_the_box() -> None:
    order = _order(Corrected.read(_typed(category="tv", vendor=" Example ")).check("dev-1"))
    assert isinstance(order, CorrectDevice)
    assert order.correction.model_dump(exclude_none=True) == {"category": "tv", "vendor": "Example"}
    freed = _order(Corrected.read(_typed()).check("dev-1"))
    assert freed.correction.model_dump(exclude_none=True) == {}


@pytest.mark.parametrize(
    ("macs", "fault"),
    [
        ([], "Select the addresses"),
        (["02:00:5e:00:53:99"], "Select the addresses"),
        ([MACS[0], "<script>"], "Select the addresses"),
        (list(MACS), "Leave at least one address"),
    ],
)
def test_only_some_of_the_device_s_own_addresses_are_taken_out(macs: list[str], fault: str) -> None:
    decision, errors = Parted.read(_typed(), macs).check("dev-1", MACS)
    assert decision is None
    assert errors[0][0] == "split-macs"
    assert errors[0][1].startswith(fault)


def test_an_address_ticked_twice_goes_once() -> None:
    order = _order(Parted.read(_typed(), [MACS[1], MACS[1]]).check("dev-1", MACS))
    assert order == SplitDevice(device_id="dev-1", macs=(MACS[1],))


@pytest.mark.req("N9")
def test_a_visitors_passphrase_has_an_end_and_only_a_devices_own_names_it() -> None:
    guest = _order(Bound.read(_typed(key_id="k-1", purpose="guest", days="3")).check("dev-1"), at=86400.0)
    assert isinstance(guest, BindPassphrase)
    assert guest.until is not None
    assert guest.until.timestamp() == 4 * 86400.0
    assert guest.device_id is None
    own = _order(Bound.read(_typed(key_id="k-1", purpose="device", days="3")).check("dev-1"))
    assert (own.device_id, own.until) == ("dev-1", None)


@pytest.mark.parametrize("key_id", ["", "a b", "k\u202e", "x" * 65, "k/1"])
def test_a_reference_of_a_passphrase_is_plain(key_id: str) -> None:
    decision, errors = Bound.read(_typed(key_id=key_id, purpose="household")).check("dev-1")
    assert decision is None
    assert errors[0][0] == "key-id"


def test_a_visits_days_count_from_the_moment_of_asking() -> None:
    decision, _ = Standed.read(_typed(standing="guest", days="2")).check("dev-1")
    assert decision is not None
    first, second = decision.order(0.0), decision.order(60.0)
    assert isinstance(first, SetStanding)
    assert isinstance(second, SetStanding)
    assert first.guest_until is not None
    assert second.guest_until is not None
    assert (second.guest_until - first.guest_until).total_seconds() == 60
