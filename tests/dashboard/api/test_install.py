from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


def test_every_read_answers(app: Flask, program: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and "GET" in (rule.methods or ()):
            values = {"site": "site-1", "device": "dev-1", "finding": "find-1"}
            path = rule.build({name: values.get(name, "x") for name in rule.arguments})
            assert path
            answer = program.get(path[1])
            assert answer.status_code in {200, 404, 403}, (path, answer.text)
