from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from dashboard.pages import act_forms
from dashboard.pages.act_forms import Given, check, code_of, reference
from wire.acts import BuildBundle, IssueCode, PauseRecording

NOW = 1_900_000_000.0
TOKEN = "a" * 32


def _given(now: float = NOW, device_id: str | None = None, **form: str) -> Given:
    fields = {"token": TOKEN, "reason": "Agreed"} | form
    return Given(form=fields, zone=UTC, now=now, device_id=device_id, devices={"dev-1": "Phone"}, secret=b"s" * 32)


@pytest.mark.req("R60")
def test_a_form_sent_twice_is_the_order_of_the_first_time() -> None:
    decision, errors = check(act_forms.CODE, _given(device_id="dev-1", hours="2"))
    assert errors == ()
    assert decision is not None
    first, again = decision.order(NOW), decision.order(NOW + 100)
    assert isinstance(first, IssueCode)
    assert isinstance(again, IssueCode)
    assert first.code_sha256 == again.code_sha256
    assert first.expires.timestamp() == NOW + 7200


def test_codes_and_references_follow_from_the_form_and_the_secret() -> None:
    assert code_of(b"s", TOKEN) == code_of(b"s", TOKEN)
    assert len({code_of(b"s", TOKEN), code_of(b"t", TOKEN), code_of(b"s", "b" * 32)}) == 3
    assert reference("hold", TOKEN) != reference("hold", "b" * 32)
    assert reference("hold", TOKEN).startswith("hold-")


def test_a_bundle_ends_now_at_the_latest() -> None:
    decision, errors = check(act_forms.BUNDLE, _given(purpose="evidence", since="2030-03-01", until="2030-04-01"))
    assert errors == ()
    assert decision is not None
    order = decision.order(NOW)
    assert isinstance(order, BuildBundle)
    assert order.until.timestamp() == NOW


@pytest.mark.parametrize("typed", [{"token": "no"}, {"reason": ""}, {"reason": "\x00"}, {"until": "31/31/2030"}])
def test_what_does_not_hold_makes_no_decision(typed: dict[str, Any]) -> None:
    decision, errors = check(act_forms.PAUSE, _given(**typed))
    assert decision is None
    assert errors
    assert all(name.startswith("pause-") for name, _ in errors)


def test_a_pause_ends_with_its_last_day() -> None:
    decision, _ = check(act_forms.PAUSE, _given(until="2030-03-20"))
    assert decision is not None
    order = decision.order(NOW)
    assert isinstance(order, PauseRecording)
    assert order.until is not None
    assert order.until.isoformat() == "2030-03-21T00:00:00+00:00"
