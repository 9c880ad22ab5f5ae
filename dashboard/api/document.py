"""The OpenAPI 3.1 document, made of the operations' declarations; and the page that shows it, without any script.

In: the operations. Out: a document whose schemas are those that answers are made with. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from dashboard.api.frame import PREFIX, Operation
from dashboard.api.problems import Problem

VERSION = "1"
_ARGUMENT = re.compile(r"<(\w+)>")
_ID = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_REF = "#/components/schemas/{model}"
_SAYS = (
    "Everything the pages do, for programs of the operator. A token is sent as a bearer; it may do a part of what its "
    "account may, and sees the households in that account's charge. Findings speak of devices, never of persons. Logged "
    "names are written example[.]test and are nothing to open."
)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document."""
    inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [("problem", "serialization", TypeAdapter(Problem))]
    for number, one in enumerate(operations):
        inputs.append((number, "serialization", one.answer))
        if one.body is not None:
            inputs.append((number, "validation", TypeAdapter(one.body)))
    schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=_REF, schema_generator=GenerateJsonSchema)
    paths: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(operations):
        path = PREFIX + _ARGUMENT.sub(r"{\1}", one.rule)
        answered = schemas[number, "serialization"]
        entry: dict[str, Any] = {
            "operationId": one.name,
            "tags": [one.tag],
            "summary": one.summary,
            "description": f"Wants the right: {one.need}.",
            "parameters": [*_path_parameters(one), *_query_parameters(one)],
            "responses": {
                str(one.status): {
                    "description": "Done" if one.status == 200 else "Taken in",
                    "content": {"application/json": {"schema": answered}},
                }
            }
            | ({"304": {"description": "It has not changed since the entity tag that was sent"}} if one.tagged else {})
            | {code: {"$ref": f"#/components/responses/{name}"} for code, name in _problems(one)},
        }
        if one.body is not None:
            content = {"application/json": {"schema": schemas[number, "validation"]}}
            entry["requestBody"] = {"required": True, "content": content}
        paths.setdefault(path, {})[one.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gatehouse", "version": VERSION, "description": _SAYS},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in operations)],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": shared.get("$defs", {}),
            "responses": {
                name: {
                    "description": says,
                    "content": {"application/problem+json": {"schema": schemas["problem", "serialization"]}},
                }
                for name, says in _SAID.items()
            },
        },
    }


_SAID = {
    "BadRequest": "It could not be read",
    "Unauthorized": "No token, or one that does not work (any more)",
    "Forbidden": "The token does not have the right, or the act wants a person",
    "NotFound": "There is nothing here that this token may see",
    "Conflict": "It was asked for already, or was decided meanwhile",
    "TooLong": "The body is too long",
    "NotJson": "The body is not JSON",
    "Invalid": "Something in it does not hold",
    "TooMany": "Too many requests",
}
_ALWAYS = (
    ("400", "BadRequest"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "NotFound"),
    ("422", "Invalid"),
    ("429", "TooMany"),
)


def _problems(one: Operation) -> list[tuple[str, str]]:
    found = list(_ALWAYS)
    if one.body is not None:
        found += [("409", "Conflict"), ("413", "TooLong"), ("415", "NotJson")]
    return sorted(found)


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": _ID} for name in _ARGUMENT.findall(one.rule)]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    schema = one.query.model_json_schema()
    wanted = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in wanted, "schema": described}
        for name, described in schema.get("properties", {}).items()
    ]
