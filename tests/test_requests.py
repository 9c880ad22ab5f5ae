from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import requests
from appliance.requests import Answer, RequestError, RequestName, SetNetworkRequest, WipeRequest

ME = frozenset({os.getuid()})


@pytest.mark.req("R4", "R6")
def test_a_request_is_taken_once_and_answered(tmp_path: Path) -> None:
    asked = SetNetworkRequest(request_id="r-1", at=1.0, ssid="Home", security="wpa2", isolation=True)
    requests.ask(tmp_path, asked)
    assert requests.take(tmp_path, RequestName.SET_NETWORK, owners=ME) == asked
    assert requests.take(tmp_path, RequestName.SET_NETWORK, owners=ME) is None, "nothing is served twice"
    assert requests.answered(tmp_path, RequestName.SET_NETWORK, owners=ME) is None
    answer = Answer(request_id="r-1", name=RequestName.SET_NETWORK, outcome="refused", detail="no", at=2.0)
    requests.reply(tmp_path, answer)
    assert requests.answered(tmp_path, RequestName.SET_NETWORK, owners=ME) == answer
    assert requests.answered(tmp_path, RequestName.WIPE, owners=ME) is None


def test_the_newest_request_counts(tmp_path: Path) -> None:
    for number in (1, 2):
        requests.ask(tmp_path, WipeRequest(request_id=f"r-{number}", at=1.0, removal_id="rem-1"))
    taken = requests.take(tmp_path, RequestName.WIPE, owners=ME)
    assert taken is not None
    assert taken.request_id == "r-2"


@pytest.mark.parametrize("what", ["link", "folder", "another's", "large", "another name", "pipe"])
def test_what_is_no_request_of_the_keeper_is_refused_and_gone(tmp_path: Path, what: str) -> None:
    folder = requests.requests_folder(tmp_path)
    folder.mkdir()
    path, owners = folder / "wipe.json", ME
    body = WipeRequest(request_id="r-1", at=1.0, removal_id="rem-1").model_dump_json()
    match what:
        case "link":
            (tmp_path / "elsewhere").write_text(body)
            path.symlink_to(tmp_path / "elsewhere")
        case "another's":
            path.write_text(body)
            owners = frozenset({os.getuid() + 1})
        case "large":
            path.write_text(body + " " * requests.MAX_REQUEST)
        case "pipe":
            os.mkfifo(path)
        case "another name":
            path.write_text(SetNetworkRequest(request_id="r-1", at=1.0, ssid="Example Home").model_dump_json())
        case _:
            path.write_text("{}")
    with pytest.raises(RequestError):
        requests.take(tmp_path, RequestName.WIPE, owners=owners)
    assert not path.exists()
    assert not path.is_symlink()


@given(raw=st.binary(max_size=400))
def test_any_octets_are_a_request_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    run = tmp_path_factory.mktemp("run")
    for folder in (requests.requests_folder(run), requests.answers_folder(run)):
        folder.mkdir()
        (folder / "set-network.json").write_bytes(raw)
    with pytest.raises(RequestError):
        requests.take(run, RequestName.SET_NETWORK, owners=ME)
    assert requests.answered(run, RequestName.SET_NETWORK, owners=ME) is None


def test_a_request_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    huge = SetNetworkRequest.model_construct(request_id="r-1", at=1.0, name=RequestName.SET_NETWORK, ssid="x" * 20_000)
    with pytest.raises(RequestError, match="the most is"):
        requests.ask(tmp_path, huge)
