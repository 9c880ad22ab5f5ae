"""Matchers of published integrations."""

from __future__ import annotations

import pytest

from appliance.keeper.devices.fingerprint import Rules
from appliance.keeper.devices.fingerprint.rules import shipped_files
from appliance.keeper.devices.fingerprint.services import MAX_DOMAINS, ServiceTable, shipped
from appliance.traits import Trait

TABLE = ServiceTable.model_validate(
    {
        "version": "1",
        "services": [
            {"type": "_lamp._tcp", "domain": "hue"},
            {"type": "_box._tcp", "domain": "wled", "properties": {"Maker": "made*"}},
            {"type": "_box._tcp", "domain": "never", "name": "only*"},
            *({"type": "_many._tcp", "domain": f"d{number}"} for number in range(9)),
        ],
        "homekit": {"BSB002": "hue", "YL*": "yeelight", "LIFX A19": "lifx"},
        "upnp": {"lamp:one": "hue"},
        "hosts": [["lamp-*", "hue"]],
        "prefixes": {"ACDE48": "hue", "ACDE48012": "wled"},
    }
)


@pytest.mark.parametrize(
    ("trait", "value", "domains"),
    [
        (Trait.MDNS_SERVICE, "_lamp._tcp", ("hue",)),
        (Trait.MDNS_SERVICE, "_box._tcp", ()),
        (Trait.MDNS_TXT, "_box._tcp maker=Made-up Ltd", ("wled",)),
        (Trait.MDNS_TXT, "_box._tcp maker=Other", ()),
        (Trait.MDNS_TXT, "_hap._tcp md=BSB002", ("hue",)),
        (Trait.MDNS_TXT, "_hap._tcp md=BSB0021", ()),
        (Trait.MDNS_TXT, "_hap._tcp md=YLDP-1", ("yeelight",)),
        (Trait.MDNS_TXT, "_hap._tcp md=LIFX A19 22", ("lifx",)),
        (Trait.MDNS_TXT, "", ()),
        (Trait.SSDP_TYPE, "lamp:one", ("hue",)),
        (Trait.SSDP_TYPE, "lamp:two", ()),
        (Trait.DHCP4_HOST_NAME, "LAMP-7", ("hue",)),
        (Trait.TCP_SYN, "lamp-7", ()),
    ],
)
def test_traits_belong_to_integrations(trait: Trait, value: str, domains: tuple[str, ...]) -> None:
    assert TABLE.domains(trait, value) == domains


def test_an_answer_is_bounded() -> None:
    assert len(TABLE.domains(Trait.MDNS_SERVICE, "_many._tcp")) == MAX_DOMAINS


def test_addresses_belong_to_integrations() -> None:
    assert TABLE.of_address("ac:de:48:01:2f:ff") == ("hue", "wled")
    assert TABLE.of_address("00:00:5e:00:53:01") == ()


def test_our_own_rules_speak_before_the_table_where_they_know_the_brand() -> None:
    rules = Rules(shipped_files(), known=TABLE)
    assert [hit.rule for hit in rules.hits(Trait.MDNS_SERVICE, "_lamp._tcp")] == ["ha-hue"]
    assert "ha-hue" not in {hit.rule for hit in rules.hits(Trait.MDNS_SERVICE, "_hue._tcp")}
    assert rules.hits(Trait.MDNS_SERVICE, "_many._tcp") == (), "integrations that no line describes"


@pytest.mark.req("R12")
def test_the_table_built_at_set_up_is_described() -> None:
    known = shipped()
    if known is None:
        pytest.skip("the tables are not built here: tools/tables.py")
    domains = (
        {item.domain for item in known.services} | set(known.homekit.values()) | {domain for _, domain in known.hosts}
    )
    described = {rule.equals[0] for file in shipped_files() for rule in file.rule if rule.on == "integration"}
    assert len(domains & described) >= 120
    assert "imeon_inverter" not in set(known.upnp.values()), "everybody's root device is no integration's"
    rules = Rules(shipped_files(), known=known)
    assert rules.judge(rules.hits(Trait.MDNS_SERVICE, "_nanoleafapi._tcp")).category == "iot-other"
    assert rules.judge(rules.hits(Trait.DHCP4_HOST_NAME, "nuki_bridge_0123")).vendor == "Nuki"
