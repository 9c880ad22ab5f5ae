from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from wire.asyncapi import document, text
from wire.models import TYPES

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_document_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8")
    assert committed == text(), "run: python -m wire.asyncapi > docs/asyncapi.json"


def test_it_prints_itself(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "wire" / "asyncapi.py"), run_name="__main__")
    assert json.loads(capsys.readouterr().out) == document()


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    references = list(_references(whole))
    assert len(references) > 20
    for reference in references:
        target: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


@pytest.mark.parametrize("entry", TYPES.values(), ids=lambda entry: entry.ce_type)
def test_every_type_has_channel_operation_and_schema(entry: Any) -> None:
    whole = document()
    key = f"{entry.channel}-{entry.name}"
    assert whole["channels"][key]["address"].endswith(f"/{entry.channel}/{entry.name}")
    actions = [item["action"] for item in whole["operations"].values() if item["channel"]["$ref"].endswith(f"/{key}")]
    assert actions == ["send" if entry.up else "receive"]
    assert entry.model.__name__ in whole["components"]["schemas"]


def _references(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
