from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.supervisor import Pace, Program, Supervisor

NOTIFY = """
import os, signal, socket, sys, time
def say(state):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])
"""
GOOD = NOTIFY + 'say("READY=1"); signal.pause()\n'
SILENT = NOTIFY + 'say("READY=1")\nwhile True: signal.pause()\n'
ALIVE = NOTIFY + 'say("READY=1")\nwhile True: say("WATCHDOG=1"); time.sleep(0.05)\n'
STUBBORN = NOTIFY + 'signal.signal(signal.SIGTERM, signal.SIG_IGN); say("READY=1")\nwhile True: signal.pause()\n'
LATE = (
    NOTIFY
    + """
path = sys.argv[1]
def end(*_):
    open(path, "a").write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
say("READY=1")
while True: signal.pause()
"""
)


class Watched:
    """A supervisor in a thread; its lines can be waited for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self.stop = False
        self.thread: threading.Thread | None = None

    def start(self, *programs: Program, pace: Pace | None = None) -> None:
        supervisor = Supervisor(programs, folder=self.folder, report=self.report, pace=pace or Pace(silence=600))
        self.thread = threading.Thread(target=supervisor.run, args=(lambda: self.stop,))
        self.thread.start()

    def report(self, line: str) -> None:
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def wait_for(self, words: str, times: int = 1) -> None:
        with self.changed:
            seen = self.changed.wait_for(lambda: sum(words in line for line in self.lines) >= times, 20)
        assert seen, self.lines

    def pid(self, name: str) -> int:
        return int(json.loads((self.folder / "up.json").read_text())[name])

    def end(self) -> float:
        assert self.thread is not None
        begun = time.monotonic()
        self.stop = True
        self.thread.join(20)
        assert not self.thread.is_alive()
        return time.monotonic() - begun


@pytest.fixture
def watched(short_path: Path) -> Iterator[Watched]:
    watched = Watched(short_path)
    yield watched
    if watched.thread is not None and watched.thread.is_alive():
        watched.end()


def program(
    name: str, code: str, *arguments: str, stop_stage: int = 0, listener: socket.socket | None = None
) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code, *arguments), stop_stage=stop_stage, listener=listener)


def test_says_ready_once_all_are_and_names_their_pids(watched: Watched) -> None:
    watched.start(program("one", GOOD), program("two", GOOD))
    watched.wait_for("ready: one, two")
    for name in ("one", "two"):
        assert Path(f"/proc/{watched.pid(name)}/cmdline").read_bytes().startswith(sys.executable.encode())
    watched.end()
    assert not (watched.folder / "up.json").exists()
    assert not list(watched.folder.iterdir())


def test_what_dies_is_started_again(watched: Watched) -> None:
    watched.start(program("one", GOOD), program("two", GOOD))
    watched.wait_for("ready:")
    other, first = watched.pid("two"), watched.pid("one")
    os.kill(first, signal.SIGKILL)
    watched.wait_for("one was ended by SIGKILL; next start in 0.1 s")
    watched.wait_for("one is back")
    assert watched.pid("one") != first
    assert watched.pid("two") == other


def test_delay_doubles_up_to_its_bound(watched: Watched) -> None:
    watched.start(program("bad", "raise SystemExit(3)"), pace=Pace(first_delay=0.02, longest_delay=0.08))
    watched.wait_for("ended with code 3", times=5)
    waits = [line.rsplit(" ", 2)[1] for line in watched.lines[:5]]
    assert waits == ["0.0", "0.0", "0.1", "0.1", "0.1"]


def test_delay_is_short_again_after_a_steady_life(watched: Watched) -> None:
    watched.start(program("one", GOOD), pace=Pace(first_delay=0.1, steady=0.0, silence=600))
    for times in (1, 2, 3):
        watched.wait_for("ready:" if times == 1 else "is back", times=max(1, times - 1))
        os.kill(watched.pid("one"), signal.SIGKILL)
        watched.wait_for("next start in 0.1 s", times=times)


def test_a_silent_process_is_killed_and_replaced(watched: Watched) -> None:
    watched.start(program("one", SILENT), program("two", ALIVE), pace=Pace(silence=1.0))
    watched.wait_for("one gave no sign of life for 1 s: killed")
    watched.wait_for("one was ended by SIGKILL")
    watched.wait_for("one is back")
    assert not any(line.startswith("two") for line in watched.lines)


def test_a_stopped_process_is_seen_by_its_silence(watched: Watched) -> None:
    watched.start(program("one", ALIVE), pace=Pace(silence=1.0))
    watched.wait_for("ready:")
    os.kill(watched.pid("one"), signal.SIGSTOP)
    watched.wait_for("one gave no sign of life")
    watched.wait_for("one is back")


def test_a_process_that_never_gets_ready_is_replaced(watched: Watched) -> None:
    watched.start(program("one", "import signal; signal.pause()"), pace=Pace(start=0.3))
    watched.wait_for("one gave no sign of life for 0.3 s: killed", times=2)


def test_stages_are_stopped_in_order(watched: Watched, tmp_path: Path) -> None:
    order = tmp_path / "order"
    watched.start(
        *(program(name, LATE, str(order), name, stop_stage=stage) for stage, name in enumerate(["a", "b", "c"]))
    )
    watched.wait_for("ready:")
    watched.end()
    assert order.read_text().split() == ["a", "b", "c"]


def test_who_does_not_stop_is_killed_within_the_time(watched: Watched) -> None:
    watched.start(program("one", STUBBORN), program("two", GOOD, stop_stage=1), pace=Pace(stop=1.0, silence=600))
    watched.wait_for("ready:")
    pid = watched.pid("one")
    assert watched.end() < 10
    assert "one did not stop: killed" in watched.lines
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_is_not_there_is_said(watched: Watched) -> None:
    watched.start(Program(name="gone", argv=("/nonexistent/program",)), program("two", GOOD))
    watched.wait_for("gone cannot be started: No such file or directory")
    assert watched.thread is not None
    assert watched.thread.is_alive()


def test_listener_is_handed_over_as_descriptor_three(watched: Watched) -> None:
    code = (
        NOTIFY
        + """
