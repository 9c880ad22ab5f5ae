from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.alerts import channels
from dashboard.alerts.channels import ChannelError, SealError, check
from dashboard.settings import Alerts

SETTINGS = Alerts(address="https://gatehouse.example.org/")


@pytest.mark.parametrize(
    "url",
    [
        "ntfys://ntfy.example.com/topic",
        "mailtos://user:word@example.com?smtp=mail.example.com&to=ann@example.com",
        "jsons://hook.example.com/path",
    ],
)
def test_addresses_of_kinds_that_are_allowed_are_taken(url: str) -> None:
    found = check(f" {url} ", SETTINGS)
    assert found.url == url
    assert found.kind == url.partition(":")[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", channels.NOT_TAKEN),
        ("exec://rm", channels.NOT_TAKEN),
        ("syslog://", channels.NOT_TAKEN),
        ("file:///etc/passwd", channels.NOT_TAKEN),
        ("http://example.com", channels.NOT_TAKEN),
        ("json://hook.example.com", channels.NOT_TAKEN),
        ("jsons://", channels.UNREADABLE),
        ("jsons://[::1", channels.UNREADABLE),
        ("jsons://hook.example.com/a b", channels.UNREADABLE),
        ("jsons://hook.example.com/?verify=no", channels.PARAMETER),
        ("jsons://hook.example.com/?template=/etc/passwd", channels.PARAMETER),
        ("mailtos://user:word@example.com?mode=insecure", channels.NOT_ENCRYPTED),
        ("jsons://127.0.0.1/x", channels.PRIVATE),
        ("jsons://localhost/x", channels.PRIVATE),
        ("jsons://localhost./x", channels.PRIVATE),
        ("jsons://2130706433/x", channels.PRIVATE),
        ("jsons://127.1/x", channels.UNREADABLE),
        ("jsons://[::1]/x", channels.PRIVATE),
        ("jsons://169.254.169.254/latest", channels.PRIVATE),
        ("mailtos://user:word@example.com?smtp=10.0.0.5", channels.PRIVATE),
        ("ntfys://" + "a" * 600, channels.TOO_LONG),
    ],
)
def test_what_is_wrong_with_an_address_is_said(url: str, why: str) -> None:
    with pytest.raises(ChannelError) as caught:
        check(url, SETTINGS)
    assert str(caught.value) == why


def test_kinds_without_encryption_want_the_operators_own_network() -> None:
    some = Alerts(address="https://gatehouse.example.org/", kinds=("json",))
    with pytest.raises(ChannelError, match="not encrypted"):
        check("json://hook.example.com/", some)
    own = Alerts(address="https://gatehouse.example.org/", kinds=("json",), allow_private=True)
    assert check("json://10.0.0.5/", own).kind == "json"


@settings(deadline=None)  # the first one loads all kinds of address
@given(st.text(max_size=80), st.sampled_from(["", *channels.KINDS]))
def test_whatever_is_typed_is_taken_or_refused_with_a_sentence(text: str, kind: str) -> None:
    said, found = "", None
    try:
        found = check(f"{kind}://{text}" if kind else text, SETTINGS)
    except ChannelError as error:
        said = str(error)
    assert said or (found is not None and found.kind in SETTINGS.kinds)


def test_an_address_is_sealed_to_its_channel_and_key() -> None:
    key = os.urandom(32)
    sealed = channels.seal("ntfys://secret-topic", key=key, channel_id="ch-1")
    assert "secret" not in sealed
    assert channels.unseal(sealed, key=key, channel_id="ch-1") == "ntfys://secret-topic"
    for other, name in ((os.urandom(32), "ch-1"), (key, "ch-2")):
        with pytest.raises(SealError):
            channels.unseal(sealed, key=other, channel_id=name)
    with pytest.raises(SealError):
        channels.unseal("no base64 ?", key=key, channel_id="ch-1")


def test_a_key_is_made_of_a_file_that_holds_enough(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"short")
    with pytest.raises(ValueError, match="head -c 32"):
        channels.channel_key(file)
    file.write_bytes(os.urandom(32))
    key = channels.channel_key(file)
    assert len(key) == 32
    assert key != file.read_bytes()
    assert key == channels.channel_key(file)
