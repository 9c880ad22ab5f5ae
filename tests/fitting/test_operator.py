from __future__ import annotations

from typing import Any

import pytest

from appliance.fitting.operator import MAX_FILE, load
from firmware import layout
from wire.files import FileError, toml_text


def test_the_card_is_read(unborn: Any, service: Any) -> None:
    assert load(unborn.at(layout.OPERATOR_FILE)) == service.card


@pytest.mark.req("R69")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _text: "not = toml = at all", "not valid TOML"),
        (lambda text: text + "more = 1\n", "more"),
        (lambda text: text.replace("https://desk", "http://desk"), "enrol_url"),
        (lambda text: text + "# -----BEGIN PRIVATE KEY" + "-----\n", "holds a private key"),
        (lambda text: text + "#" * MAX_FILE, "larger than"),
        (lambda text: text.replace("-----BEGIN CERT", "-----BEGIN NOTHING CERT"), "no certificate"),
    ],
)
def test_a_card_that_cannot_be_used_says_why(unborn: Any, change: Any, says: str) -> None:
    path = unborn.at(layout.OPERATOR_FILE)
    path.write_text(change(path.read_text()))
    with pytest.raises(FileError, match=says) as caught:
        load(path)
    assert "at the station" in str(caught.value)


def test_keys_that_are_none_are_told(unborn: Any, service: Any) -> None:
    path = unborn.at(layout.OPERATOR_FILE)
    path.write_text(toml_text(service.card.model_copy(update={"issuers": ("not a key",)})))
    with pytest.raises(FileError, match="base64"):
        load(path)
