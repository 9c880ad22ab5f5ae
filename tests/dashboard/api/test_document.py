"""The document holds together, and describes what a program needs to know of each operation."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask

from dashboard.api.install import EXTENSION, described


@pytest.fixture
def made(app: Flask) -> dict[str, Any]:
    return described(app.extensions[EXTENSION].api)


def test_what_it_refers_to_is_there(made: dict[str, Any]) -> None:
    found = set(re.findall(r'"#/([^"]+)"', json.dumps(made)))
    assert found
    for reference in found:
        place: Any = made
        for step in reference.split("/"):
            place = place[step]
        assert place


def test_each_operation_says_its_right_its_errors_and_its_addresses_parts(made: dict[str, Any]) -> None:
    assert made["openapi"] == "3.1.0"
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].startswith("Wants the right: ")
            assert {"401", "403", "404", "422", "429"} <= set(operation["responses"])
            parts = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
            assert parts == set(re.findall(r"{(\w+)}", path))
            assert ("requestBody" in operation) == (method == "post")
