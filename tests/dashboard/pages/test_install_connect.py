from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.store import schema


@pytest.mark.req("N11")
def test_a_box_counts_as_connected_when_it_was_heard(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    page = officer.get(f"{at}/connect").text
    assert "Waiting for the box to be heard" in page
    assert "<svg" in page
    answer = fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "has not been heard yet" in answer.text
    fitting.speak()
    assert "The box has been heard" in officer.get(f"{at}/connect?part=live").text
    assert "Turn the router" in fitting.post(officer, f"{at}/connect", f"{at}/connect").text
    assert fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes").location == at


@pytest.mark.req("R1", "R10")
def test_what_the_box_says_is_shown_with_the_fix(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = f"{fitting.install}/connect"
    assert "Its own set-up page says what is wrong" in officer.get(at).text
    fitting.speak(
        uplink={"kind": "dhcp", "cable": True, "address": False, "upstream_wifi": True},
        wifi={"up": False},
    )
    page = officer.get(at).text
    assert "Turn the router off and on" in page
    assert "Still on" in page
    assert "The box&#39;s Wi-Fi is off" in page
    fitting.speak(uplink={"kind": "dhcp", "cable": True, "address": True, "names": True, "upstream_wifi": False})
    page = officer.get(at).text
    assert "Turn the router off and on" not in page
    assert "does not hear it any more" in page


@pytest.mark.req("R1")
def test_when_the_box_was_given_all_it_needs_is_shown(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    with fitting.seed.engine.begin() as connection:
        connection.execute(schema.box_access.insert().values(site="box-7", answers=1, answered_at=fitting.clock.at))
    page = officer.get(f"{fitting.install}/connect").text
    assert "14 January 2026" in page
    assert "Its own set-up page" not in page
    with fitting.seed.engine.begin() as connection:
        connection.execute(update(schema.site).values(revoked_at=1.0))
    assert officer.get(f"{fitting.install}/connect").status_code == 200
