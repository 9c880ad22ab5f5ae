from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.access import Role
from dashboard.store import cases, schema


@pytest.fixture
def browser(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as()


def test_the_list_is_empty_and_one_is_begun_once(browser: FlaskClient, fitting: Any) -> None:
    assert "None." in browser.get("/install").text
    token = "ab" * 16
    for _ in range(2):
        answer = fitting.post(browser, "/install", "/install", kind="install", reference="NM-0042", token=token)
        assert answer.location == f"/install/{token}"
    assert len(fitting.seed.rows(schema.install)) == 1
    text = browser.get("/install").text
    assert "NM-0042" in text
    assert "Not finished" in text
    assert browser.get(f"/install/{token}").status_code == 200


def test_a_form_that_is_wrong_comes_back(browser: FlaskClient, fitting: Any) -> None:
    answer = fitting.post(browser, "/install", "/install", kind="install", reference="", other="yes")
    assert answer.status_code == 422
    assert "Enter the reference of the case" in answer.text
    assert "checked" in answer.text
    assert fitting.post(browser, "/install", "/install", kind="removal", site="").status_code == 422


@pytest.mark.req("R2")
def test_a_claimed_box_is_a_household_of_whoever_claimed_it(browser: FlaskClient, fitting: Any) -> None:
    fitting.claim(browser)
    (site,) = fitting.seed.rows(schema.site)
    assert (site["site"], site["title"], site["tenant"]) == ("box-7", "NM-0042", "northmoor")
    assert [row["site"] for row in fitting.seed.rows(schema.assignment)] == ["box-7"]
    with fitting.seed.engine.connect() as connection:
        person = cases.person_of(connection, "box-7")
    assert person is not None
    assert (person.reference, person.name) == ("NM-0042", None)
    assert browser.get("/households/box-7").status_code == 200
    done = browser.get(f"{fitting.install}/box").text
    assert "Claim this box" not in done
    assert "box-7" in done
    actions = [row["action"] for row in fitting.seed.rows(schema.audit)]
    assert {"stock-box", "claim-box", "assign", "start-install", "save-install-step"} <= set(actions)


def test_codes_that_are_wrong_are_told_apart_and_counted(browser: FlaskClient, fitting: Any) -> None:
    at = fitting.start(browser)
    label = fitting.stock()
    wrong = label.text()[:-1] + ("A" if label.code[-1] != "A" else "B")

    def tried(code: str) -> str:
        answer = fitting.post(browser, f"{at}/box", f"{at}/box", code=code)
        assert answer.status_code == 422
        return str(answer.text)

    assert "type all three parts" in tried("box-7")
    assert "Enter the code" in tried(" ")
    assert "No such box" in tried(label.text().replace("box-7", "box-8"))
    assert "No such box" in tried(f"box-7.{'0' * 16}.{label.code}")
    for _ in range(10):
        assert "last part of the code is wrong" in tried(wrong)
    assert "tried too often" in tried(label.text())
    assert fitting.seed.rows(schema.site) == []
    fitting.stock()  # entered anew, with another code
    assert "last part of the code is wrong" in tried(label.text())


def test_a_box_is_claimed_once(browser: FlaskClient, fitting: Any) -> None:
    fitting.start(browser)
    first, label = fitting.install, fitting.stock()
    fitting.start(browser, reference="NM-0043")
    assert fitting.post(browser, f"{first}/box", f"{first}/box", code=label.text()).status_code == 303
    again = fitting.post(browser, f"{fitting.install}/box", f"{fitting.install}/box", code=label.text())
    assert "claimed already" in again.text


def test_a_scanned_code_asks_which_installation_it_is_for(browser: FlaskClient, fitting: Any) -> None:
    assert "Begin an installation" in browser.get("/install/claim").text
    at = fitting.start(browser)
    page = browser.get("/install/claim").text
    assert "Which installation is this box for?" in page
    assert "install.js" in page
    assert fitting.post(browser, "/install/claim", "/install/claim", code="x").status_code == 422
    label = fitting.stock()
    which = at.rpartition("/")[2]
    answer = fitting.post(
        browser, "/install/claim", "/install/claim", code=f"/install/claim#{label.text()}", install=which
    )
    assert answer.location == f"{at}/box"


@pytest.mark.req("R47", "R48")
def test_another_home_of_a_person_is_joined_only_where_it_was_said(browser: FlaskClient, fitting: Any) -> None:
    fitting.claim(browser)
    for site, other, homes in (("box-8", "", 1), ("box-9", "yes", 2)):
        fitting.site = site
        at = fitting.start(browser, other=other)
        assert fitting.post(browser, f"{at}/box", f"{at}/box", code=fitting.stock(site).text()).status_code == 303
        with fitting.seed.engine.connect() as connection:
            person = cases.person_by_reference(connection, "northmoor", "NM-0042")
            assert person is not None
            assert len(cases.homes_of(connection, person)) == homes
        assert ("another person" in browser.get(f"{at}/box").text) is (not other)


@pytest.mark.req("R66")
def test_who_may_see_an_installation(
    browser: FlaskClient, sign_in_as: Callable[..., FlaskClient], fitting: Any
) -> None:
    fitting.start(browser)
    other = sign_in_as("officer-2", charged=False)
    supervisor = sign_in_as("supervisor-1", Role.SUPERVISOR)
    installer = sign_in_as("installer-1", Role.INSTALLER)
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    for one, code in ((other, 404), (installer, 404), (supervisor, 200), (engineer, 403)):
        assert one.get(fitting.install).status_code == code
    assert "NM-0042" in supervisor.get("/install").text
    assert "NM-0042" not in other.get("/install").text
    code = fitting.stock().text()
    fitting.post(browser, f"{fitting.install}/box", f"{fitting.install}/box", code=code)
    assert other.get(fitting.install).status_code == 404
    with fitting.seed.engine.begin() as connection:
        connection.execute(update(schema.assignment).values(until=fitting.clock.at - 1))
    assert browser.get(fitting.install).status_code == 404


def test_an_installer_fits_a_box_and_decides_nothing(sign_in_as: Callable[..., FlaskClient], fitting: Any) -> None:
    installer = sign_in_as("installer-1", Role.INSTALLER)
    fitting.claim(installer)
    page = installer.get(fitting.install).text
    assert "An officer does this." in page
    for key, code in (("box", 200), ("never", 200), ("connect", 200), ("wifi", 200), ("order", 403), ("devices", 403)):
        assert installer.get(f"{fitting.install}/{key}").status_code == code, key


def test_sections_wait_for_each_other(browser: FlaskClient, fitting: Any) -> None:
    at = fitting.start(browser)
    page = browser.get(at).text
    assert "Cannot start yet" in page
    assert "0 of 9 sections are done" in page
    assert "Do this first" in browser.get(f"{at}/sign").text
    for key in ("order", "connect", "test", "wifi"):
        assert fitting.post(browser, at, f"{at}/{key}", upstream="yes").status_code == 409
    assert browser.get(f"{at}/nothing").status_code == 404


def test_it_can_be_given_up_with_a_reason(browser: FlaskClient, fitting: Any) -> None:
    at = fitting.start(browser)
    assert fitting.post(browser, at, f"{at}/give-up", reason="").status_code == 422
    assert fitting.post(browser, at, f"{at}/give-up", reason="The person moved away").location == "/install"
    assert "Given up" in browser.get("/install").text
    assert fitting.post(browser, "/install", f"{at}/never", there="none").status_code == 409
    assert browser.get(f"{at}/never").status_code == 200


@pytest.mark.req("R66")
def test_the_id_of_anothers_installation_changes_nothing_there(
    browser: FlaskClient, sign_in_as: Callable[..., FlaskClient], fitting: Any
) -> None:
    at = fitting.start(browser)
    before = fitting.seed.rows(schema.install_step)
    other = sign_in_as("officer-2", charged=False)
    token = at.rpartition("/")[2]
    fitting.post(other, "/install", "/install", kind="install", reference="NM-1", other="yes", token=token)
    assert fitting.seed.rows(schema.install_step) == before
    assert other.get(at).status_code == 404
