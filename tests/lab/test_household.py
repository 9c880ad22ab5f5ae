"""The household: what `firmware` renders is what is in force, and all of it goes again."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path

import psutil
import pytest

from firmware import household as what
from firmware import render
from lab import household as households
from lab import personas
from lab.client import Client
from lab.host import LabError
from lab.household import Household, as_toml, default

pytestmark = pytest.mark.lab


def test_household_toml_says_what_the_gateway_is(home: Household) -> None:
    assert what.load(home.household_file) == home.config == default()


def test_every_field_survives_being_written(tmp_path: Path) -> None:
    config = what.Household(
        lan=what.Lan(
            bridge="br0",
            ports=("lan0", "wlan0"),
            address=IPv4Address("198.51.100.129"),
            network=IPv4Network("198.51.100.128/25"),
            network6=IPv6Network("2001:db8:9::/64"),
            lease_seconds=600,
        ),
        wan=what.Wan(interface="eth9"),
        resolver=what.Resolver(upstream=(IPv4Address("203.0.113.1"),)),
        notice_port=8080,
    )
    path = tmp_path / "household.toml"
    path.write_text(as_toml(config))
    assert what.load(path) == config


def test_the_rule_set_in_force_is_the_rendered_one(home: Household) -> None:
    loaded = home.gateway.run(["nft", "list", "ruleset"]).stdout
    text = render.render(home.config)[render.NFTABLES]
    assert home.rendered(render.NFTABLES).read_text() == text
    assert loaded.count(f"chain {render.marker(text)}") == 3


def test_the_settings_in_force_are_the_rendered_ones(home: Household) -> None:
    wanted = {}
    for line in render.render(home.config)[render.SYSCTL].splitlines():
        key, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            key = key.strip().removeprefix("-")
            if key in home.sysctls_left_out:
                continue
            wanted[key if "/" in key else key.replace(".", "/")] = value.strip()
    assert len(wanted) > 10
    for key, value in wanted.items():
        assert home.gateway.run(["cat", f"/proc/sys/{key}"]).stdout.strip() == value, key
    assert "net.netfilter.nf_conntrack_acct" not in home.sysctls_left_out


def test_dnsmasq_runs_with_the_rendered_file_and_nothing_else(home: Household) -> None:
    words = psutil.Process(int(home.dnsmasq_pid_file.read_text())).cmdline()
    assert f"--conf-file={home.rendered(render.DNSMASQ)}" in words
    assert home.rendered(render.DNSMASQ).read_text() == render.render(home.config)[render.DNSMASQ]


def test_headquarters_is_reached_from_the_gateway_and_from_a_device(
    home: Household, device: Callable[..., Client]
) -> None:
    laptop = device()
    laptop.lease()
    with home.hq.socket(2, 1) as listener:
        listener.bind((households.HQ_ADDRESS, 8883))
        listener.listen()
        listener.settimeout(5)
        for host in (home.gateway, laptop):
            with host.socket(2, 1) as caller:
                caller.settimeout(5)
                caller.connect((households.HQ_ADDRESS, 8883))
                connection, (address, _) = listener.accept()
                connection.close()
            assert address == "198.51.100.2", "devices are behind the router's own address"
    assert laptop.lookup("hq.example") == [households.HQ_ADDRESS]


def test_one_name_is_one_device_and_there_is_a_bound(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    client = home.join("printer")
    try:
        assert home.clients == {"printer": client}
        with pytest.raises(LabError, match="a device named printer is here already"):
            home.join("printer")
        monkeypatch.setattr(households, "MAX_DEVICES", 1)
        with pytest.raises(LabError, match="at most 1 devices"):
            home.join(personas.load("smart-tv"))
    finally:
        home.leave(client)
    assert home.clients == {}


def test_closing_takes_every_process_with_it(tmp_path: Path) -> None:
    before = set(psutil.Process(1).children(recursive=True))
    with Household(tmp_path) as household:
        household.join("registered-laptop").lease()
        household.join("household-phone").announce()
        running = set(psutil.Process(1).children(recursive=True)) - before
        assert {"dnsmasq", "dhclient"} <= {process.name() for process in running}
    assert psutil.wait_procs(running, timeout=10)[1] == []


def test_a_part_that_fails_takes_the_rest_down(tmp_path: Path) -> None:
    before = set(psutil.Process(1).children(recursive=True))
    tiny = default().lan.model_copy(update={"network": IPv4Network("192.0.2.0/30")})
    config = default().model_copy(update={"lan": tiny})
    with pytest.raises(render.RenderError, match="no room"):
        Household(tmp_path, config).__enter__()
    left = set(psutil.Process(1).children(recursive=True)) - before
    assert psutil.wait_procs(left, timeout=10)[1] == []
