from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.store import schema


def claimed(officer: FlaskClient, fitting: Any) -> str:
    fitting.claim(officer)
    return str(fitting.install)


def test_what_must_never_lose_its_connection_is_noted_with_its_place(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    page = f"{at}/never"
    assert "Select what there is" in fitting.post(officer, page, page).text
    assert "Enter where this is plugged in" in fitting.post(officer, page, page, there="telephone").text
    assert fitting.post(officer, page, page, there=["telephone", "none"], telephone="x").status_code == 422
    assert fitting.post(officer, page, page, there="telephone", telephone="Router, green socket").status_code == 303
    assert "Router, green socket" in officer.get(page).text
    fitting.speak()
    fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "Router, green socket" in officer.get(f"{at}/devices").text


@pytest.mark.req("R55", "R56")
def test_ten_devices_are_confirmed_in_one_submit(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    fitting.speak()
    assert officer.get(f"{at}/devices").text.count("Do this first")
    fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "told of no device" in officer.get(f"{at}/devices").text
    for number in range(10):
        fitting.seed.device(f"dev-{number}", site="box-7")
    page = f"{at}/devices"
    fields = {}
    for number in range(10):
        fields[f"standing-dev-{number}"] = "household" if number else "registered"
        fields[f"token-dev-{number}"] = f"{number:02x}" * 16
        fields[f"label-dev-{number}"] = f"device {number}"
    assert "Select whose at least one" in fitting.post(officer, page, page, reason="Shown to me").text
    assert "Enter the reason" in fitting.post(officer, page, page, **fields).text
    bad = fitting.post(officer, page, page, **(fields | {"standing-dev-3": "king", "reason": "Shown to me"}))
    assert bad.status_code == 422
    assert "device 4" in bad.text
    assert fitting.seed.rows(schema.command) == []
    assert fitting.post(officer, page, page, reason="Shown to me", **fields).status_code == 303
    assert len(fitting.seed.rows(schema.command)) == 10
    assert fitting.post(officer, page, page, reason="Shown to me", **fields).status_code == 303
    assert len(fitting.seed.rows(schema.command)) == 10
    assert "Private Wi-Fi Address" in officer.get(page).text