listener = socket.socket(fileno=3)
assert os.environ["LISTEN_FDS"] == "1"
say("READY=1")
while True: listener.accept()[0].sendall(b"hello")
"""
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        watched.start(program("one", code, listener=listener))
        watched.wait_for("ready:")
        with socket.create_connection(listener.getsockname(), timeout=10) as client:
            assert client.recv(5) == b"hello"


def test_environment_is_not_passed_on(watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    out = tmp_path / "environment"
    watched.start(program("one", NOTIFY + 'open(sys.argv[1], "w").write(repr(dict(os.environ))); ' + GOOD, str(out)))
    watched.wait_for("ready:")
    assert "SECRET_OF_THE_SHELL" not in out.read_text()
    assert "WATCHDOG_USEC" in out.read_text()


def test_children_die_with_a_killed_supervisor(short_path: Path) -> None:
    """setpriv's death signal, as `gatehouse up` asks for it."""
    code = f"""
import sys
from pathlib import Path
from appliance.confinement import Rights, probe
from appliance.supervisor import Program, Supervisor
argv = (*Rights().prefix(probe(())), sys.executable, "-c", {GOOD!r})
Supervisor([Program(name="one", argv=argv)], folder=Path({str(short_path)!r}), report=lambda line: print(line, flush=True)).run(lambda: False)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("ready: one")
        child = os.pidfd_open(json.loads((short_path / "up.json").read_text())["one"])
        parent.kill()
    assert ended(child)


def ended(pidfd: int) -> bool:
    import select

    try:
        return bool(select.select([pidfd], [], [], 20)[0])
    finally:
        os.close(pidfd)


def test_up_runs_confined(watched: Watched, tmp_path: Path) -> None:
    """What the kernel says of a confined program: no capability left, no new privileges."""
    from appliance.confinement import Rights, probe

    ability = probe(())
    out = tmp_path / "status"
    code = NOTIFY + 'open(sys.argv[1], "w").write(open("/proc/self/status").read()); ' + GOOD
    argv = (*Rights().prefix(ability), sys.executable, "-c", code, str(out))
    watched.start(Program(name="one", argv=argv))
    watched.wait_for("ready:")
    status = dict(line.split(":\t", 1) for line in out.read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    if ability.bounding:
        assert int(status["CapEff"], 16) == 0
        assert int(status["CapBnd"], 16) == 0


def test_one_that_ends_by_itself_is_started_again_after_its_time(watched: Watched, tmp_path: Path) -> None:
    """Nobody waits for it, it is in no list of pids, and only a change of how it ends is said."""
    runs = tmp_path / "runs"
    code = "import sys; open(sys.argv[1], 'a').write('x'); raise SystemExit(int(len(open(sys.argv[1]).read()) > 2))"
    errand = Program(name="errand", argv=(sys.executable, "-c", code, str(runs)), every=0.2)
    watched.start(errand, program("one", GOOD))
    watched.wait_for("ready: one")
    watched.wait_for("errand ended with code 1")
    assert set(json.loads((watched.folder / "up.json").read_text())) == {"one"}
    until = time.monotonic() + 20
    while len(runs.read_text()) < 5 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(runs.read_text()) >= 5
    assert sum("errand" in line for line in watched.lines) == 1


def test_one_that_should_end_and_does_not_is_killed(watched: Watched) -> None:
    errand = Program(name="errand", argv=(sys.executable, "-c", "import signal; signal.pause()"), every=0.1)
    watched.start(errand, program("one", GOOD), pace=Pace(start=1.0, silence=600))
    watched.wait_for("errand gave no sign of life for 1 s: killed")
    watched.wait_for("errand was ended by SIGKILL")
