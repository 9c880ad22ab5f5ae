from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance import service

PROGRAM = """
import sys
from appliance import service
def main(settings, stopping):
    service.notify("READY=1")
    while not stopping():
        pass
sys.argv[0] = "program"
service.run("program", main)
"""


@pytest.fixture
def supervisor(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket where notices arrive, as systemd or `gatehouse up` would have it."""
    path = short_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield sock


def test_notify_says_it_at_the_socket(supervisor: socket.socket) -> None:
    service.notify("READY=1")
    assert supervisor.recv(100) == b"READY=1"


def test_notify_without_a_supervisor_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert service.notify("READY=1") is None


def test_a_supervisor_that_does_not_read_hangs_nobody(
    supervisor: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2000):
        service.notify("WATCHDOG=1")
    assert "nobody hears WATCHDOG=1" in caplog.text
    assert supervisor.recv(100) == b"WATCHDOG=1"


def test_sign_of_life_is_given_four_times_as_often_as_asked(
    supervisor: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    life = service.SignOfLife()
    supervisor.settimeout(0)
    heard = 0
    for tenth in range(101):
        life.given(1000.0 + tenth / 10)
        try:
            heard += supervisor.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            continue
    assert heard == 5


def test_without_a_watchdog_there_is_no_sign(supervisor: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    service.SignOfLife().given(1000.0)
    supervisor.settimeout(0)
    with pytest.raises(BlockingIOError):
        supervisor.recv(100)


def test_listeners_meant_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert service.inherited_listeners() == []


def test_runs_until_sigterm_and_asking_is_the_sign_of_life(
    supervisor: socket.socket, box_toml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "--config", str(box_toml())]) as process:
        heard = {supervisor.recv(100) for _ in range(6)}
        process.send_signal(signal.SIGTERM)
        supervisor.settimeout(30)
        while (last := supervisor.recv(100)) != b"STOPPING=1":
            heard.add(last)
    assert process.returncode == 0
    assert heard == {b"READY=1", b"WATCHDOG=1"}


def test_bad_settings_end_it_with_one_plain_line(tmp_path: Path) -> None:
    config = tmp_path / "box.toml"
    config.write_text("tenant = 3")
    command = [sys.executable, "-c", PROGRAM, "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "tenant" in ended.stderr
