"""What follows from a change: who is told, and who is left alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import links, plan, render, services, wireless
from firmware.household import Household
from firmware.wireless import Secrets


def between(one: Household, other: Household, secrets: Secrets) -> list[str]:
    old, new = (render.render(home, secrets=secrets, wan_tap=False) for home in (one, other))
    return [str(step) for step in plan.steps(old, new)]


def changed(home: Household, section: str, **values: object) -> Household:
    raw = home.model_dump(mode="json")
    raw[section] = raw[section] | values
    return Household.model_validate(raw)


def test_nothing_follows_from_nothing(home: Household, secrets: Secrets) -> None:
    assert between(home, home, secrets) == []


@pytest.mark.req("R57")
def test_a_new_time_server_takes_nobody_off_the_wifi(homes: dict[str, Household], secrets: Secrets) -> None:
    other = changed(homes["wifi"], "time", servers=["time.example.org"])
    assert between(homes["wifi"], other, secrets) == ["restart chrony.service"]


def test_a_new_name_of_the_wifi_restarts_the_radio_alone(homes: dict[str, Household], secrets: Secrets) -> None:
    other = changed(homes["wifi"], "wifi", ssid="Another name")
    assert between(homes["wifi"], other, secrets) == ["restart hostapd@wlan0.service"]


def test_units_that_a_home_gains_or_loses_are_started_and_stopped(
    homes: dict[str, Household], secrets: Secrets
) -> None:
    gained = between(homes["wired"], homes["two-radios"], secrets)
    assert {"start hostapd@wlan0.service", "start hostapd@wlan1.service", "reload-network"} <= set(gained)
    lost = between(homes["two-radios"], homes["wired"], secrets)
    assert {"stop hostapd@wlan0.service", "stop hostapd@wlan1.service"} <= set(lost)
    assert "stop gatehouse-uplink.service" in between(homes["pppoe"], homes["wifi"], secrets)
    assert "stop ssh.service" in between(homes["engineer"], homes["wired"], secrets)
    assert "start ssh.service" in between(homes["wired"], homes["engineer"], secrets)


def test_a_new_user_of_the_line_dials_again(homes: dict[str, Household], secrets: Secrets) -> None:
    other = changed(homes["pppoe"], "wan", user="line-2@provider.example")
    assert between(homes["pppoe"], other, secrets) == ["restart gatehouse-uplink.service"]


def test_units_are_read_before_they_are_started_and_rules_before_the_network(
    homes: dict[str, Household], secrets: Secrets
) -> None:
    order = between(homes["wired"], homes["pppoe"], secrets)
    assert order.index("reload-units") == 0
    assert order.index("load-modules") < order.index("load-settings") < order.index("load-rules")
    assert order.index("load-rules") < order.index("reload-network") < order.index("start gatehouse-uplink.service")


def test_what_a_home_has_of_its_own_is_started_at_boot(homes: dict[str, Household], secrets: Secrets) -> None:
    def starts(name: str) -> set[str]:
        return set(plan.starts(render.render(homes[name], secrets=secrets)))

    assert starts("wired") == set()
    assert starts("two-radios") == {"hostapd@wlan0.service", "hostapd@wlan1.service"}
    assert starts("pppoe") == {"hostapd@wlan0.service", "gatehouse-uplink.service"}
    assert starts("engineer") == {"ssh.service"}
    assert starts("captive") == {"gatehouse-signature-time.service"}


_PATHS = st.sampled_from(
    [
        render.NFTABLES, render.DNSMASQ, render.SYSCTL, render.MODULES, links.LAN, links.WAN, links.PPP_PEER, links.PPP_UNIT,
        services.CHRONY, services.SHELL, services.PORCH, services.SIGNATURE_TIME, wireless.path("wlan0"), wireless.UNIT,
    ]
)  # fmt: skip
_FILES = st.dictionaries(_PATHS, st.sampled_from(["one\n", "two\n"]))


@given(old=_FILES, new=_FILES)
def test_of_any_two_sets_only_what_changed_follows(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    steps = plan.steps(old, new)
    paths = plan.changes(old, new)
    assert bool(steps) <= bool(paths)
    assert len(set(steps)) == len(steps)
    assert {step.unit for step in steps if step.act == "stop"} == set(plan.starts(old)) - set(plan.starts(new))
    assert set(plan.starts(new)) - set(plan.starts(old)) <= {step.unit for step in steps if step.act == "start"}
    for act, path in (
        ("load-rules", render.NFTABLES),
        ("load-settings", render.SYSCTL),
        ("load-modules", render.MODULES),
    ):
        assert (act in {step.act for step in steps}) == (path in paths)
    if not {render.NFTABLES, render.DNSMASQ, links.LAN} & set(paths):
        assert "gatehouse-resolver.service" not in {step.unit for step in steps}


@given(old=_FILES, new=_FILES)
def test_the_way_back_undoes_the_way_there(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    there, back = plan.steps(old, new), plan.steps(new, old)
    for one, other in (("start", "stop"), ("stop", "start")):
        assert {s.unit for s in there if s.act == one} == {s.unit for s in back if s.act == other}
