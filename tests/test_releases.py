from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import releases
from appliance.releases import NO_VERSION, Programs, Record, Running, busy, read_programs, read_running, refusal, told
from appliance.settings import SoftwareSettings
from wire.release import Release, SignedRelease, sign

NOW = 1_795_000_000.0
KEY = Ed25519PrivateKey.generate()
RUNNING = Running(version="2026.10.1", slot="A", board="pi4", boot="b")


def _signed(*, key: Ed25519PrivateKey = KEY, **values: Any) -> SignedRelease:
    issued = datetime.fromtimestamp(NOW, UTC)
    said = {
        "version": "2026.11.1",
        "board": "pi4",
        "url": "https://updates.example/b",
        "sha256": "ab" * 32,
        "size": 10,
        "floor": "2026.10.1",
        "issued": issued,
        "expires": issued + timedelta(days=30),
    }
    return sign(Release.model_validate(said | values), key)


def _refused(signed: SignedRelease, *, record: Record | None = None, at: float = NOW) -> str | None:
    return refusal(signed, pinned=[KEY.public_key()], running=RUNNING, record=record or Record(), at=at)


@pytest.mark.req("R4")
def test_a_release_that_holds_is_taken() -> None:
    assert _refused(_signed()) is None
    assert _refused(_signed(version="2027.1.1")) is None, "numbers, not letters, are compared"
    assert _refused(_signed(), record=Record(stage="rolled-back", signed=_signed())) is None, "it may be tried again"


@pytest.mark.req("R4")
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "No key that this box knows"),
        ({"board": "qemu"}, "made for qemu, this box is pi4"),
        ({"expires": datetime.fromtimestamp(NOW, UTC)}, "expired"),
        ({"issued": datetime.fromtimestamp(NOW + 2 * 86400, UTC)}, "in the future"),
        ({"floor": "2026.12.1"}, "contradicts itself"),
        ({"version": "2026.10.1"}, "is not newer"),
        ({"version": "2026.9.30", "floor": "2026.1.1"}, "is not newer"),
    ],
)
def test_a_release_that_does_not_hold_is_refused(values: dict[str, Any], says: str) -> None:
    why = _refused(_signed(**values))
    assert why is not None
    assert says in why


@pytest.mark.req("R4")
def test_a_statement_that_was_changed_is_refused() -> None:
    signed = _signed()
    for field, value in (
        ("version", "2026.12.1"),
        ("sha256", "cd" * 32),
        ("url", "https://other.example/"),
        ("size", 9),
    ):
        plain = signed.release.model_copy(update={field: value})
        assert _refused(signed.model_copy(update={"release": plain})) is not None


@pytest.mark.req("R4")
def test_no_version_below_the_floor_is_taken_even_where_an_older_one_runs() -> None:
    record = Record(floor="2026.12.1")
    assert "below 2026.12.1" in str(_refused(_signed(), record=record))
    assert _refused(_signed(version="2026.12.1"), record=record) is None


@pytest.mark.req("R4")
def test_an_older_statement_does_not_take_the_place_of_a_newer_one() -> None:
    newer = _signed(version="2026.11.5")
    for stage in ("waiting", "proving"):
        assert "on its way already" in str(_refused(_signed(), record=Record(stage=stage, signed=newer)))
    assert "busy with version 2026.11.5" in str(busy(Record(stage="proving", signed=newer)))
    assert busy(Record(stage="waiting", signed=newer)) is busy(Record()) is None
    assert _refused(newer, record=Record(stage="waiting", signed=_signed())) is None


def test_what_runs_is_read_of_its_file_and_the_kernel(tmp_path: Path) -> None:
    settings = SoftwareSettings(release_keys=("k",), board="pi4", version_file=tmp_path / "version", state=tmp_path)
    assert read_running(settings, root=tmp_path) == Running(version=NO_VERSION, slot="", board="pi4", boot="")
    (tmp_path / "version").write_text("2026.11.1\n")
    proc = tmp_path / "proc"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "cmdline").write_text("ro rauc.slot=B quiet")
    (proc / "sys/kernel/random/boot_id").write_text("0b0e\n")
    assert read_running(settings, root=tmp_path) == Running(version="2026.11.1", slot="B", board="pi4", boot="0b0e")
    (tmp_path / "version").write_text("something else")
    assert read_running(settings, root=tmp_path).version == NO_VERSION


def test_the_server_is_told_how_far_it_is(tmp_path: Path) -> None:
    record = Record(stage="writing", signed=_signed(), since=NOW, percent=40)
    said = told(record, RUNNING, Programs(outdated=("dnsmasq-base is 2.89",)))
    assert (said.version, said.slot, said.wanted, said.stage, said.percent) == (
        "2026.10.1",
        "A",
        "2026.11.1",
        "writing",
        40,
    )
    assert said.outdated == ("dnsmasq-base is 2.89",)
    assert told(Record(stage="done", signed=_signed(), percent=90), RUNNING, Programs()).percent is None
    assert read_programs(tmp_path) == Programs()
    (tmp_path / releases.PROGRAMS).write_text('{"outdated": ["hostapd is 1"]}')
    assert read_programs(tmp_path).outdated == ("hostapd is 1",)
