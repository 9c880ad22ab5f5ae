"""What a token reads: as much as its account is in charge of, written down as a look at a page is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema


@pytest.mark.req("R66")
def test_a_token_sees_the_households_in_its_accounts_charge_and_each_look_is_written_down(
    seed: Any, program_of: Callable[..., FlaskClient]
) -> None:
    program = program_of()
    for site in ("mine", "other"):
        seed.site(site, charged=site == "mine")
        seed.device(site=site)
        seed.device("dev-2", site=site)
        seed.finding(site=site)
        seed.proposal(site=site)
    assert [row["site"] for row in program.get("/api/v1/households").get_json()["items"]] == ["mine"]
    assert [row["site"] for row in program.get("/api/v1/findings").get_json()["items"]] == ["mine"]
    for path in (
        "",
        "/findings",
        "/findings/find-1",
        "/devices",
        "/devices/dev-1",
        "/devices/dev-1/stays",
        "/proposals",
    ):
        assert program.get(f"/api/v1/households/mine{path}").status_code == 200, path
        assert program.get(f"/api/v1/households/other{path}").status_code == 404, path
        assert program.get(f"/api/v1/pages/households/other{path}").status_code in {404, 422}, path
    lines = [(row["action"], row["subject"]) for row in seed.rows(schema.audit)]
    assert ("view-finding", "mine/find-1") in lines
    assert ("view-device", "mine/dev-1") in lines
    assert not [line for line in lines if line[0].startswith("view") and line[1].startswith("other")]
    assert [line for line in lines if line[0] == "denied"], "what was tried in vain is written down too"


def test_a_household_says_what_waits_there(seed: Any, program_of: Callable[..., FlaskClient]) -> None:
    program = program_of()
    seed.site()
    seed.finding("a", severity="act_now")
    seed.finding("b", severity="information")
    seed.finding("c", state="closed")
    found = program.get("/api/v1/households/site-1").get_json()
    assert (found["open_findings"], found["for_information"], found["worst"]) == (1, 1, "act_now")
    assert [row["finding"] for row in program.get("/api/v1/findings?state=closed").get_json()["items"]] == ["c"]
    assert program.get("/api/v1/findings?state=x").status_code == 422


@pytest.mark.req("R42")
def test_a_logged_name_is_never_written_so_that_a_program_makes_a_link_of_it(
    seed: Any, program_of: Callable[..., FlaskClient]
) -> None:
    program = program_of()
    seed.site()
    seed.finding(kind="listed-name", hit=seed.hit(name="shop.example.test"))
    for path in ("findings", "findings/find-1"):
        text = program.get(f"/api/v1/households/site-1/{path}").text
        assert "shop.example.test" not in text
        assert "shop[.]example[.]test" in text


def test_what_has_not_changed_is_not_sent_again(seed: Any, program_of: Callable[..., FlaskClient]) -> None:
    program = program_of()
    seed.site()
    first = program.get("/api/v1/households/site-1")
    again = program.get("/api/v1/households/site-1", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    seed.finding()
    assert program.get("/api/v1/households/site-1", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.INSTALLER])
def test_who_may_see_no_household_reads_none_by_token(
    seed: Any, program_of: Callable[..., FlaskClient], role: Role
) -> None:
    program = program_of("tech-1", role)
    seed.site(title="Household-of-secret-title")
    seed.device(label="secret-label")
    seed.finding()
    known = defaultdict(lambda: "x", site="site-1", device="dev-1", finding="find-1", proposal="prop-1")
    described = program.get("/api/v1/openapi.json").get_json()["paths"]
    answers = {path: program.get(path.format_map(known)) for path, found in described.items() if "get" in found}
    assert "200 OK" in {answer.status for answer in answers.values()}
    for path, answer in answers.items():
        assert "secret-label" not in answer.text, path
        assert "secret-title" not in answer.text, path
