"""The probe's process: with a keeper made for the test, and on a household's network with a second server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import link
from appliance import settings as box_settings
from appliance.messages import (
    Message,
    ProbeAnswer,
    ProbeDone,
    ProbeKind,
    ProbeLeave,
    ProbeRequest,
    ProbeTest,
    decode,
    encode,
)
from appliance.probe.main import main
from lab import personas
from lab.household import BRIDGE_MAC, Household

pytestmark = pytest.mark.lab

RUN = [sys.executable, "-m", "appliance.probe"]


@contextmanager
def keeper(config: Path, leave: ProbeLeave | None) -> Iterator[list[Message]]:
    """Something that listens where the keeper would, gives leave (or hangs up) and keeps what it is told."""
    path = box_settings.load(config).keeper_socket("probe")
    path.parent.mkdir(parents=True, exist_ok=True)
    told: list[Message] = []
    with link.listen(path) as listener:
        listener.settimeout(30)

        def serve() -> None:
            sock, _address = listener.accept()
            with sock:
                sock.settimeout(30)
                while datagram := sock.recv(1 << 17):
                    heard = decode(datagram)
                    told.extend(heard)
                    if any(isinstance(message, ProbeRequest) for message in heard):
                        if leave is None:
                            return
                        sock.send(encode([leave]))

        thread = threading.Thread(target=serve)
        thread.start()
        yield told
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def config(box_toml: Callable[..., Path]) -> Path:
    """Settings whose household is the sealed place's own loopback."""
    written = box_toml()
    house = written.parent / "household.toml"
    house.write_text(house.read_text().replace('"lan0"', '"lo"'))
    return written


@pytest.mark.req("R13")
def test_without_leave_nothing_is_sent_and_it_says_why(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with keeper(config, ProbeLeave(why="the authority does not cover it", refused=True)) as told:
        assert main(["--config", str(config), "--kind", "sweep"]) == 1
    assert "the authority does not cover it" in capsys.readouterr().err
    assert told == [ProbeRequest(kind=ProbeKind.SWEEP)]


@pytest.mark.req("R13")
@pytest.mark.parametrize(("words", "said"), [([], "probe: nothing is due\n"), (["--quiet"], "")])
def test_nothing_to_do_is_no_fault(
    config: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with keeper(config, ProbeLeave(why="nothing is due")) as told:
        assert main(["--config", str(config), *words]) == 0
    assert capsys.readouterr().err == said
    assert told == [ProbeRequest(kind=None)]


def test_asking_loads_nothing_that_takes_long(config: Path) -> None:
    """Every minute it asks and mostly ends: scapy is loaded for errands only."""
    code = "import sys, appliance.probe.main; raise SystemExit('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert config


@pytest.mark.req("R13")
def test_it_does_what_it_may_and_not_what_it_asked_for(config: Path) -> None:
    with keeper(config, ProbeLeave(kinds=(ProbeKind.DHCP,))) as told:
        assert main(["--config", str(config)]) == 0
    request, done = told
    assert request == ProbeRequest(kind=None)
    assert isinstance(done, ProbeDone)
    assert (done.kind, done.sent, done.answers) == (ProbeKind.DHCP, 1, 0)


def test_without_its_port_the_test_is_told_as_not_sent(config: Path) -> None:
    test = ProbeTest(mac="02:00:00:00:00:99", name="detection-test.gatehouse.invalid")
    with keeper(config, ProbeLeave(kinds=(ProbeKind.TEST,), test=test)) as told:
        assert main(["--config", str(config), "--kind", "test"]) == 0
    done = told[-1]
    assert isinstance(done, ProbeDone)
    assert (done.kind, done.sent) == (ProbeKind.TEST, 0)


def test_no_keeper(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config)]) == 3
    assert "the keeper does not answer" in capsys.readouterr().err


def test_a_keeper_that_hangs_up(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with keeper(config, None):
        assert main(["--config", str(config)]) == 3
    assert "hung up" in capsys.readouterr().err


def test_settings_that_cannot_be_used(
    tmp_path: Path, box_toml: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    assert main(["--config", str(box_toml())]) == 2
    assert "lan0: cannot be used" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["--config", "box.toml", "--kind", "everything"])
    assert ended.value.code == 2


def test_without_the_right_to_send(config: Path) -> None:
    done = subprocess.run(
        ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--", *RUN, "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4, done.stderr
    assert "CAP_NET_RAW is missing" in done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with Household(tmp_path_factory.mktemp("home")) as household:
        yield household


@pytest.mark.req("R13", "R11")
def test_on_a_household_s_network_it_finds_who_is_there_what_is_offered_and_a_second_server(
    home: Household, box_toml: Callable[..., Path]
) -> None:
    config = box_toml()
    (config.parent / "household.toml").write_text(home.household_file.read_text())
    quiet = home.join(
        personas.load("registered-laptop").model_copy(update={"name": "quiet", "mac": "02:00:5e:10:01:01"})
    )
    printer = home.join(personas.load("printer"))
    leases = {device.persona.mac: str(device.lease().address) for device in (quiet, printer)}
    printer.announce()
    rogue = home.join(
        personas.load("registered-laptop").model_copy(update={"name": "rogue", "mac": "02:00:5e:10:01:02"})
    )
    rogue.ip("address add 192.0.2.250/24 dev eth0", "link set lo up")
    leases[rogue.persona.mac] = "192.0.2.250"
    command = ["dnsmasq", "--conf-file=/dev/null", "--port=0", "--dhcp-range=192.0.2.240,192.0.2.249,2m"]
    command += ["--interface=eth0", "--bind-interfaces", f"--dhcp-leasefile={rogue.folder / 'leases'}", "--pid-file"]
    if os.getuid() == 0:
        command += ["--user=root", "--group="]
    rogue.run(command)

    with keeper(config, ProbeLeave(kinds=tuple(ProbeKind))) as told:
        done = home.gateway.run([*RUN, "--config", config], timeout=90)
    assert "sweep: 254 sent" in done.stderr

    def answered(kind: ProbeKind) -> set[tuple[str, str | None]]:
        return {(one.mac, one.ip) for one in told if isinstance(one, ProbeAnswer) and one.kind is kind}

    swept = answered(ProbeKind.SWEEP)
    assert set(leases.items()) <= swept, "each device, by its address"
    assert {mac for mac, ip in swept if ip is not None and ip.startswith("fe80:")} >= set(leases)
    assert BRIDGE_MAC not in {mac for mac, _ in swept}
    assert (printer.persona.mac, leases[printer.persona.mac]) in answered(ProbeKind.SERVICES)
    assert answered(ProbeKind.DHCP) == {(rogue.persona.mac, "192.0.2.250")}
    assert [(one.kind, one.sent) for one in told if isinstance(one, ProbeDone)] == [
        (ProbeKind.SWEEP, 254),
        (ProbeKind.SERVICES, 2),
        (ProbeKind.DHCP, 1),
        (ProbeKind.TEST, 0),  # no port for it: the warden is not there to make one
    ]
