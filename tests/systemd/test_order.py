"""The family's internet comes up first and needs nothing of ours (R57): read from the units themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Read = Callable[[str], Mapping[str, Sequence[str]]]

UNITS = Path(__file__).resolve().parents[2] / "systemd" / "system"
FAMILY = (
    "nftables.service",
    "systemd-networkd.service",
    "hostapd@.service",
    "dnsmasq.service",
    "chrony.service",
    "network-pre.target",
    "network.target",
    "multi-user.target",
    "sysinit.target",
    "basic.target",
)
PREPARING = {"gatehouse-data.service", "gatehouse-first-boot.service", "gatehouse-apply.service"}
"""What makes the configuration that the family's services read: tried before them, required by none of them."""

NEEDING = ("Requires", "Requisite", "BindsTo", "PartOf", "Upholds")
LASTING = tuple(f"gatehouse-{name}.service" for name in ("warden", "sensor", "keeper", "courier", "porch", "resolver"))
OURS = tuple(path.name for path in UNITS.iterdir() if path.is_file() and path.name.startswith("gatehouse"))


@pytest.mark.req("R57")
@pytest.mark.parametrize("name", FAMILY)
def test_nothing_of_the_family_needs_anything_of_ours(name: str, packaged: Read) -> None:
    of = packaged(name)
    needed = {other for key in (*NEEDING, "Wants") for other in of.get(key, ()) if other.startswith("gatehouse")}
    waited = {other for other in of.get("After", ()) if other.startswith("gatehouse")}
    assert needed == set()
    assert waited <= PREPARING


@pytest.mark.req("R57")
@pytest.mark.parametrize("name", OURS)
def test_ours_do_not_make_themselves_needed(name: str, unit: Read) -> None:
    of = unit(name)
    assert not {"RequiredBy", "UpheldBy"} & of.keys()
    assert of.get("FailureAction", ["none"]) == ["none"]
    assert of.get("Conflicts", []) in ([], ["shutdown.target"])
    before = {other for other in of.get("Before", ()) if not other.startswith("gatehouse")}
    if name not in PREPARING:
        assert before <= {"shutdown.target"}


@pytest.mark.req("R57")
def test_what_prepares_the_family_s_services_cannot_hold_them_up_for_long(unit: Read) -> None:
    total = 0
    for name in PREPARING - {"gatehouse-data.service"}:
        of = unit(name)
        assert of["Type"] == ["oneshot"]
        assert of["DefaultDependencies"] == ["no"], "else it waits for what waits for it"
        # For a hang only; a slow machine must come to its end, because there is no internet without what these write.
        assert int(of["TimeoutStartSec"][0]) >= 120
        total += int(of["TimeoutStartSec"][0])
    assert total <= 400


@pytest.mark.req("R57")
@pytest.mark.parametrize("name", [*LASTING, "gatehouse-probe.service", "gatehouse.target", "gatehouse-fitting.service"])
def test_ours_wait_for_the_family_s_services(name: str, unit: Read) -> None:
    assert {"nftables.service", "systemd-networkd.service", "dnsmasq.service"} <= set(unit(name)["After"])


@pytest.mark.req("R57")
def test_rules_stay_when_their_unit_stops(packaged: Read) -> None:
    assert packaged("nftables.service")["ExecStop"] == []


@pytest.mark.req("R9", "R57")
@pytest.mark.parametrize("name", [*LASTING, "dnsmasq.service", "hostapd@.service", "gatehouse-porch.socket"])
def test_nothing_that_dies_is_ever_given_up(name: str, unit: Read) -> None:
    of = unit(name)
    assert of["StartLimitIntervalSec"] == ["0"]
    if name.endswith(".service"):
        assert of["Restart"] == ["always"]
        assert float(of["RestartSec"][0]) >= 1, "what dies at once is not to take the processor"


@pytest.mark.parametrize(
    "name",
    [
        *(f"gatehouse-{name}.service" for name in ("fitting-keys", "health", "upkeep", "look", "request@", "apply")),
        *LASTING,
    ],
)
def test_the_data_partition_is_closed_after_all_that_writes_to_it(name: str, unit: Read) -> None:
    assert "gatehouse-data.service" in unit(name)["After"]


def test_one_that_hangs_is_ended(unit: Read) -> None:
    for name in LASTING:
        of = unit(name)
        assert of["Type"] == ["notify"]
        assert of["NotifyAccess"] == ["main"]
        assert of["WatchdogSignal"] == ["SIGKILL"]


def test_the_target_wants_them_and_needs_none(unit: Read) -> None:
    target = unit("gatehouse.target")
    assert set(LASTING) <= set(target["Wants"])
    assert not set(NEEDING) & target.keys()
    assert target["WantedBy"] == ["multi-user.target"]
