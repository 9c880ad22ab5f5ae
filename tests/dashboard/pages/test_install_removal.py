from __future__ import annotations

import contextlib
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from dashboard.pages import install_removal
from dashboard.store import schema, wifi

ALL = ["router", "cable", "told", "cards", "box"]


def _begun(officer: FlaskClient, fitting: Any) -> str:
    fitting.seed.site("box-7")
    answer = fitting.post(officer, "/install", "/install", kind="removal", site="box-7")
    assert answer.status_code == 303
    return str(answer.location)


@pytest.mark.req("R6")
def test_the_recording_is_ended_before_anything_else(officer: FlaskClient, fitting: Any) -> None:
    at = _begun(officer, fitting)
    assert "Cannot start yet" in officer.get(at).text
    assert fitting.post(officer, at, f"{at}/collect").status_code == 409
    assert fitting.post(officer, at, f"{at}/wipe").status_code == 409
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="").status_code == 422
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    (row,) = fitting.seed.rows(schema.command)
    assert row["body"]["action"] == "withdraw-consent"
    page = officer.get(f"{at}/end").text
    assert "/commands/" in page
    assert f'action="{at}/end"' not in page
    fitting.answer("withdraw-consent", state="expired")
    page = officer.get(f"{at}/end").text
    assert "has not said that it stopped" in page
    assert f'action="{at}/end"' in page
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    assert fitting.post(officer, "/install", "/install", kind="removal", site="nowhere").status_code == 404


@pytest.mark.req("R6", "R69")
def test_a_box_is_emptied_taken_away_and_revoked_and_its_certificate_says_so(
    officer: FlaskClient, fitting: Any
) -> None:
    at = _begun(officer, fitting)
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    wipe = f"{at}/wipe"
    assert "downloaded" in fitting.post(officer, wipe, wipe).text
    assert fitting.post(officer, wipe, wipe, sure="yes").status_code == 303
    order = fitting.seed.rows(schema.command)[-1]
    assert order["body"] == {"action": "wipe-box", "removal_id": at.rpartition("/")[2]}
    assert f'action="{wipe}"' not in officer.get(wipe).text, "one order is enough"
    assert fitting.post(officer, wipe, f"{at}/collect").status_code == 409, "it has not said that it is empty"
    fitting.speak(
        removed={"removal_id": "another", "at": "2026-01-14T21:00:00Z", "keys_destroyed": 1, "files_removed": 1}
    )
    assert "Keys destroyed" not in officer.get(wipe).text
    gone = {
        "removal_id": at.rpartition("/")[2],
        "at": "2026-01-14T21:05:00Z",
        "keys_destroyed": 31,
        "files_removed": 57,
    }
    fitting.speak(removed=gone, recording=False)
    page = officer.get(wipe).text
    assert "31" in page
    assert "57" in page
    collect = f"{at}/collect"
    assert fitting.post(officer, collect, collect, done=["box", "cards"]).status_code == 422
    assert officer.get(f"{at}/removal").status_code == 404
    fitting.clock.at += 240
    by = fitting.seed.rows(schema.account)[0]["account_id"]
    with fitting.seed.engine.begin() as connection:
        wifi.save_wifi(connection, "box-7", ssid="Home", by=by, now=1.0)
        card = wifi.Made(key_id="card-1", sealed="A" * 64, purpose="device", label="black phone")
        wifi.add_key(connection, "box-7", card, by=by, now=1.0)
    assert fitting.post(officer, collect, collect, done=ALL).location == at
    assert fitting.seed.rows(schema.install)[0]["state"] == "done"
    (site,) = [row for row in fitting.seed.rows(schema.site) if row["site"] == "box-7"]
    assert site["revoked_at"] == fitting.clock.at
    assert fitting.seed.rows(schema.wifi) == fitting.seed.rows(schema.wifi_key) == []
    assert "At the address: 4 minutes. The aim is 10." in officer.get(at).text
    text = officer.get(f"{at}/removal").text
    for part in ("Certificate of removal", "31", "57", "it destroys its keys", "Minutes at the address"):
        assert part in text
    assert officer.get(f"{at}/removal.pdf").data.startswith(b"%PDF")


