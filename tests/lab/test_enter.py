"""The sealed place: what gets in, what comes out, and that nothing is left."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lab import enter

PLACE = [sys.executable, "-m", "lab.enter", "--"]
UserRun = Callable[..., subprocess.CompletedProcess[str]]


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PLACE, *command], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM)])
def test_the_exit_code_is_the_commands(apart: dict[str, str], script: str, code: int) -> None:
    assert run(apart, "sh", "-c", script).returncode == code


def test_a_command_that_is_not_there_is_said_plainly(apart: dict[str, str]) -> None:
    done = run(apart, "no-such-program")
    assert done.returncode == 127
    assert done.stderr == "lab: no-such-program: No such file or directory\n"


def test_network_processes_mounts_and_run_are_its_own(apart: dict[str, str]) -> None:
    look = "for kind in net pid mnt; do readlink /proc/self/ns/$kind; done; ls -A /run; cat /sys/class/net/lo/flags; ip -o link"
    done = run(apart, "sh", "-c", look)
    net, pid, mnt, *rest = done.stdout.splitlines()
    outside = {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("net", "pid", "mnt")}
    assert (net, pid, mnt) != (outside["net"], outside["pid"], outside["mnt"])
    assert net != outside["net"]
    assert pid != outside["pid"]
    assert mnt != outside["mnt"]
    assert rest[:2] == ["gatehouse-lab", "lock"]
    interfaces = [line for line in rest if ": " in line]
    assert len(interfaces) == 1
    assert "lo: <LOOPBACK,UP" in interfaces[0]


def test_what_is_left_behind_is_reaped_by_process_1(apart: dict[str, str]) -> None:
    script = """
import os, pathlib, time
end, held = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.close(end)
        os._exit(0)     # an orphan by now, or soon
    os._exit(0)
os.wait()
os.close(held)
os.read(end, 1)         # end of file: the orphan has ended
def zombies():
    states = (path.read_text().rpartition(")")[2].split()[0] for path in pathlib.Path("/proc").glob("[0-9]*/stat"))
    return "Z" in list(states)
deadline = time.monotonic() + 10
while zombies() and time.monotonic() < deadline:
    os.sched_yield()
print("left" if zombies() else "reaped")
"""
    assert run(apart, sys.executable, "-c", script).stdout == "reaped\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_outer_process_reaches_the_command_once(apart: dict[str, str], number: signal.Signals) -> None:
    script = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
print("ready", flush=True)
print(signal.sigwait({signal.SIGINT, signal.SIGTERM}).name, len(signal.sigpending()))
raise SystemExit(3)
"""
    with subprocess.Popen(
        [*PLACE, sys.executable, "-c", script], env=apart, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == f"{number.name} 0\n"
        assert process.wait(30) == 3


def test_descriptors_pass_through(apart: dict[str, str]) -> None:
    read, write = os.pipe()
    script = f"import os; os.write({write}, b'through')"
    done = subprocess.run([*PLACE, sys.executable, "-c", script], env=apart, pass_fds=(write,), check=False, timeout=60)
    os.close(write)
    with os.fdopen(read) as answer:
        assert answer.read() == "through"
    assert done.returncode == 0


def test_inside_it_runs_without_a_second_place(apart: dict[str, str]) -> None:
    both = f"readlink /proc/self/ns/net; {sys.executable} -m lab.enter readlink /proc/self/ns/net"
    first, second = run(apart, "sh", "-c", both).stdout.splitlines()
    assert first == second


def test_the_variable_alone_does_not_make_a_place_sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(enter.MODE_VARIABLE, "root")
    monkeypatch.setattr(enter, "_MARK", tmp_path / "no-mark")
    assert not enter.sealed()


def test_killed_in_the_middle_of_a_household_it_leaves_nothing(apart: dict[str, str]) -> None:
    def interfaces() -> str:
        return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout

    def named() -> str:
        return subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout

    def mounts() -> str:
        return Path("/proc/self/mountinfo").read_text()

    def networks(processes: list[psutil.Process]) -> set[str]:
        found = set()
        for process in processes:
            with suppress(OSError):  # it has ended since
                found.add(str(Path(f"/proc/{process.pid}/ns/net").readlink()))
        return found

    before = (interfaces(), named(), mounts())
    words = [sys.executable, "-m", "lab.shell", "registered-laptop", "--", "sh", "-c", "echo ready; exec sleep 600"]
    with subprocess.Popen(words, env=apart, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            inside = psutil.Process(process.pid).children(recursive=True)
            theirs = networks(inside)
            assert len(theirs) == 5, "the place itself, gateway, internet, headquarters and the laptop"
            assert {"dnsmasq", "dhclient"} <= {item.name() for item in inside}
        finally:
            process.kill()
    _, alive = psutil.wait_procs(inside, timeout=20)
    assert alive == []
    assert (interfaces(), named(), mounts()) == before
    assert not theirs & networks(list(psutil.process_iter()))


def test_a_kernel_that_refuses_is_told_in_a_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing:
        def unshare(self, _flags: int) -> int:
            ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(enter, "_libc", Refusing())
    monkeypatch.setattr(enter, "sealed", lambda: False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(SystemExit) as ended:
        enter.enter(["true"])
    assert ended.value.code == enter.UNAVAILABLE
    said = capsys.readouterr().err
    assert said.startswith("lab: an ordinary user may not make namespaces here")
    assert said.rstrip().endswith("run as root")


def test_a_limit_on_namespaces_is_told_and_ends_with_69(as_user: UserRun) -> None:
    # A user's place has limits of its own, so that setting one touches nothing outside it.
    script = (
        "echo 0 >/proc/sys/user/max_net_namespaces; unset GATEHOUSE_LAB; "
        f"{sys.executable} -c 'from lab.enter import refusal; print(refusal())'; {sys.executable} -m lab.enter true"
    )
    done = as_user(*PLACE, "sh", "-c", script)
    assert done.returncode == enter.UNAVAILABLE
    assert "does not let root make new namespaces (No space left on device)" in done.stdout
    assert done.stderr == f"lab: {done.stdout}"


_HOUSEHOLD = """
import json, os, tempfile
from pathlib import Path
from lab import enter
from lab.household import Household
with tempfile.TemporaryDirectory(dir="/run") as folder, Household(Path(folder)) as home:
    laptop = home.join("registered-laptop")
    lease = laptop.lease()
    laptop.address6()
    print(json.dumps({
        "mode": enter.mode(),
        "address": str(lease.address),
        "page": laptop.browse("www.news.example"),
        "page6": laptop.browse("six.only.example", family=6),
        "redirected": laptop.lookup("answered-by.example", "TXT", resolver="203.0.113.53"),
        "tables": [line for line in home.gateway.run(["nft", "list", "tables"]).stdout.splitlines()],
    }))
"""


def test_an_ordinary_user_can_have_the_whole_household(as_user: UserRun) -> None:
    import json

    done = as_user(*PLACE, sys.executable, "-c", _HOUSEHOLD)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["mode"] == "user"
    assert told["address"].startswith("192.0.2.")
    assert (told["page"], told["page6"]) == (200, 200)
    assert told["redirected"] == ['"203.0.113.10"']
    assert told["tables"] == ["table inet gatehouse", "table bridge gatehouse", "table netdev gatehouse"]
