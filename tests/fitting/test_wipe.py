from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import serve_request
from appliance.cli.wipe import wipe as command
from appliance.fitting import answer, card, first, line, taking, wipe
from appliance.requests import RequestName, WipeRequest
from firmware import layout
from firmware.household import load

CANARY = b"canary-4711"


class CutError(Exception):
    """The power went."""


@pytest.fixture
def enrolled(box: Any, service: Any, now: float) -> Any:
    """A box at work: with records, a vault's key, a renewed certificate, a list and what runs in memory."""
    said = answer.read(service.answer(box), keys=box.keys, operator=box.operator, site=box.site, csr=box.csr, now=now)
    house = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert said.network is not None
    house = line.wanted(box.places, house, said.network.uplink)
    files = answer.files(said, keys=box.keys, operator=box.operator, house=house)
    taking.take(box.places, files)
    state = box.places.at(layout.STATE)
    for name in (
        "keeper/keeper.db",
        "keeper/keeper.db-wal",
        "keeper/vault.key",
        "keeper/lists/list-1",
        "courier/tls.pem",
    ):
        path = state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CANARY + b" of " + name.encode())
    run = box.places.at(layout.RUN) / "keeper"
    run.mkdir(parents=True)
    (run / "plan.json").write_bytes(CANARY)
    return box


def found(box: Any, what: bytes) -> list[str]:
    return [path.as_posix() for path in box.root.rglob("*") if path.is_file() and what in path.read_bytes()]


@pytest.mark.req("R6")
def test_nothing_of_the_home_is_left_but_what_its_internet_needs_until_it_is_unplugged(
    enrolled: Any, secrets_of: dict[str, str]
) -> None:
    before = enrolled.everything()
    site = enrolled.site
    assert found(enrolled, CANARY)
    assert found(enrolled, site.encode())
    gone = wipe.wipe(enrolled.places)
    assert gone == len(before) - 2
    assert set(enrolled.everything()) == {"config/household.toml", "state/warden/wifi.psk"}
    assert not enrolled.places.enrolled
    for what in (CANARY, site.encode(), b"PRIVATE KEY", b"broker.example.org", secrets_of["provider"].encode()):
        assert found(enrolled, what) == [], what
    kept = load(enrolled.places.at(layout.HOUSEHOLD_FILE))
    assert kept.wifi is not None
    assert kept.wifi.ssid == "Rose Cottage"


@pytest.mark.req("R6")
def test_at_the_next_start_it_is_a_box_that_was_never_claimed(
    enrolled: Any, now: float, secrets_of: dict[str, str]
) -> None:
    site, lan = enrolled.site, load(enrolled.places.at(layout.HOUSEHOLD_FILE)).lan
    wipe.wipe(enrolled.places)
    first.boot(enrolled.places, now=now)
    assert enrolled.site != site
    assert card.load_sticker(enrolled.places) is not None
    fresh = load(enrolled.places.at(layout.HOUSEHOLD_FILE))
    assert fresh.lan.network6 != lan.network6
    assert fresh.lan.mac != lan.mac
    for what in (site, "Rose Cottage", *secrets_of.values()):
        assert found(enrolled, what.encode()) == [], what


@pytest.mark.req("R6", "N15")
def test_a_cut_at_any_step_is_carried_through_at_the_next_start(
    enrolled: Any, now: float, secrets_of: dict[str, str]
) -> None:
    steps: list[str] = []
    files = enrolled.everything()
    wipe.wipe(enrolled.places, at_step=steps.append)
    data = enrolled.places.at(layout.DATA)
    last_key = max(number for number, step in enumerate(steps) if step.endswith((".pem", ".key", ".secret")))
    assert all(step.endswith((".pem", ".key", ".secret", ".csr")) for step in steps[1 : last_key + 1]), "keys go first"
    for left in range(1, len(steps)):
        for name, content in files.items():
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (data / name).write_bytes(content)
        remaining = left

        def cut(_step: str) -> None:
            nonlocal remaining
            if remaining == 0:
                raise CutError
            remaining -= 1

        with pytest.raises(CutError):
            wipe.wipe(enrolled.places, at_step=cut)
        first.boot(enrolled.places, now=now)
        assert not enrolled.places.enrolled
        for what in (CANARY, *(secret.encode() for secret in secrets_of.values())):
            assert found(enrolled, what) == [], steps[left]


def test_a_box_that_is_not_being_wiped_is_left_alone(enrolled: Any) -> None:
    before = enrolled.everything()
    assert not wipe.resume(enrolled.places)
    assert enrolled.everything() == before


def test_a_link_leads_nowhere_else(enrolled: Any, tmp_path: Any) -> None:
    other = tmp_path / "another's"
    other.write_bytes(b"stays")
    (enrolled.places.at(layout.STATE) / "keeper" / "link").symlink_to(other)
    wipe.wipe(enrolled.places)
    assert other.read_bytes() == b"stays"


@pytest.mark.req("R6")
def test_a_pipe_that_a_process_left_holds_nothing_up(enrolled: Any) -> None:
    pipe = enrolled.places.at(layout.STATE) / "keeper" / "a.key"
    os.mkfifo(pipe)
    wipe.wipe(enrolled.places)
    assert not pipe.exists()


@pytest.mark.req("R6")
def test_an_engineer_wipes_a_box_by_hand(enrolled: Any) -> None:
    done = CliRunner().invoke(command, ["--root", str(enrolled.root)], input="n\n")
    assert done.exit_code == 1
    assert enrolled.places.enrolled
    done = CliRunner().invoke(command, ["--root", str(enrolled.root), "--yes"])
    assert done.exit_code == 0, done.output
    assert "files destroyed" in done.output
    assert not enrolled.places.enrolled


@pytest.mark.req("R6", "N15")
def test_of_a_machine_itself_the_partitions_key_goes_first_and_the_journal_last(
    enrolled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, bool, bool]] = []

    def run(commands: Sequence[Sequence[str]]) -> None:
        marked = enrolled.places.at(wipe.MARK).exists()
        ran.extend((" ".join(words[:2]), marked, enrolled.places.enrolled) for words in commands)

    monkeypatch.setattr(wipe, "run", run)
    monkeypatch.setattr(wipe, "Places", lambda: enrolled.places)
    wipe.serve(WipeRequest(request_id="r-1", at=0, removal_id="r-1"), None, 0.0)  # type: ignore[arg-type] # not read
    assert ran == [
        ("systemctl stop", True, True),
        (f"{wipe.DATA_PROGRAM} erase", True, True),
        ("journalctl --rotate", False, False),
    ]


def test_the_keepers_request_leads_here() -> None:
    assert serve_request.HANDLERS[RequestName.WIPE] == f"{wipe.__name__}:{wipe.serve.__name__}"
    assert json.dumps(sorted(wipe.KEPT)) == json.dumps(sorted([layout.HOUSEHOLD_FILE, layout.PASSPHRASE_FILE]))


@pytest.mark.req("R6")
def test_where_the_mark_cannot_be_kept_nothing_is_ended_that_could_say_so(
    enrolled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Sequence[str]] = []

    def full(_path: object, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wipe, "Places", lambda: enrolled.places)
    monkeypatch.setattr(wipe, "keep", full)
    monkeypatch.setattr(wipe, "run", ran.append)
    with pytest.raises(OSError, match="No space"):
        wipe.wipe(enrolled.places)
    assert ran == []
    assert enrolled.places.enrolled
