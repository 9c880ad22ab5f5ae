"""Requests served by the command, with small programs in the place of RAUC, systemd and nft."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import clock, releases, requests
from appliance import settings as box_settings
from appliance.cli import health, serve_request, upkeep
from appliance.requests import RequestName, TakeReleaseRequest, WipeRequest
from appliance.settings import BoxSettings, SoftwareSettings
from appliance.upkeep import runner, vitals
from appliance.upkeep.bundle import fetched_path
from wire.keys import public_text
from wire.release import Release, sign

ME = frozenset({os.getuid()})
KEY = Ed25519PrivateKey.generate()
_RAUC = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
info) echo '{{"compatible": "pi4", "version": "2026.11.1"}}' ;;
install) echo "installing"; echo " 20% Checking"; echo "100% Installing done." ;;
esac
"""


@pytest.fixture
def box(
    tmp_path: Path, box_toml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, BoxSettings, Path]:
    """A box with `[software]`; its settings' file, the settings, and the log of what was run."""
    path, log = box_toml(), tmp_path / "run.log"
    folder = tmp_path / "upkeep"
    (tmp_path / "version").write_text("2026.10.1\n")
    with path.open("a") as file:
        file.write(
            f'\n[software]\nrelease_keys = ["{public_text(KEY)}"]\nboard = "pi4"\nversion_file = "{tmp_path}/version"\n'
            f'state = "{folder}"\nquiet_from = 0\nquiet_until = 24\nprove_minutes = 0.01\n'
        )
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("rauc", _RAUC), ("systemctl", '#!/bin/sh\necho "systemctl $@" >> {log}\n')):
        (programs / name).write_text(text.format(log=log))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(vitals, "well", lambda *_: frozenset({"rules", "names", "addresses", "keeper"}))
    monkeypatch.setattr("appliance.upkeep.box._RATE_SECONDS", 0.01)
    monkeypatch.setattr("appliance.upkeep.box.LOOK_SECONDS", 0.01)
    return path, box_settings.load(path), log


