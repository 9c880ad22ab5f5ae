"""The process as it is run: a finding stored, a real web server told; killed and begun again, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from dashboard.alerts import channels
from dashboard.store import schema

PATIENCE = 60.0


class Web(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with server.arrived:
            server.got.append(body)
            server.arrived.notify_all()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.got, server.arrived = [], threading.Condition()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def start(config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard.alerts", "--config", str(config)], stderr=subprocess.PIPE, text=True
    )


@pytest.mark.req("R38")
def test_a_finding_reaches_a_person_through_a_process_that_was_killed_before(
    office: Any, web: Any, tmp_path: Path
) -> None:
    config = tmp_path / "dashboard.toml"
    config.write_text(
        f'database_url = "{office.rounds.settings.database_url}"\ntenant = "northmoor"\n'
        'operator = "Northmoor Supervision Unit"\nsecret_key_file = "secret"\n[alerts]\n'
        'address = "https://gatehouse.example.org/"\nkinds = ["json"]\nallow_private = true\nround_seconds = 0.1\n'
    )
    # Without the summary: whether that is due depends on the hour at which this is run.
    office.charge(office.account("ann", digest=False), office.seed.site())
    sealed = channels.seal(f"json://127.0.0.1:{web.server_port}/x", key=office.rounds.key, channel_id="ch-ann")
    with office.engine.begin() as connection:
        connection.execute(update(schema.channel).values(sealed=sealed, kind="json"))
    office.seed.finding(severity="act_now")
    # What a sender that was killed leaves: a row that was planned, and taken by nobody any more.
    office.rounds.look(office.seed.clock.at)
    killed = start(config)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=PATIENCE)
    process = start(config)
    try:
        with web.arrived:
            assert web.arrived.wait_for(lambda: web.got, timeout=PATIENCE)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "1 new alert." in web.got[0]
    assert len(web.got) == 1
    assert "127.0.0.1" not in errors


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "neither [alerts] nor [siem]"),
        ('[alerts]\naddress = "ftp://x"\n', "alerts.address"),
        ('[alerts]\naddress = "https://x/"\nkinds = ["carrier-pigeon"]\n', "carrier-pigeon"),
        ('[alerts]\naddress = "https://x/"\nkey_file = "missing"\n', "key that seals addresses"),
        ('[siem]\nhost = "h"\nca = "missing"\n', "certificate"),
    ],
)
def test_settings_that_cannot_be_used_are_said_in_a_line(office: Any, tmp_path: Path, lines: str, said: str) -> None:
    config = tmp_path / "dashboard.toml"
    config.write_text(
        f'database_url = "{office.rounds.settings.database_url}"\ntenant = "northmoor"\noperator = "N"\n'
        f'secret_key_file = "secret"\n{lines}'
    )
    process = start(config)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, errors
    assert said in errors
    assert "Traceback" not in errors
