from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.fitting.ports import MAX_PORTS, Port, found


def test_sockets_and_radios_are_found_and_bridges_are_not(tmp_path: Path, add_port: Callable[..., None]) -> None:
    for name in ("eth10", "eth2", "br-lan", "Strange!"):
        add_port(tmp_path, name)
    add_port(tmp_path, "wlan0", radio=True)
    add_port(tmp_path, "lo", kind="772")
    net = tmp_path / "sys/class/net"
    (net / "br-lan" / "bridge").mkdir()
    (net / "tun0").mkdir()
    assert found(net) == (
        Port(name="eth2", radio=False, hardware=True),
        Port(name="eth10", radio=False, hardware=True),
        Port(name="wlan0", radio=True, hardware=True),
    )


def test_no_machine_has_more_than_are_looked_at(tmp_path: Path, add_port: Callable[..., None]) -> None:
    for number in range(MAX_PORTS + 9):
        add_port(tmp_path, f"eth{number}")
    assert len(found(tmp_path / "sys/class/net")) == MAX_PORTS
    assert found(tmp_path / "nowhere") == ()
