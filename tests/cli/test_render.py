"""`gatehouse render`: the files of a router below a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
HOMES = Path(__file__).parents[1] / "firmware" / "golden" / "homes"


def render(*options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEHOUSE, "render", *map(str, options)], check=False, capture_output=True, text=True, timeout=60
    )


def test_files_of_home_and_board_are_written(tmp_path: Path) -> None:
    done = render("--household", HOMES / "wifi" / "household.toml", "--root", tmp_path, "--board", "pi4")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc/hostapd/wlan0.conf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "etc/hostapd/wlan0.conf").read_text() == (HOMES / "wifi/etc/hostapd/wlan0.conf").read_text()
    assert "RuntimeWatchdogSec=14" in (tmp_path / "etc/systemd/system.conf.d/20-gatehouse.conf").read_text()
    count = sum(path.is_file() for path in tmp_path.rglob("*"))
    assert done.stdout == f"{count} files are below {tmp_path}.\n"


def test_a_home_alone_has_no_file_of_a_board(tmp_path: Path) -> None:
    assert render("--household", HOMES / "wired" / "household.toml", "--root", tmp_path).returncode == 0
    assert not (tmp_path / "etc/issue").exists()


def test_wpa3_asks_for_the_passphrase(tmp_path: Path) -> None:
    options = ("--household", HOMES / "wpa3" / "household.toml", "--root", tmp_path / "root")
    refused = render(*options)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "needs the home's passphrase" in refused.stderr
    (tmp_path / "passphrase").write_text("correct horse battery\n")
    assert render(*options, "--passphrase-file", tmp_path / "passphrase").returncode == 0
    written = (tmp_path / "root/etc/hostapd/wlan0.conf").read_text()
    assert "sae_password=correct horse battery\n" in written


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("[lan]", "[lam]", "lam: Extra inputs"), ('"eth0"', '"eth0 x"', "wan.interface"), ("192.0.2.0/24", "192.0.2.0/30", "no room")],
)  # fmt: skip
def test_a_wrong_value_is_one_clear_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "household.toml"
    path.write_text((HOMES / "wired" / "household.toml").read_text().replace(old, new))
    done = render("--household", path, "--root", tmp_path / "root")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not (tmp_path / "root").exists()
