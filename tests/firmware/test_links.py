"""Links and ways out: read by systemd-networkd itself, and the unit of the line by systemd."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from firmware import layout, links, machine
from firmware.household import Household

NETWORKD = Path("/lib/systemd/systemd-networkd")

SCRIPT = """
mount --bind "$1" /etc/systemd/network
mount -t tmpfs none /run
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network /run/systemd/netif
ip link set lo up
SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console exec "$2"
"""


def networkd(folder: Path) -> tuple[list[str], str]:
    """What systemd-networkd says of a folder until it has made the bridge, and the bridge; in namespaces of its own."""
    script = folder.parent / "networkd.sh"
    script.write_text(SCRIPT)
    said: list[str] = []
    with subprocess.Popen(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", str(script), str(folder), str(NETWORKD)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as daemon:  # fmt: skip
        assert daemon.stdout is not None
        ending = threading.Timer(30, daemon.kill)
        ending.start()
        try:
            for line in daemon.stdout:
                said.append(line.strip())
                if line.startswith("br-lan: Created"):
                    break
            bridge = subprocess.run(
                ["nsenter", "-t", str(daemon.pid), "-n", "ip", "-o", "link", "show", "br-lan"],
                check=False, capture_output=True, text=True,
            ).stdout  # fmt: skip
        finally:
            ending.cancel()
            daemon.kill()
    return said, bridge


def written(rendered: dict[str, str], folder: Path) -> Path:
    folder.mkdir()
    for path, text in rendered.items():
        if path.startswith("/etc/systemd/network/"):
            (folder / path.rpartition("/")[2]).write_text(text)
    for each in (folder, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):  # noqa: S108 (only what the test made)
            each.chmod(0o755)
    return folder


def complaints(said: list[str]) -> list[str]:
    """What it said of a file; systemd 257 also says of each that it was loaded."""
    return [
        line for line in said if line.startswith("/etc/systemd/network/") and not line.endswith("Successfully loaded.")
    ]


networkd_here = pytest.mark.skipif(
    not NETWORKD.exists() or os.geteuid() != 0, reason="systemd-networkd is not installed, or this is not root"
)


@networkd_here
@pytest.mark.req("R5")
def test_networkd_knows_every_line_and_makes_the_bridge(rendered: dict[str, str], tmp_path: Path) -> None:
    files = rendered | {path: text for path, text in machine.render("pi4").items() if "/network/" in path}
    said, bridge = networkd(written(files, tmp_path / "network"))
    assert complaints(said) == []
    assert "02:00:5e:10:00:01" in bridge, said


@networkd_here
def test_a_line_that_networkd_does_not_know_is_seen(tmp_path: Path) -> None:
    network = "[Match]\nName=lo\n\n[Network]\nNoSuchKey=1\n"
    bridge = "[NetDev]\nName=br-lan\nKind=bridge\n"
    folder = {
        f"/etc/systemd/network/20-gatehouse-{name}": text
        for name, text in (("a.network", network), ("b.netdev", bridge))
    }
    said, _ = networkd(written(folder, tmp_path / "network"))
    (line,) = complaints(said)
    assert "NoSuchKey" in line


@networkd_here
def test_networkd_says_so_where_it_does_not_know_a_line(homes: dict[str, Household], tmp_path: Path) -> None:
    files = links.render(homes["wired"])
    files[links.LAN] = files[links.LAN].replace("LLDP=no\n", "LLDQ=no\n", 1)
    said, _ = networkd(written(files, tmp_path / "network"))
    assert [line for line in said if "20-gatehouse-lan.network" in line and "Unknown key" in line]


def section(text: str, name: str) -> dict[str, str]:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign] # keys as they are written
    parsed.read_string(text)
    return dict(parsed[name])


def test_the_provider_decides_neither_names_nor_time(rendered: dict[str, str], home: Household) -> None:
    text = rendered[links.WAN]
    for part in ("DHCPv6", "IPv6AcceptRA") + (() if home.wan.kind == "pppoe" else ("DHCPv4",)):
        assert section(text, part)["UseDNS"] == "no"
    if home.wan.kind != "pppoe":
        assert section(text, "DHCPv4")["UseNTP"] == "no"
        assert section(text, "DHCPv4")["SendHostname"] == "no"


@pytest.mark.req("R5")
def test_each_way_out_has_its_files(homes: dict[str, Household]) -> None:
    def has(name: str) -> set[str]:
        return set(links.render(homes[name]))

    always = {links.LAN_DEVICE, links.LAN, links.WAN, links.LAN_PORTS}
    assert has("wired") == always
    assert has("modem") == always | {links.RADIOS}
    assert has("pppoe") == always | {links.RADIOS, links.LINE, links.PPP_PEER, links.PPP_UNIT}
    assert section(links.render(homes["modem"])[links.WAN], "Match")["Name"] == "modem0"
    assert "Name=modem0" in machine.render("pi4")["/etc/systemd/network/10-gatehouse-modem.link"]


@pytest.mark.req("R55")
def test_the_providers_password_is_in_no_file(homes: dict[str, Household]) -> None:
    files = links.render(homes["pppoe"])
    assert f"StandardInput=file:{layout.UPLINK_SECRET_FILE}\n" in files[links.PPP_UNIT]
    home, own = homes["pppoe"], f"{layout.CONFIG}/uplink-1.secret"
    wan = home.wan.model_copy(update={"password_file": own})
    other = links.render(home.model_copy(update={"wan": wan}))[links.PPP_UNIT]
    assert other == files[links.PPP_UNIT].replace(layout.UPLINK_SECRET_FILE, own), "another password: dialled anew"
    assert "passwordfd 0\n" in files[links.PPP_PEER]
    assert "hide-password\n" in files[links.PPP_PEER]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_of_the_line(homes: dict[str, Household], tmp_path: Path) -> None:
    path = tmp_path / "gatehouse-uplink.service"
    text = links.render(homes["pppoe"])[links.PPP_UNIT]
    if shutil.which("pppd", path="/usr/sbin:/sbin") is None:
        text = text.replace("/usr/sbin/pppd", "/bin/true")
    for content, right in ((text, True), (text.replace("Restart=always", "Restrat=always"), False)):
        path.write_text(content)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert ("gatehouse-uplink.service" not in done.stderr) == right, done.stderr


def test_a_prefix_of_the_provider_is_handed_on_only_where_it_is_asked_for(homes: dict[str, Household]) -> None:
    for name, home in homes.items():
        files = links.render(home)
        assert ("DHCPPrefixDelegation=yes" in files[links.LAN]) == (name == "delegated")
        assert section(files[links.WAN], "DHCPv6")["UseDelegatedPrefix"] == ("yes" if name == "delegated" else "no")


@pytest.mark.req("R5", "R9")
def test_how_the_line_ended_is_written_down_for_who_tells_people(homes: dict[str, Household], tmp_path: Path) -> None:
    """The very words of the unit, as systemd.service(5) runs them: `$$` is a dollar, the status is in the environment."""
    files = links.render(homes["pppoe"])
    assert "nopersist\n" in files[links.PPP_PEER], "it ends, so that there is a status"
    (line,) = [each for each in files[links.PPP_UNIT].splitlines() if each.startswith("ExecStopPost=-/bin/sh -c '")]
    told = tmp_path / "told"
    script = line.partition("'")[2].removesuffix("'").replace("$$", "$").replace(layout.LINE_TOLD, str(told))
    subprocess.run(["sh", "-c", script], check=True, env={"EXIT_STATUS": "19"}, timeout=10)
    assert told.read_text() == "19\n"


@pytest.mark.req("R5", "R57")
def test_a_socket_that_goes_and_comes_back_ends_no_line_for_good(homes: dict[str, Household]) -> None:
    unit = links.render(homes["pppoe"])[links.PPP_UNIT]
    assert "BindsTo=" not in unit
    assert "Wants=sys-subsystem-net-devices-" in unit
    assert "Restart=always" in unit
    assert "StartLimitIntervalSec=0" in unit