@pytest.mark.req("R6")
def test_a_box_that_could_not_empty_itself_is_not_taken_for_empty(officer: FlaskClient, fitting: Any) -> None:
    at = _begun(officer, fitting)
    fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended")
    wipe, collect, removal = f"{at}/wipe", f"{at}/collect", at.rpartition("/")[2]
    fitting.post(officer, wipe, wipe, sure="yes")
    gone = {"removal_id": removal, "at": "2026-01-14T21:05:00Z", "keys_destroyed": 31, "files_removed": 57}
    fitting.speak(removed=gone, recording=False)
    assert "Keys destroyed" in officer.get(wipe).text, "its last words, before it begins"
    begun = {"about": removal, "action": "wipe-box", "outcome": "under-way", "at": "2026-01-14T21:06:00Z"}
    fitting.speak(removed=gone, changes=[begun])
    assert "Keys destroyed" in officer.get(wipe).text
    bad = begun | {"outcome": "failed", "detail": "The key of the storage cannot be destroyed."}
    fitting.speak(removed=gone, changes=[bad | {"about": "another"}])
    assert "Keys destroyed" in officer.get(wipe).text, "it is about another removal"
    fitting.speak(removed=gone, changes=[bad])
    answer = fitting.post(officer, f"{at}/end", collect, done=ALL)
    assert answer.location == wipe, "nobody signs for a box that is not empty"
    page = officer.get(wipe).text
    assert "Keys destroyed" not in page
    for part in ("has not destroyed what it keeps", "storage cannot be destroyed.", "tries again by itself"):
        assert part in page
    assert fitting.post(officer, wipe, collect, done=ALL).status_code == 409
    fitting.speak(removed=gone, changes=[bad | {"outcome": "refused"}])
    assert "does not try again" in officer.get(wipe).text
    assert fitting.post(officer, wipe, f"{wipe}/unreachable", reason="Its storage is broken").status_code == 303
    assert "It must be emptied before it is used again" in officer.get(wipe).text
    assert fitting.post(officer, collect, collect, done=ALL).location == at
    text = officer.get(f"{at}/removal").text
    assert "could not destroy what it keeps" in text
    assert "Keys destroyed" not in text


@pytest.mark.req("R6")
def test_a_box_that_empties_itself_at_the_second_try_has_done_it(officer: FlaskClient, fitting: Any) -> None:
    at = _begun(officer, fitting)
    fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended")
    fitting.post(officer, f"{at}/wipe", f"{at}/wipe", sure="yes")
    removal = at.rpartition("/")[2]
    gone = {"removal_id": removal, "at": "2026-01-14T21:05:00Z", "keys_destroyed": 31, "files_removed": 57}
    said = {"about": removal, "action": "wipe-box", "at": "2026-01-14T21:06:00Z"}
    fitting.speak(removed=gone, changes=[said | {"outcome": "failed"}])
    assert "It does not say why." in officer.get(f"{at}/wipe").text
    fitting.speak(removed=gone, changes=[said | {"outcome": "done"}])
    assert officer.get(f"{at}/collect").location == f"{at}/wipe"
    assert "Keys destroyed" in officer.get(f"{at}/wipe").text


@pytest.mark.req("R6", "N3")
def test_a_box_is_taken_away_and_revoked_in_one(
    officer: FlaskClient, fitting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = _begun(officer, fitting)
    fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended")
    fitting.post(officer, f"{at}/wipe", f"{at}/wipe/unreachable", reason="It does not start any more")

    def away(*_given: object, **_more: object) -> bool:
        raise OperationalError("update", None, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(install_removal, "revoke_box", away)
        with contextlib.suppress(OperationalError):
            assert fitting.post(officer, f"{at}/collect", f"{at}/collect", done=ALL).status_code >= 500
    assert fitting.seed.rows(schema.install)[0]["state"] != "done", "else nobody could revoke it here any more"
    assert fitting.post(officer, f"{at}/collect", f"{at}/collect", done=ALL).status_code == 303
    (site,) = [row for row in fitting.seed.rows(schema.site) if row["site"] == "box-7"]
    assert site["revoked_at"] is not None


@pytest.mark.req("R6")
def test_a_box_that_cannot_be_reached_is_taken_away_and_the_certificate_says_that(
    officer: FlaskClient, fitting: Any
) -> None:
    at = _begun(officer, fitting)
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    assert fitting.post(officer, f"{at}/wipe", f"{at}/wipe/unreachable").status_code == 422
    answer = fitting.post(officer, f"{at}/wipe", f"{at}/wipe/unreachable", reason="It does not start any more")
    assert answer.status_code == 303
    assert "must be emptied before it is used again" in officer.get(f"{at}/wipe").text
    assert fitting.post(officer, f"{at}/collect", f"{at}/collect", done=ALL).status_code == 303
    text = officer.get(f"{at}/removal").text
    assert "could not be reached" in text
    assert "Keys destroyed" not in text
