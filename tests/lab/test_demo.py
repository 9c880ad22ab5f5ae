"""`make demo` as its user meets it: the story is told, and what cannot be is said plainly."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from dashboard.pages import sentences
from lab import story as stories
from wire.files import FileError
from wire.findings import FindingKind

DEMO = [sys.executable, "-m", "lab.demo"]


def run(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *arguments], capture_output=True, text=True, timeout=seconds, check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.lab
@pytest.mark.timeout(180)
@pytest.mark.req("R11", "R29")
def test_the_story_is_told_and_every_finding_lands() -> None:
    done = run("--seconds", "25", "--port", str(free_port()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one-time code: " in done.stdout
    found = re.findall(r"FINDING  (.+); on the page ([0-9.]+) s after its first frame", done.stdout)
    told = Counter(
        {
            FindingKind.BOX_RESET: 1,
            FindingKind.LISTED_NAME: 1,
            FindingKind.OTHER_RESOLVER: 1,
            FindingKind.UNREGISTERED_DEVICE: 4,
        }
    )
    assert Counter(text for text, _ in found) == {sentences.finding(kind, None): n for kind, n in told.items()}
    assert "4 on the page, 4 expected" in done.stdout


@pytest.mark.lab
@pytest.mark.timeout(180)
def test_ctrl_c_leaves_nothing_behind() -> None:
    before = {entry.name for entry in Path("/run").iterdir()}
    process = subprocess.Popen(
        [*DEMO, "--story", "quiet", "--port", str(free_port())],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as said:
        for line in said:
            if "one-time code" in line:
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
        rest = said.read()
    assert process.wait(30) == 130
    assert "nothing is left behind" in rest
    # Mount points of the lab's machines and mount(8)'s own folder stay with the sealed place, whoever made them first.
    after = {entry.name for entry in Path("/run").iterdir()}
    assert after - {"gatehouse", "mount"} == before - {"gatehouse", "mount"}
    deadline = time.monotonic() + 5
    while left := _programs():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _programs() -> list[str]:
    """Command lines of broker, resolver, box and pages in this sealed place."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            line = b" ".join(words).decode(errors="replace")
            if re.search(r"mosquitto|dnsmasq|gatehouse up|appliance\.|dashboard\.(web|ingest)", line):
                found.append(line)
    return found


@pytest.mark.lab
def test_a_taken_port_is_said_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 2
    assert (
        done.stderr
        == f"demo: port {port} on 127.0.0.1 cannot be used (Address already in use); choose another: make demo PORT=8081\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--story", "nobody"], "there is no story 'nobody'; known are full, quiet"),
        (["--seconds", "1"], "DEMO_SECONDS=1: give 5 to 3600 seconds"),
    ],
)
def test_wrong_use_is_said_in_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr == f"demo: {said}\n"


@pytest.mark.lab
def test_no_mosquitto_is_said_plainly() -> None:
    hide = "mount --bind /dev/null /usr/sbin/mosquitto && exec"
    command = f"{hide} {sys.executable} -m lab.demo --seconds 5 --port {free_port()}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "demo: Mosquitto is not installed; on Debian: apt-get install mosquitto\n"


def test_a_story_is_scaled_in_all_its_parts() -> None:
    story = stories.load("full")
    half = story.scaled(60)
    assert half.seconds == 60
    assert [step.at * 2 for step in half.step] == [step.at for step in story.step]


def test_a_broken_story_names_file_and_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.toml").write_text(
        'title = "x"\nseconds = 5\n[[step]]\nat = 1\ndo = "dance"\nwho = "a"\nsay = "b"\n[expect]\n'
    )
    (tmp_path / "who.toml").write_text(
        'title = "x"\nseconds = 5\n[[step]]\nat = 1\ndo = "join"\nwho = "a"\nsay = "b"\n[expect]\n'
    )
    monkeypatch.setattr(stories, "FOLDER", tmp_path)
    with pytest.raises(FileError, match=r"odd\.toml: step\.0: .*'dance'"):
        stories.load("odd")
    with pytest.raises(FileError, match=r"who\.toml: nobody is called a"):
        stories.load("who")
