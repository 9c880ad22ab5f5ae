from __future__ import annotations

from typing import Any

import pytest

from dashboard.pages import words
from dashboard.pages.device_forms import correct_form, key_form, split_form
from dashboard.pages.forms import PURPOSES, Parted
from dashboard.store.devices import StoredDevice

TIMES = {"first_seen": "2026-01-14T20:00:00Z", "last_seen": "2026-01-14T21:00:00Z", "locally_administered": True}


def _device(**values: Any) -> StoredDevice:
    whole: dict[str, Any] = {
        "device_id": "dev-1",
        "standing": "unknown",
        "label": None,
        "looks_like": {"text": "A phone", "confidence": 0.9, "reasons": [], "category": "phone"},
        "quarantined": False,
        "first_seen": 1.0,
        "last_seen": 2.0,
        "addresses": [],
        "correction": None,
        "presence": None,
        "merged_into": None,
        "key_id": None,
        "visibility": None,
    }
    return StoredDevice(**(whole | values))


@pytest.mark.req("R13")
def test_only_what_a_person_said_is_in_the_form_never_the_boxs_guess() -> None:
    free = correct_form("/to", _device(), None, ())
    assert [item.value for item in free.categories if item.checked] == [""]
    assert [item.value for item in free.categories][1:] == list(words.CATEGORIES)
    said = correct_form("/to", _device(correction={"category": "tv", "vendor": "Example"}), None, ())
    assert [item.value for item in said.categories if item.checked] == ["tv"]
    assert (said.vendor, said.model, said.opened) == ("Example", "", False)
    assert said.token != free.token


def test_addresses_can_be_taken_out_where_there_are_several() -> None:
    one, two = ({"mac": f"02:00:5e:00:53:0{number}", **TIMES} for number in (1, 2))
    assert split_form("/to", _device(addresses=[one]), None, ()) is None
    typed = Parted(token="", macs=("02:00:5e:00:53:02",), reason="Seen", confirmed=False)
    form = split_form("/to", _device(addresses=[one, two]), typed, (("split-reason", "x"),))
    assert form is not None
    assert {item.value: item.checked for item in form.addresses} == {one["mac"]: False, two["mac"]: True}
    assert (form.reason, form.opened) == ("Seen", True)


@pytest.mark.req("N9")
def test_the_reference_of_its_passphrase_is_known_already() -> None:
    form = key_form("/to", None, (), key_id="k-7")
    assert form.key_id == "k-7"
    assert [item.value for item in form.purposes] == list(PURPOSES)
    assert not any(item.checked for item in form.purposes)