def _ask(settings: BoxSettings, raw: bytes = b"bundle", **values: Any) -> str:
    at = datetime.fromtimestamp(clock.now(), UTC)
    said = {
        "version": "2026.11.1",
        "board": "pi4",
        "url": "https://updates.example/b",
        "sha256": hashlib.sha256(b"bundle").hexdigest(),
        "size": 6,
        "floor": "2026.11.1",
        "issued": at,
        "expires": at + timedelta(days=1),
    }
    signed = sign(Release.model_validate(said | values), KEY)
    path = fetched_path(settings.state_dir, said["sha256"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    requests.ask(settings.run_dir, TakeReleaseRequest(request_id="r-1", at=clock.now(), signed=signed))
    return signed.model_dump_json()


def _serve(path: Path, name: str) -> int:
    return CliRunner().invoke(serve_request.serve_request, [name, "--config", str(path)]).exit_code


@pytest.mark.req("R4")
def test_a_release_goes_from_the_request_to_the_restart_and_the_proof(
    box: tuple[Path, BoxSettings, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, settings, log = box
    assert settings.software is not None
    _ask(settings)
    assert _serve(path, "take-release") == 0
    answer = requests.answered(settings.run_dir, RequestName.TAKE_RELEASE, owners=ME)
    assert answer is not None
    assert (answer.outcome, answer.request_id) == ("done", "r-1")
    if releases.read_record(settings.software.state).stage == "waiting":  # its minute of the night was not yet
        monkeypatch.setattr("appliance.upkeep.box.may_restart", lambda *_, **__: True)
        assert CliRunner().invoke(upkeep.upkeep, ["--config", str(path)]).exit_code == 0
    assert releases.read_record(settings.software.state).stage == "restarting"
    assert "systemctl --no-block reboot" in log.read_text()
    assert not list((settings.state_dir / "courier" / "release").iterdir())
    # The machine is down and up again, in the other partition.
    (tmp_path / "version").write_text("2026.11.1\n")
    monkeypatch.setattr("appliance.releases.slot", lambda _root=None: "B")
    monkeypatch.setattr("appliance.cli.health.minimum.installed", lambda _: "0.1")
    result = CliRunner().invoke(health.health, ["--config", str(path)])
    assert result.exit_code == 0, result.output
    record = releases.read_record(settings.software.state)
    assert (record.stage, record.floor) == ("done", "2026.11.1")
    assert "status mark-good booted" in log.read_text()
    assert len(releases.read_programs(settings.software.state).outdated) == 2
    # What was proved once is told to the boot loader at each start, without another proof.
    log.write_text("")
    assert CliRunner().invoke(health.health, ["--config", str(path)]).exit_code == 0
    assert log.read_text() == "status mark-good booted\n"


@pytest.mark.req("R4")
def test_a_version_that_is_not_well_goes_back(
    box: tuple[Path, BoxSettings, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, settings, log = box
    assert settings.software is not None
    monkeypatch.setattr("appliance.upkeep.box.may_restart", lambda *_, **__: True)
    _ask(settings)
    assert _serve(path, "take-release") == 0
    (tmp_path / "version").write_text("2026.11.1\n")
    monkeypatch.setattr("appliance.releases.slot", lambda _root=None: "B")
    monkeypatch.setattr(vitals, "well", lambda *_: frozenset({"rules"}))
    assert CliRunner().invoke(health.health, ["--config", str(path)]).exit_code == 1
    assert log.read_text().splitlines()[-3:] == [
        "status mark-active other",
        "status mark-bad booted",
        "systemctl --no-block reboot",
    ]
    (tmp_path / "version").write_text("2026.10.1\n")
    monkeypatch.setattr("appliance.releases.slot", lambda _root=None: "")
    monkeypatch.setattr(vitals, "well", lambda *_: frozenset({"rules", "names", "addresses", "keeper"}))
    assert CliRunner().invoke(health.health, ["--config", str(path)]).exit_code == 0
    record = releases.read_record(settings.software.state)
    assert record.stage == "rolled-back"
    assert "names are not answered" in record.detail
    assert record.floor is None


@pytest.mark.req("R4")
@pytest.mark.parametrize("what", ["settings", "household"])
def test_a_version_that_cannot_read_the_box_s_files_goes_back(
    box: tuple[Path, BoxSettings, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    path, settings, log = box
    assert settings.software is not None
    monkeypatch.setattr("appliance.upkeep.box.may_restart", lambda *_, **__: True)
    _ask(settings)
    assert _serve(path, "take-release") == 0
    monkeypatch.setattr(health, "_USUAL", settings.software)
    text = path.read_text()
    if what == "settings":
        path.write_text(text + "\n[what_no_version_knows]\na = 1\n")
    else:
        settings.household.write_text("nonsense = [")
    log.write_text("")
    monkeypatch.setattr("appliance.releases.slot", lambda _root=None: "B")
    (tmp_path / "version").write_text("2026.11.1\n")
    assert CliRunner().invoke(health.health, ["--config", str(path)]).exit_code == 1
    assert log.read_text().splitlines() == [
        "status mark-active other",
        "status mark-bad booted",
        "systemctl --no-block reboot",
    ]
    # The same in a version that was proved before: it stays, and the boot loader's tries do not run out.
    record = releases.read_record(settings.software.state)
    runner.save(settings.software.state, record.model_copy(update={"stage": "done"}))
    log.write_text("")
    assert CliRunner().invoke(health.health, ["--config", str(path)]).exit_code == 2
    assert log.read_text() == "status mark-good booted\n"


@pytest.mark.req("R4")
def test_one_that_waits_is_not_what_starts_next_while_a_newer_one_is_taken(
    box: tuple[Path, BoxSettings, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, settings, log = box
    assert settings.software is not None
    monkeypatch.setattr("appliance.upkeep.box.may_restart", lambda *_, **__: False)
    _ask(settings)
    assert _serve(path, "take-release") == 0
    assert releases.read_record(settings.software.state).stage == "waiting"
    log.write_text("")
    _ask(settings, version="2026.11.2")
    _serve(path, "take-release")
    assert log.read_text().splitlines()[0] == "status mark-active booted"
    record = releases.read_record(settings.software.state)
    assert (record.stage, "holds version 2026.11.1" in record.detail) == ("failed", True)
    assert not (settings.software.state / "bundle.raucb").exists(), "nothing is left of what is not taken"


@pytest.mark.req("R4")
def test_while_another_is_at_work_it_may_be_asked_for_again(box: tuple[Path, BoxSettings, Path]) -> None:
    path, settings, _log = box
    assert settings.software is not None
    _ask(settings)
    with runner.alone(settings.software.state):
        assert _serve(path, "take-release") == 1
    answer = requests.answered(settings.run_dir, RequestName.TAKE_RELEASE, owners=ME)
    assert answer is not None
    assert (answer.outcome, "try again later" in answer.detail) == ("failed", True)


@pytest.mark.req("R4")
def test_what_root_refuses_is_answered(box: tuple[Path, BoxSettings, Path]) -> None:
    path, settings, log = box
    for raw, values, says in (
        (b"bundle", {"board": "qemu"}, "made for qemu"),
        (b"bundle", {"version": "2026.9.1", "floor": "2026.1.1"}, "is not newer"),
        (b"bundlE", {}, "not the one of its statement"),
    ):
        _ask(settings, raw, **values)
        assert _serve(path, "take-release") == 0
        answer = requests.answered(settings.run_dir, RequestName.TAKE_RELEASE, owners=ME)
        assert answer is not None
        assert answer.outcome == "refused"
        assert says in answer.detail
    assert not log.exists(), "the installer was never run"


def test_a_request_that_nobody_serves_or_that_is_none_is_told(
    box: tuple[Path, BoxSettings, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, settings, _log = box
    monkeypatch.setattr(serve_request, "HANDLERS", {})
    requests.ask(settings.run_dir, WipeRequest(request_id="r-3", at=1.0, removal_id="rem-1"))
    assert _serve(path, "wipe") == 0
    answer = requests.answered(settings.run_dir, RequestName.WIPE, owners=ME)
    assert answer is not None
    assert answer.outcome == "refused"
    assert _serve(path, "wipe") == 0, "nothing is asked any more"
    (settings.run_dir / "requests" / "wipe.json").write_text("{}")
    assert _serve(path, "wipe") == 1
    (settings.run_dir / "requests" / "wipe.json").mkdir()
    assert _serve(path, "wipe") == 1
    assert _serve(path.with_name("no.toml"), "wipe") == 2


def test_a_box_that_nobody_lives_with_is_good_as_it_starts(tmp_path: Path) -> None:
    assert CliRunner().invoke(health.health, ["--config", str(tmp_path / "no.toml")]).exit_code == 0


def test_the_quiet_hours_are_a_stretch() -> None:
    with pytest.raises(ValueError, match="quiet_from must be before"):
        SoftwareSettings(release_keys=("k",), board="pi4", quiet_from=5, quiet_until=5)
