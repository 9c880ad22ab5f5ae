from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from appliance import link
from appliance import settings as box_settings
from appliance.cli import main
from appliance.cli.status import wrong
from appliance.messages import Status, TapReport

WELL = Status(
    recording=True,
    authority="Authority a-1, number 1, is in force until 1 March 2027 at 09:00 UTC.",
    devices=3,
    open_findings=1,
    outbox=0,
    broker_connected=True,
    sensor_connected=True,
    warden_connected=True,
    mask_generation=4,
    taps=(TapReport(ts=0.0, tap="flow", messages=1200, octets=9, lost=0, unparsed=0, overflow=0, flows=17),),
)


@contextmanager
def keeper(config: Path, answer: Status | None) -> Iterator[None]:
    """Something that listens where the keeper would, and answers once (or hangs up)."""
    path = box_settings.load(config).keeper_socket("status")
    path.parent.mkdir(parents=True)
    with link.listen(path) as listener:
        listener.settimeout(20)

        def serve() -> None:
            sock, _address = listener.accept()
            if answer is not None:
                sock.recv(4096)
                link.Link(sock).send(answer)
            sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(20)


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["status", "--config", str(config), *words])


def test_all_well(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    with keeper(config, WELL):
        shown = run(config)
    assert shown.exit_code == 0
    assert "3 devices known, 1 open finding." in shown.output
    assert "Tap flow: 1,200 frames, 17 flows." in shown.output
    assert "Wrong" not in shown.output


def test_json_is_for_a_machine(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    with keeper(config, WELL):
        shown = run(config, "--json")
    read = json.loads(shown.output)
    assert read["ok"] is True
    assert read["status"]["devices"] == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recording": False, "authority": "It expired."}, "keeps no records about devices: It expired."),
        ({"broker_connected": False, "outbox": 1}, "the broker is not reached: 1 message waiting"),
        ({"sensor_connected": False}, "the box sees nothing"),
        ({"warden_connected": False}, "the warden is not connected"),
    ],
)
def test_what_is_wrong_is_said(box_toml: Callable[..., Path], change: dict[str, object], words: str) -> None:
    config = box_toml()
    with keeper(config, msgspec.structs.replace(WELL, **change)):
        shown = run(config)
    assert shown.exit_code == 1
    assert words in shown.output


def test_lost_frames_are_said_without_a_false_number() -> None:
    tap = msgspec.structs.replace(WELL.taps[0], lost=2)
    assert wrong(msgspec.structs.replace(WELL, taps=(tap,))) == [
        "the flow tap lost frames 2 times; how many is not known"
    ]


def test_keeper_that_is_not_there(box_toml: Callable[..., Path]) -> None:
    shown = run(box_toml())
    assert shown.exit_code == 3
    assert "the keeper does not answer" in shown.output
    assert json.loads(run(box_toml(), "--json").output)["ok"] is False


def test_keeper_that_hangs_up(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    with keeper(config, None):
        shown = run(config)
    assert shown.exit_code == 3
    assert "the keeper hung up" in shown.output


def test_broken_settings_are_named(tmp_path: Path) -> None:
    config = tmp_path / "box.toml"
    config.write_text("tenant = [")
    shown = run(config)
    assert shown.exit_code == 2
    assert "not valid TOML" in shown.output
