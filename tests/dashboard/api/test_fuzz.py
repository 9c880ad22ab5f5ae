"""Every operation is asked for what its description allows and for what it does not, by a machine (schemathesis).

Bounded: `GATEHOUSE_FUZZ_EXAMPLES` examples of each operation and kind, 1 unless it is set (and then also addresses that
nothing has); and `GATEHOUSE_FUZZ_SECONDS` for all of it, 60 unless it is set. Operations come in random order, so that a
slow machine, which does not reach all, reaches others the next time. The clock of the app stands, so a token's pace is
set aside here; it has tests of its own.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.access import Role
from dashboard.api.install import EXTENSION
from dashboard.store import schema as tables

EXAMPLES = int(os.environ.get("GATEHOUSE_FUZZ_EXAMPLES", "1"))
SECONDS = float(os.environ.get("GATEHOUSE_FUZZ_SECONDS", "60"))
KINDS = [(mode, known) for mode in GenerationMode for known in ([True, False] if EXAMPLES > 1 else [True])]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
KNOWN = {"site": "site-1", "device": "dev-1", "finding": "find-1", "proposal": "prop-1", "command": "a" * 32}
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def described(app: Flask, seed: Any, token_of: Callable[..., str]) -> tuple[Any, dict[str, str]]:
    """The interface as it is described, and the head of a request by who may do anything in it."""
    for number in (1, 2):
        seed.site(f"site-{number}", tenant="northmoor" if number == 1 else "elsewhere")
        seed.device(site=f"site-{number}")
        seed.device("dev-2", site=f"site-{number}")
        seed.finding(site=f"site-{number}")
        seed.proposal(site=f"site-{number}")
        seed.stay(site=f"site-{number}")
    app.extensions[EXTENSION].pace.burst = 1e9
    token = token_of("chief-1", Role.SUPERVISOR)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app), {"Authorization": f"Bearer {token}"}


@pytest.mark.req("R66")
@pytest.mark.parametrize(("mode", "known"), KINDS)
def test_no_request_breaks_it_or_is_answered_otherwise_than_described(
    described: tuple[Any, dict[str, str]], mode: GenerationMode, *, known: bool
) -> None:
    found, head = described
    asked = 0
    end = time.monotonic() + SECONDS / len(KINDS)
    operations = [result.ok() for result in found.get_all_operations()]
    random.shuffle(operations)
    for operation in operations:
        if time.monotonic() > end:
            break
        given_ids = None
        if known and operation.path_parameters:
            names = [parameter.name for parameter in operation.path_parameters]
            given_ids = {name: KNOWN.get(name, "x") for name in names}
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or not known):
            continue  # nothing of it can be wrong
        checks = [*CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE and known else CHECKS

        asked += _ask(operation.as_strategy(mode, path_parameters=given_ids), head, checks)
    assert asked >= 10


def _ask(strategy: Any, head: dict[str, str], checks: list[Any]) -> int:
    asked = 0

    @QUIET
    @given(case=strategy)
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        answer = case.call(headers=head)
        assert "site-2" not in answer.text, "another operator's household"
        case.validate_response(answer, checks=checks)

    ask()
    return asked


def test_nothing_is_answered_without_a_token_or_with_another_method(
    app: Flask, described: tuple[Any, dict[str, str]], seed: Any
) -> None:
    before = len(seed.rows(tables.audit))
    client = app.test_client(use_cookies=False)
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    assert len(rules) > 40
    bad = ("", "Bearer", "Bearer x", "Basic eDp4", "Bearer ghp_" + "A" * 43, "Bearer  " + "A" * 5000, "bearer\tghp_")
    for number, rule in enumerate(rules):
        if rule.endpoint == "api.document":
            continue
        built = rule.build({name: KNOWN.get(name, "x") for name in rule.arguments})
        assert built
        for sent in (bad[number % len(bad)], bad[(number * 3 + 1) % len(bad)]):
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                answer = client.open(built[1], method=method, headers={"Authorization": sent})
                assert answer.status_code == 401, (method, rule, sent)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.mimetype == "application/problem+json"
                assert "Set-Cookie" not in answer.headers
        for method in (("PUT", "DELETE"), ("PATCH", "TRACE"))[number % 2]:
            answer = client.open(built[1], method=method, headers=described[1])
            assert answer.status_code == 405, (method, rule)
            assert set(answer.headers["Allow"].split(", ")) >= set(rule.methods or ()) - {"OPTIONS", "HEAD"}
    assert len(seed.rows(tables.audit)) == before, "what is refused at the door fills no table"


def test_a_session_is_no_token_and_a_token_no_session(
    officer: Any, app: Flask, described: tuple[Any, dict[str, str]]
) -> None:
    assert officer.get("/api/v1/me").status_code == 401
    answer = app.test_client().get("/households", headers=described[1])
    assert (answer.status_code, answer.location[:9]) == (303, "/sign-in?")
