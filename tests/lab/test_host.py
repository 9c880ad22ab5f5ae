"""One machine: its own network, names and files, and an end to all that runs in it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab import enter
from lab.host import Host, LabError

pytestmark = pytest.mark.lab


@pytest.fixture
def alpha(tmp_path: Path) -> Iterator[Host]:
    with Host("alpha", tmp_path) as host:
        yield host


def test_it_has_its_own_name_network_and_resolver(alpha: Host) -> None:
    alpha.use_resolvers("192.0.2.7", "2001:db8::7")
    seen = alpha.run(["sh", "-c", "hostname; cat /etc/resolv.conf; ip -o link; pwd"]).stdout.splitlines()
    assert seen[:3] == ["alpha", "nameserver 192.0.2.7", "nameserver 2001:db8::7"]
    assert len([line for line in seen if "link/" in line]) == 1
    assert seen[-1] == str(Path.cwd())
    assert socket.gethostname() != "alpha"
    assert "192.0.2.7" not in Path("/etc/resolv.conf").read_text()


def test_a_setting_is_that_machines_alone(alpha: Host) -> None:
    key = Path("/proc/sys/net/ipv4/ip_default_ttl")
    alpha.sysctl("net.ipv4.ip_default_ttl", "77")
    assert alpha.run(["cat", key]).stdout == "77\n"
    assert key.read_text() != "77\n"
    with pytest.raises(FileNotFoundError):
        alpha.sysctl("net.ipv4.no_such_key", "1")


def test_a_socket_of_the_machine_can_be_used_from_here(alpha: Host, tmp_path: Path) -> None:
    with Host("beta", tmp_path) as beta:
        alpha.ip(
            f"link add eth0 type veth peer name eth0 netns {beta.pid}",
            "link set eth0 up",
            "address add 192.0.2.1/24 dev eth0",
        )
        beta.ip("link set eth0 up", "address add 192.0.2.2/24 dev eth0")
        with alpha.socket() as sender, beta.socket() as receiver:
            receiver.bind(("192.0.2.2", 7))
            receiver.settimeout(5)
            sender.sendto(b"hello", ("192.0.2.2", 7))
            assert receiver.recvfrom(64)[0] == b"hello"


def test_a_command_that_fails_says_where_and_why(alpha: Host) -> None:
    with pytest.raises(LabError, match=r"alpha: ls /no-such-place: exit code 2: .*No such file"):
        alpha.run(["ls", "/no-such-place"])
    assert alpha.run(["false"], check=False).returncode == 1
    with pytest.raises(LabError, match="Cannot find device"):
        alpha.ip("link set no-such-link up")


def test_a_command_has_a_time_limit(alpha: Host) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        alpha.run(["sleep", "60"], timeout=0.2)


def test_closing_ends_what_runs_in_it_also_in_the_background(tmp_path: Path) -> None:
    host = Host("gamma", tmp_path)
    foreground = host.popen(["sleep", "600"])
    host.run(["sh", "-c", "setsid sleep 601 >/dev/null 2>&1 & sleep 602 >/dev/null 2>&1 &"])
    running = [psutil.Process(pid) for pid in host.processes()]
    assert len(running) >= 2
    host.close()
    assert foreground.returncode is not None
    assert psutil.wait_procs(running, timeout=10)[1] == []
    host.close()  # twice is fine


def test_the_machine_goes_when_its_maker_is_killed(tmp_path: Path) -> None:
    import sys

    script = f"from lab.host import Host; from pathlib import Path; print(Host('d', Path({str(tmp_path)!r})).pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        holder = psutil.Process(int(maker.stdout.readline()))
        maker.kill()
    assert psutil.wait_procs([holder], timeout=10)[1] == []


def test_outside_the_sealed_place_there_are_no_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enter, "sealed", lambda: False)
    with pytest.raises(LabError, match=r"python -m lab\.enter"):
        Host("epsilon", tmp_path)
