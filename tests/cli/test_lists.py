"""`gatehouse lists` as an engineer and a publisher use it, with its sentences and exit codes."""

from __future__ import annotations

import json
import os
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import link
from appliance import settings as box_settings
from appliance.cli.lists import lists, told, wrong
from appliance.messages import ListAccept, ListAnswered, ListState, Message, Status, StatusRequest
from wire.keys import write_private
from wire.lists import parse_signed, verify

DESCRIPTION = """
list_id = "gambling"
number = 4
version = "2026-05"
title = "Gambling sites"
category = "gambling"
severity = "today"
owner = "Example Trust"
format = "domains"
url = "https://lists.example/gambling.txt"
published = 2026-05-01T09:00:00Z
renew_by = 2026-06-01T09:00:00Z
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(lists, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gambling.toml").write_text(DESCRIPTION)
    (tmp_path / "gambling.txt").write_text("bets.example\n*.wagers.example\ncom\n? ?\n")
    write_private(tmp_path / "key.pem", Ed25519PrivateKey.generate())
    return tmp_path


@pytest.mark.req("R31")
def test_a_signed_manifest_is_about_the_file(folder: Path) -> None:
    done = run(
        "sign", folder / "gambling.toml", folder / "gambling.txt", "--key", folder / "key.pem", "--out", folder / "m.json"
    )  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Gambling sites: version 2026-05, number 4, 2 entries." in done.stdout
    from wire.keys import read_signing

    key = read_signing(folder / "key.pem").public_key()
    manifest = verify(parse_signed((folder / "m.json").read_bytes()), [key])
    assert (manifest.octets, manifest.entries) == ((folder / "gambling.txt").stat().st_size, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "gambling.toml").write_text("list_id = 3"), "list_id"),
        (lambda folder: (folder / "gambling.toml").write_bytes(b"\xff"), "not valid TOML"),
        (lambda folder: (folder / "gambling.toml").unlink(), "cannot be used"),
        (lambda folder: (folder / "gambling.txt").write_text("?"), "no line of"),
        (lambda folder: (folder / "key.pem").write_text("no key"), "not an unencrypted PEM"),
        (lambda folder: (folder / "m.json").hardlink_to(folder / "key.pem"), "would be lost"),
    ],
)
def test_what_cannot_be_signed_is_said(folder: Path, change: Callable[[Path], object], says: str) -> None:
    change(folder)
    done = run(
        "sign", folder / "gambling.toml", folder / "gambling.txt", "--key", folder / "key.pem", "--out", folder / "m.json"
    )  # fmt: skip
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.startswith("gatehouse lists: ")


def test_check_numbers_the_lines_at_fault(folder: Path) -> None:
    done = run("check", folder / "gambling.txt", "--format", "domains")
    assert done.exit_code == 0
    assert "2 entries" in done.stdout
    assert "1 malformed: line 4." in done.stdout
    assert "1 name a public suffix, which would catch everybody's sites: line 3." in done.stdout
    nothing = run("check", folder / "gambling.txt", "--format", "dnsmasq")
    assert (nothing.exit_code, "no line of" in nothing.stderr) == (1, True)
    assert run("check", folder / "none.txt", "--format", "domains").exit_code == 2
    assert run("check", folder / "gambling.txt", "--format", "word").exit_code == 2


class Keeper:
    """Answers at the status socket of a box."""

    def __init__(self, config: Path, answer: Callable[[Message], Message]) -> None:
        path = box_settings.load(config).keeper_socket("status")
        path.parent.mkdir(parents=True)
        self._listener = link.listen(path)
        self._answer = answer
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        select.select([self._listener], [], [], 20)
        asker = link.accept(self._listener, {os.getuid()})
        assert asker is not None
        select.select([asker], [], [], 20)
        for message in asker.receive():
            asker.send(self._answer(message))
        asker.close()

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve(box_toml: Callable[..., Path]) -> Iterator[Callable[..., Path]]:
    made: list[Keeper] = []

    def start(answer: Callable[[Message], Message]) -> Path:
        config = box_toml()
        made.append(Keeper(config, answer))
        return config

    yield start
    for keeper in made:
        keeper.close()


def status(*found: ListState) -> Callable[[Message], Message]:
    def answer(message: Message) -> Message:
        assert isinstance(message, StatusRequest)
        return Status(
            recording=True, authority="", devices=0, open_findings=0, outbox=0, broker_connected=True,
            sensor_connected=True, warden_connected=True, mask_generation=1, taps=(), lists=found,
        )  # fmt: skip

    return answer


GOOD = ListState(list_id="gambling", title="Gambling", version="v1", entries=12_000, published=1_777_593_600.0)


def test_show_says_age_and_what_is_wrong(serve: Callable[..., Path]) -> None:
    bad = ListState(list_id="adult", title="Adult", version=None, problem="the server is not reached")
    config = serve(status(GOOD, bad))
    done = run("show", "--config", config)
    assert done.exit_code == 1
    assert "gambling: version v1, 12,000 entries, published 01 May 2026." in done.stdout
    assert "adult: none in use. The server is not reached." in done.stdout


def test_show_for_machines(serve: Callable[..., Path]) -> None:
    done = run("show", "--config", serve(status(GOOD)), "--json")
    assert (done.exit_code, json.loads(done.stdout)["lists"][0]["entries"]) == (0, 12_000)


def test_what_is_left_out_or_old_is_said() -> None:
    item = ListState(
        list_id="a", title="A", version="1", malformed=2, malformed_lines=(3, 9), unsupported=1, stale=True
    )  # fmt: skip
    assert wrong(item)
    assert told((item,)) == [
        (
            "a: version 1, 0 entries. 2 lines are no entry (the first: 3, 9). "
            "1 lines mean what names cannot tell and were left out. It is out of date."
        )
    ]
    assert told(()) == ["This box has no lists."]


@pytest.mark.parametrize(("refusal", "code"), [("", 0), ("No version of gambling was refused.", 1)])
def test_accept(serve: Callable[..., Path], refusal: str, code: int) -> None:
    def answer(message: Message) -> Message:
        assert message == ListAccept(list_id="gambling", version="v2")
        return ListAnswered(refusal=refusal)

    done = run("accept", "gambling", "v2", "--config", serve(answer))
    assert done.exit_code == code
    assert refusal in done.stderr


def test_wrong_use_has_its_exit_codes(box_toml: Callable[..., Path], tmp_path: Path) -> None:
    config = box_toml()
    assert run("show", "--config", config).exit_code == 3
    assert run("accept", "gambling", "v2", "--config", config).exit_code == 3
    assert run("accept", "g" * 64, "v2", "--config", config).exit_code == 2
    assert run("show", "--config", tmp_path / "none.toml").exit_code == 2
    assert run("accept", "gambling").exit_code == 2
