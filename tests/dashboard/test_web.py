from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.web import ListenError, inherited, listen

PATIENCE = 30.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A settings file whose database and secret are there."""
    (tmp_path / "secret").write_bytes(os.urandom(32))
    url = f"sqlite:///{tmp_path / 'pages.db'}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    path = tmp_path / "dashboard.toml"
    path.write_text(f'database_url = "{url}"\ntenant = "t"\noperator = "O"\nsecret_key_file = "secret"\n')
    return path


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the program; whatever still runs at the end is ended."""
    running: list[subprocess.Popen[str]] = []

    def do(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.web", *arguments], stderr=subprocess.PIPE, text=True, **options
        )
        running.append(process)
        return process

    yield do
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def _fails(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, errors
    assert "Traceback" not in errors
    (line,) = errors.strip().splitlines()
    return line


def test_serves_on_an_inherited_socket_and_stops_cleanly(
    config: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start("--config", str(config), "--fd", str(listener.fileno()), pass_fds=[listener.fileno()])
        port = listener.getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/health")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"ok\n")
    assert answer.getheader("Server") is None
    assert answer.getheader("Strict-Transport-Security") is not None
    connection.close()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert f"serving on http://127.0.0.1:{port}/" in errors


@pytest.mark.parametrize(
    ("trusted", "header", "status"),
    [
        ("127.0.0.1", "X-Forwarded-Host", 200),
        ("127.0.0.1", "Forwarded", 400),
        ("192.0.2.1", "X-Forwarded-Host", 400),
        (None, "X-Forwarded-Host", 400),
    ],
    ids=["the-proxy", "another-header-of-the-proxy", "somebody-else", "no-proxy"],
)
def test_what_a_proxy_says_counts_from_the_one_of_the_settings_alone(
    config: Path, start: Callable[..., subprocess.Popen[str]], trusted: str | None, header: str, status: int
) -> None:
    said = "" if trusted is None else f'trusted_proxy = "{trusted}"\n'
    config.write_text(f'{config.read_text()}hosts = ["pages.example.org"]\n{said}')
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start("--config", str(config), "--fd", str(listener.fileno()), pass_fds=[listener.fileno()])
        port = listener.getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    value = "host=pages.example.org" if header == "Forwarded" else "pages.example.org"
    connection.request("GET", "/sign-in", headers={header: value})
    assert connection.getresponse().status == status
    connection.close()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors


def test_a_taken_port_is_a_plain_error(config: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        line = _fails(start("--config", str(config), "--listen", address))
    assert f"cannot listen on {address}" in line
    assert "choose another" in line


@pytest.mark.parametrize("content", [None, b"short"])
def test_no_secret_is_a_plain_error(
    config: Path, start: Callable[..., subprocess.Popen[str]], content: bytes | None
) -> None:
    secret = config.parent / "secret"
    secret.unlink()
    if content is not None:
        secret.write_bytes(content)
    assert "head -c 32 /dev/urandom" in _fails(start("--config", str(config), "--listen", "127.0.0.1:0"))


def test_a_database_that_was_not_made_is_a_plain_error(
    config: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    (config.parent / "pages.db").unlink()
    assert "init-db" in _fails(start("--config", str(config), "--listen", "127.0.0.1:0"))


def test_broken_settings_are_a_plain_error(config: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    config.write_text("database_url = \n")
    assert "not valid TOML" in _fails(start("--config", str(config)))


@pytest.mark.parametrize("address", ["", "8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ListenError, match="give HOST:PORT"):
        listen(address)


def test_listens_on_ipv6() -> None:
    with listen("[::1]:0") as listener:
        assert listener.getsockname()[0] == "::1"


def test_a_descriptor_that_does_not_listen() -> None:
    with socket.socket() as idle, pytest.raises(ListenError, match="does not listen"):
        inherited(os.dup(idle.fileno()))
    with pytest.raises(ListenError, match="not a socket"):
        inherited(987)
