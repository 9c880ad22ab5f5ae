from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.pages.forms_arranged import Awayed, Irrelevant, Watched, ended, is_name
from wire.orders import AddWatch, EndAway, EndQuiet, EndWatch, QuietRule, SetAway

NOW = 1_768_424_649.0  # 14 January 2026
ZONE = ZoneInfo("Europe/London")
TOKEN = "0" * 32


def _away(**fields: str) -> Awayed:
    whole = {"token": TOKEN, "starts": "2026-01-20", "ends": "2026-01-22", "reason": "Holiday"} | fields
    return Awayed.read(whole)


def _watch(**fields: str) -> Watched:
    whole = {"token": TOKEN, "name": "listed.example", "kind": "find", "below": "1", "severity": "today"}
    return Watched.read(whole | {"days": "90", "reason": "Agreed"} | fields)


@pytest.mark.req("R15")
def test_days_away_are_whole_days_of_the_place() -> None:
    decision, errors = _away(device="dev-1").check({"dev-1"}, now=NOW, zone=ZONE)
    assert errors == ()
    assert decision is not None
    order = decision.order(NOW)
    assert isinstance(order, SetAway)
    assert (order.starts.isoformat(), order.ends.isoformat()) == (
        "2026-01-20T00:00:00+00:00",
        "2026-01-23T00:00:00+00:00",
    )
    assert (order.device_id, decision.device_id, order.reason) == ("dev-1", None, "Holiday")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"starts": "soon"}, "away-starts"),
        ({"ends": ""}, "away-ends"),
        ({"ends": "2026-01-19"}, "away-ends"),
        ({"ends": "2026-04-20"}, "away-ends"),
        ({"starts": "2026-01-10", "ends": "2026-01-12"}, "away-ends"),
        ({"starts": "2026-01-01"}, "away-starts"),
        ({"starts": "2027-01-20", "ends": "2027-01-21"}, "away-starts"),
        ({"starts": "2199-12-31", "ends": "2199-12-31"}, "away-starts"),
        ({"device": "dev-9"}, "away-device"),
        ({"token": "x"}, "away-starts"),
        ({"reason": ""}, "away-reason"),
        ({"reason": "x" * 301}, "away-reason"),
    ],
)
def test_an_away_time_that_cannot_be_is_said(fields: dict[str, str], field: str) -> None:
    decision, errors = _away(**fields).check({"dev-1"}, now=NOW, zone=ZONE)
    assert decision is None
    assert [name for name, _ in errors] == [field]


@pytest.mark.req("R35", "R67")
def test_an_entry_is_to_be_found_or_never_kept() -> None:
    found, _ = _watch(name=" Listed.Example. ", severity="act_now").check()
    kept_out, _ = _watch(kind="exclude", below="", severity="").check()
    assert found is not None
    assert kept_out is not None
    first, second = found.order(NOW), kept_out.order(NOW)
    assert isinstance(first, AddWatch)
    assert isinstance(second, AddWatch)
    assert (first.name, first.below, first.excluded, first.severity) == ("listed.example", True, False, "act_now")
    assert first.expires.timestamp() == NOW + 90 * 86400
    assert (second.below, second.excluded, second.severity) == (False, True, "information")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "https://listed.example/"}, "watch-name"),
        ({"name": "example"}, "watch-name"),
        ({"name": "a..example"}, "watch-name"),
        ({"token": ""}, "watch-name"),
        ({"kind": "block"}, "watch-kind"),
        ({"severity": "never"}, "watch-severity"),
        ({"days": "366"}, "watch-days"),
        ({"reason": " "}, "watch-reason"),
    ],
)
def test_an_entry_that_cannot_be_is_said(fields: dict[str, str], field: str) -> None:
    decision, errors = _watch(**fields).check()
    assert decision is None
    assert [name for name, _ in errors] == [field]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("b\u00fccher.example", True),
        ("xn--bcher-kva.example", True),
        ("a_b.example", True),
        ("-a.example", False),
        ("192.0.2.7", False),
        ("a b.example", False),
        ("*.example.org", False),
        ("x" * 64 + ".example", False),
        (".".join(["abc"] * 64), False),
        ("", False),
    ],
)
def test_a_name_has_parts_of_letters_and_digits(text: str, *, holds: bool) -> None:
    assert is_name(text) is holds


@pytest.mark.req("R30")
@pytest.mark.parametrize("device_id", ["dev-1", None])
def test_the_words_of_a_reason_are_one_line(device_id: str | None) -> None:
    form: dict[str, Any] = {"token": TOKEN, "scope": "subject", "why": "other", "ends": "7", "reason": "One\r\ntwo"}
    decision, errors = Irrelevant.read(form).check(rule="tunnel", finding_id="f-1", device_id=device_id)
    assert errors == ()
    assert decision is not None
    order = decision.order(NOW)
    assert isinstance(order, QuietRule)
    assert (order.reason, order.device_id, decision.finding_id) == ("Another reason: One two", device_id, "f-1")


def test_a_finding_of_no_device_cannot_be_quieted_on_one() -> None:
    form = {"token": TOKEN, "scope": "device", "why": "agreed", "ends": ""}
    decision, errors = Irrelevant.read(form).check(rule="power-lost", finding_id="f-1", device_id=None)
    assert decision is None
    assert errors[0][0] == "quiet-scope"


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("quiet", EndQuiet(quiet_id="x-1")),
        ("away", EndAway(away_id="x-1")),
        ("watch", EndWatch(watch_id="x-1")),
    ],
)
def test_each_arrangement_can_be_ended(kind: str, order: object) -> None:
    decision = ended(kind, {"token": TOKEN, "reference": "x-1"})
    assert decision is not None
    assert decision.order(NOW) == order


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("order", {"token": TOKEN, "reference": "x-1"}),
        ("quiet", {"token": "", "reference": "x-1"}),
        ("quiet", {"token": TOKEN, "reference": "X/1"}),
        ("quiet", {}),
    ],
)
def test_a_form_that_no_page_made_ends_nothing(kind: str, form: dict[str, str]) -> None:
    assert ended(kind, form) is None
