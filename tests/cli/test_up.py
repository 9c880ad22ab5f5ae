from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from appliance.cli import main

COMMAND = [sys.executable, "-c", "from appliance.cli import main; main()", "up", "--config"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_taken_port_is_a_clear_error(box_toml: Callable[..., Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        shown = CliRunner().invoke(main, ["up", "--config", str(box_toml(notice_port=listener.getsockname()[1]))])
    assert shown.exit_code == 3
    assert "is taken; stop what listens there or change notice_port" in shown.output


def test_an_address_that_is_on_no_interface(box_toml: Callable[..., Path]) -> None:
    shown = CliRunner().invoke(main, ["up", "--config", str(box_toml(address="203.0.113.1"))])
    assert shown.exit_code == 3
    assert "bring the LAN up first" in shown.output


def test_a_broken_household_file_is_named(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    config.with_name("household.toml").write_text("[lan]\nbridge = 3\n")
    shown = CliRunner().invoke(main, ["up", "--config", str(config)])
    assert shown.exit_code == 2
    assert "lan.bridge" in shown.output


def test_missing_settings_are_named(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["up", "--config", str(tmp_path / "none.toml")])
    assert shown.exit_code == 2
    assert "cannot be read" in shown.output


def test_porch_serves_behind_up_and_all_stops_on_sigterm(box_toml: Callable[..., Path]) -> None:
    """The real processes: those without keys end and are tried again, the porch needs none."""
    port = free_port()
    config = box_toml(notice_port=port)
    with subprocess.Popen(
        [*COMMAND, str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        try:
            page = b""
            until = time.monotonic() + 60
            while b"Example Service" not in page and time.monotonic() < until:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        page = b"".join(iter(lambda: client.recv(65536), b""))
                except OSError:
                    select.select([], [], [], 0.05)  # it does not listen yet
            assert b"Example Service" in page
            pids = json.loads((config.parent / "run" / "up.json").read_text())
            status = Path(f"/proc/{pids['porch']}/status").read_text()
            assert "NoNewPrivs:\t1" in status
            if os.getuid() == 0:
                assert "CapEff:\t0000000000000000" in status
        finally:
            running.send_signal(signal.SIGTERM)
            output, _ = running.communicate(timeout=30)
    assert running.returncode == 0, output
    assert not (config.parent / "run" / "up.json").exists()
    assert not Path(f"/proc/{pids['porch']}").exists()
