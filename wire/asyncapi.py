"""The AsyncAPI 3.0 document of the wire, made from `TYPES` and the models' own schemas.

`python -m wire.asyncapi` prints it; `docs/asyncapi.json` is that output, kept up to date by a test.
Nothing enters; what leaves is JSON with sorted schemas, the same every time.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wire.codec import MAX_ENVELOPE, MAX_PAYLOAD, Envelope
from wire.models import TYPES, MessageType
from wire.topics import LEVEL, ROOT

VERSION = "1.0.0"
_CONTENT_TYPE = "application/cloudevents+json"
_LEVELS = {
    "tenant": "The agency or force that runs the dashboard.",
    "site": "Opaque id of the household's box; equals the CN of its certificate and its MQTT client id.",
}


def document() -> dict[str, Any]:
    """The whole document as plain JSON values."""
    models: list[type[BaseModel]] = [Envelope, *(entry.model for entry in TYPES.values())]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    entries = list(TYPES.values())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gatehouse wire",
            "version": VERSION,
            "description": (
                "Messages between a household's box and its dashboard, over MQTT 5 with mutual TLS, QoS 1. "
                "Each is a CloudEvents 1.0 envelope in structured JSON whose data_base64 is the payload, signed "
                "(Ed25519) and sealed to the recipient (HPKE, RFC 9180), bound to its topic and its envelope. "
                f"An envelope has at most {MAX_ENVELOPE} octets, a payload at most {MAX_PAYLOAD}."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": _CONTENT_TYPE,
        "channels": {_key(entry): _channel(entry) for entry in entries},
        "operations": {_operation_name(entry): _operation(entry) for entry in entries},
        "components": {
            "messages": {_key(entry): _message(entry) for entry in entries},
            "schemas": dict(sorted(schemas["$defs"].items())),
        },
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _key(entry: MessageType) -> str:
    return f"{entry.channel}-{entry.name}"


def _operation_name(entry: MessageType) -> str:
    return f"{'report' if entry.up else 'order'}-{_key(entry)}"


def _channel(entry: MessageType) -> dict[str, Any]:
    parameters = {name: {"description": f"{words} Of the form {LEVEL}."} for name, words in _LEVELS.items()}
    return {
        "address": f"{ROOT}/{{tenant}}/{{site}}/{entry.channel}/{entry.name}",
        "parameters": parameters,
        "messages": {_key(entry): {"$ref": f"#/components/messages/{_key(entry)}"}},
    }


def _operation(entry: MessageType) -> dict[str, Any]:
    """From the box's point of view: it sends what goes up and receives what comes down."""
    return {
        "action": "send" if entry.up else "receive",
        "channel": {"$ref": f"#/channels/{_key(entry)}"},
        "messages": [{"$ref": f"#/channels/{_key(entry)}/messages/{_key(entry)}"}],
        "bindings": {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}},
    }


def _message(entry: MessageType) -> dict[str, Any]:
    return {
        "name": entry.ce_type,
        "title": entry.model.__name__,
        "summary": (entry.model.__doc__ or "").strip().partition("\n")[0],
        "contentType": _CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {"type": {"const": entry.ce_type}}},
            ]
        },
        "x-sealed-payload": {"$ref": f"#/components/schemas/{entry.model.__name__}"},
    }


if __name__ == "__main__":
    sys.stdout.write(text())
