"""The router's files: the same text every time, accepted by the programs that read them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, Template

from firmware import links, machine, names, render, services
from firmware.household import Household, as_toml, load
from firmware.templating import environment
from firmware.wireless import Secrets

GOLDEN = Path(__file__).parent / "golden"
FIRST = "wired"
Reviewed = Callable[[str, Mapping[str, str], Mapping[str, str]], None]
Runner = Callable[[str], "subprocess.CompletedProcess[str]"]

FILES = {
    render.NFTABLES: "nftables.conf",
    render.DNSMASQ: "dnsmasq.conf",
    render.SYSCTL: "sysctl.conf",
    render.MODULES: "modules.conf",
}

BRIDGE = "ip link add br0 type bridge\nip link set br0 up\n"
PORTS = BRIDGE + "ip link add wan0 type veth peer name wan0p\nip link set wan0 up\n"


def changed(original: Household, **sections: Any) -> Household:
    raw = original.model_dump(mode="json")
    for name, value in sections.items():
        raw[name] = raw[name] | value if isinstance(value, dict) else value
    return Household.model_validate(raw)


@pytest.mark.parametrize("path", FILES)
def test_rendering_is_the_reviewed_one(made_up: Household, path: str) -> None:
    text = render.render(made_up)[path]
    golden = GOLDEN / FILES[path]
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
        pytest.fail(f"{golden.name} written anew: review the change and run again without UPDATE_GOLDEN")
    assert text == golden.read_text(), "differs from the reviewed rendering; UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.req("R5")
def test_renderings_of_each_home_are_the_reviewed_ones(
    home_name: str, rendered: dict[str, str], homes: dict[str, Household], check_reviewed: Reviewed
) -> None:
    first = {} if home_name == FIRST else render.render(homes[FIRST], wan_tap=False)
    check_reviewed(f"homes/{home_name}", rendered, first)


def test_each_template_is_used_and_needs_nothing_that_is_not_given(
    homes: dict[str, Household], secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undefined name raises as it is filled in; so it is enough that each is filled in for some home."""
    used: set[str] = set()
    get = Environment.get_template

    def seen(self: Environment, name: str, *rest: Any, **extra: Any) -> Template:
        used.add(name)
        return get(self, name, *rest, **extra)

    monkeypatch.setattr(Environment, "get_template", seen)
    for home in homes.values():
        render.render(home, secrets=secrets)
        render.filter_config(home, port=5311, refuse_all=False, rules=())
    for board in machine.BOARDS:
        machine.render(board)
        machine.boot(board, root="PARTUUID=5ca1ab1e-05")
    assert used == set(environment().list_templates())


@pytest.mark.req("R55")
def test_a_file_that_may_hold_a_secret_is_roots_alone(homes: dict[str, Household], secrets: Secrets) -> None:
    files = render.render(homes["wpa3"], secrets=secrets)
    holding = {path for path, text in files.items() if (secrets.passphrase or "") in text}
    assert holding == {"/etc/hostapd/wlan0.conf"}
    assert {path for path in files if render.mode(path) == 0o600} == holding


def test_wpa3_without_a_passphrase_is_refused_in_one_sentence(homes: dict[str, Household]) -> None:
    with pytest.raises(render.RenderError, match="needs the home's passphrase"):
        render.render(homes["wpa3"])


def test_a_household_survives_being_written_and_read(home: Household, tmp_path: Path) -> None:
    path = tmp_path / "household.toml"
    path.write_text(as_toml(home))
    assert load(path) == home


def test_engineers_reach_the_shell_from_the_households_side_and_nobody_else_does(homes: dict[str, Household]) -> None:
    opened = render.rules(homes["engineer"])
    assert opened.count("tcp dport 22") == 1
    inside = opened[opened.index("chain input_lan {") : opened.index("chain input_wan {")]
    assert "ip daddr 192.0.2.1 tcp dport 22 ct state new limit rate 10/minute burst 10 packets accept\n" in inside
    assert "dport 22" not in render.rules(homes["wired"])


def test_the_providers_side_is_let_in_by_a_short_list(homes: dict[str, Household]) -> None:
    for home in homes.values():
        text = render.rules(home)
        block = text[text.index("chain input_wan {") :]
        let_in = [line.strip() for line in block[: block.index("\n\t}")].splitlines() if "accept" in line]
        assert len(let_in) == 6
        for line in let_in:
            assert "echo-request" not in line
            assert "tcp" not in line
        assert "hook input priority filter; policy drop" in text


def test_radios_are_kept_apart_where_isolation_is_asked_for(homes: dict[str, Household]) -> None:
    text = render.rules(homes["two-radios"])
    assert 'iifname { "wlan0", "wlan1" } oifname { "wlan0", "wlan1" } counter drop\n' in text
    assert "radios_apart" not in render.rules(homes["wifi"])


def test_the_tap_of_a_pppoe_line_is_at_the_socket(homes: dict[str, Household]) -> None:
    text = render.rules(homes["pppoe"])
    assert 'define line = "eth0"\n' in text
    assert "ingress device $line priority" in text
    assert "oifname $wan meta nfproto ipv4 masquerade" in text


def test_signatures_of_names_are_checked_as_far_as_is_asked(homes: dict[str, Household]) -> None:
    def said(name: str) -> set[str]:
        return directives(render.render(homes[name])[render.DNSMASQ])

    assert "dnssec" not in said("wired")
    assert {"dnssec", "conf-file", "dnssec-no-timecheck"} <= said("captive")
    assert "dnssec-check-unsigned" not in said("captive")
    assert {"dnssec", "dnssec-check-unsigned"} <= said("delegated")


@pytest.mark.parametrize(
    ("sections", "paths"),
    [
        (
            {"lan": {"bridge": "brx9"}},
            {render.NFTABLES, render.DNSMASQ, render.SYSCTL, links.LAN_DEVICE, links.LAN, links.LAN_PORTS},
        ),
        ({"wan": {"interface": "wanx9"}}, {render.NFTABLES, render.SYSCTL, links.WAN}),
        ({"lan": {"address": "192.0.2.77"}}, {render.DNSMASQ, links.LAN, services.PORCH}),
        ({"lan": {"network": "192.0.0.0/16"}}, {render.DNSMASQ, links.LAN}),
        ({"lan": {"network6": "2001:db8:99::/64"}}, {render.DNSMASQ, links.LAN}),
        ({"lan": {"lease_seconds": 777}}, {render.DNSMASQ}),
        ({"lan": {"domain": "example.test"}}, {render.DNSMASQ}),
        ({"resolver": {"upstream": ["203.0.113.99"]}}, {render.DNSMASQ}),
        ({"notice_port": 8080}, {render.NFTABLES, services.PORCH}),
        ({"time": {"servers": ["time.example.org"]}}, {services.CHRONY}),
    ],
)
def test_every_value_of_a_household_shows_up_where_it_matters(
    made_up: Household, sections: dict[str, Any], paths: set[str]
) -> None:
    before = render.render(made_up)
    after = render.render(changed(made_up, **sections))
    assert {path for path in before if before[path] != after[path]} == paths


def test_sysctl_names_an_interface_whose_name_has_a_dot(made_up: Household) -> None:
    text = render.render(changed(made_up, wan={"interface": "eth0.7"}))[render.SYSCTL]
    assert "net/ipv6/conf/eth0.7/accept_ra = 2" in text


def test_accounting_is_switched_on(made_up: Household) -> None:
    assert "net.netfilter.nf_conntrack_acct = 1" in render.render(made_up)[render.SYSCTL].splitlines()


@pytest.mark.parametrize(
    ("address", "network", "pool", "kept"),
    [
        ("192.0.2.1", "192.0.2.0/24", ("192.0.2.11", "192.0.2.193"), ("192.0.2.194", "192.0.2.254")),
        ("192.0.2.254", "192.0.2.0/24", ("192.0.2.10", "192.0.2.192"), ("192.0.2.193", "192.0.2.253")),
        ("192.0.2.1", "192.0.2.0/28", ("192.0.2.2", "192.0.2.11"), ("192.0.2.12", "192.0.2.14")),
        ("192.0.2.129", "192.0.2.0/24", ("192.0.2.10", "192.0.2.99"), ("192.0.2.100", "192.0.2.128")),
    ],
)
def test_leases_never_hold_the_address_of_the_box(
    made_up: Household, address: str, network: str, pool: tuple[str, str], kept: tuple[str, str]
) -> None:
    text = render.render(changed(made_up, lan={"address": address, "network": network}))[render.DNSMASQ]
    assert f"dhcp-range={pool[0]},{pool[1]}," in text
    assert f"dhcp-range=tag:{names.KNOWN_TAG},{kept[0]},{kept[1]}," in text, "for devices on the register"


@pytest.mark.parametrize(("address", "network"), [("192.0.2.1", "192.0.2.0/30"), ("192.0.2.5", "192.0.2.4/30")])
def test_a_network_without_room_is_refused(made_up: Household, address: str, network: str) -> None:
    with pytest.raises(render.RenderError, match="no room"):
        render.render(changed(made_up, lan={"address": address, "network": network}))


@pytest.mark.parametrize("address", ["203.0.113.53\nlog-queries", "fe80::1%wan0\nlog-queries", "fe80::1%wan0"])
def test_a_resolver_cannot_add_a_line(made_up: Household, address: str) -> None:
    with pytest.raises(ValueError, match="upstream"):
        changed(made_up, resolver={"upstream": [address]})


def directives(text: str) -> set[str]:
    return {line.split("=")[0] for line in text.splitlines() if line and not line.startswith("#")}


@pytest.mark.req("R55")
def test_names_are_not_logged_and_leases_are_not_kept(made_up: Household) -> None:
    text = render.render(made_up)[render.DNSMASQ]
    said = directives(text)
    assert {"quiet-dhcp", "quiet-dhcp6", "quiet-ra"} <= said
    assert not said & {"log-queries", "log-dhcp", "dhcp-script", "dhcp-luascript", "user", "group"}
    assert "dhcp-leasefile=/run/" in text


def test_rebinding_is_refused_without_refusing_example_networks(made_up: Household) -> None:
    text = render.render(made_up)[render.DNSMASQ]
    assert "stop-dns-rebind" not in directives(text)
    for network in ("192.0.2.0/24", "2001:db8:1::/64", "10.0.0.0/8", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8"):
        assert f"bogus-nxdomain={network}\n" in text
    for network in ("198.51.100.0/24", "203.0.113.0/24"):
        assert network not in text


def test_dnsmasq_accepts_its_file(made_up: Household, tmp_path: Path) -> None:
    if shutil.which("dnsmasq") is None:
        pytest.skip("dnsmasq is not installed")
    path = tmp_path / "dnsmasq.conf"
    path.write_text(render.render(made_up)[render.DNSMASQ])
    done = subprocess.run(
        ["dnsmasq", "--test", f"--conf-file={path}"], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_the_kernel_accepts_the_rules_and_loading_again_changes_nothing(
    made_up: Household, in_namespace: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "nftables.conf"
    path.write_text(render.render(made_up)[render.NFTABLES])
    done = in_namespace(
        PORTS + f"nft -c -f {path}\nnft add table inet other\n"
        f"nft -f {path}\nnft -s list ruleset > {tmp_path}/once\n"
        f"nft -f {path}\nnft -s list ruleset > {tmp_path}/twice\n"
    )
    assert done.returncode == 0, done.stderr
    once, twice = (tmp_path / "once").read_text(), (tmp_path / "twice").read_text()
    assert once == twice
    assert "table inet other" in twice
    for family in names.FAMILIES:
        assert f"table {family} {names.TABLE} {{" in twice


def test_the_kernel_accepts_the_rules_of_each_home_with_the_tap(
    home: Household, in_namespace: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "nftables.conf"
    path.write_text(render.rules(home))
    port = home.wan.port or home.wan.interface
    done = in_namespace(
        f"ip link add {home.lan.bridge} type bridge\nip link add {port} type veth peer name far\nnft -f {path}\n"
        "nft list chain netdev gatehouse tap_wan\n"
    )
    assert done.returncode == 0, done.stderr
    assert port in done.stdout


APART = """
for name in one two three; do
    unshare -n sleep 60 >/dev/null 2>&1 &
    eval $name=$!
done
trap 'kill $one $two $three' EXIT
here=$(readlink /proc/$$/ns/net) number=10
for pid in $one $two $three; do
    while [ "$(readlink /proc/$pid/ns/net)" = "$here" ]; do :; done
done
ip link add br-lan type bridge forward_delay 0
ip link set br-lan up
for pair in wlan0:$one wlan1:$two eth1:$three; do
    port=${pair%%:*} pid=${pair##*:} number=$((number + 1))
    ip link add $port type veth peer name inner netns $pid
    ip link set $port master br-lan up
    nsenter -t $pid -n ip address add 192.0.2.$number/24 dev inner
    nsenter -t $pid -n ip link set inner up
done
asks() { nsenter -t $one -n busybox ping -c 2 -W 2 $1 >/dev/null && echo "$1 answers" || echo "$1 is silent"; }
asks 192.0.2.12; asks 192.0.2.13
nft -f RULES
asks 192.0.2.12; asks 192.0.2.13
"""


@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")
def test_devices_of_two_radios_do_not_reach_each_other_and_those_on_cables_do(
    homes: dict[str, Household], in_namespace: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "nftables.conf"
    path.write_text(render.rules(homes["two-radios"], wan_tap=False))
    done = in_namespace(APART.replace("RULES", str(path)))
    assert done.stdout.splitlines() == [
        "192.0.2.12 answers",
        "192.0.2.13 answers",
        "192.0.2.12 is silent",
        "192.0.2.13 answers",
    ], done.stderr


def test_rules_without_the_wan_tap_load_where_the_port_is_missing(
    made_up: Household, in_namespace: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "nftables.conf"
    path.write_text(render.rules(made_up, wan_tap=False))
    done = in_namespace(BRIDGE + f"nft -f {path}\nnft list tables\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["table inet gatehouse", "table bridge gatehouse"]
    assert "netdev" not in done.stdout


def test_the_marker_tells_rule_sets_apart(made_up: Household) -> None:
    text = render.rules(made_up)
    marker = render.marker(text)
    assert re.fullmatch(r"rules_[0-9a-f]{12}", marker)
    assert text.count(f"chain {marker} {{") == len(names.FAMILIES)
    assert marker == render.marker(render.rules(made_up))
    assert marker != render.marker(render.rules(made_up, wan_tap=False))
    assert marker != render.marker(render.rules(changed(made_up, notice_port=81)))


def test_taps_are_as_the_names_say(made_up: Household) -> None:
    text = render.rules(made_up)
    assert (
        "iifname $lan meta l4proto { tcp, udp } ct original packets 1-12 log group 5 snaplen 8192 queue-threshold 32\n"
        in text
    )
    for tap in names.TAPS:
        assert f"log group {tap.group} snaplen {tap.snaplen} queue-threshold {tap.queue_threshold}" in text
    for kind in (*names.CHATTER_KINDS, *names.WAN_KINDS):
        assert f"counter name {kind.overflow}\n" in text


def test_plain_dns_is_redirected_for_both_families(made_up: Household) -> None:
    text = render.rules(made_up)
    rule = "iifname $lan meta l4proto { tcp, udp } th dport 53 fib daddr type != local redirect to :53\n"
    table = text[text.index("table inet gatehouse {") : text.index("table bridge gatehouse {")]
    assert rule in table
    assert "nfproto ipv4 redirect" not in table


def test_only_ipv4_is_masqueraded(made_up: Household) -> None:
    assert "oifname $wan meta nfproto ipv4 masquerade\n" in render.rules(made_up)


@pytest.mark.req("R57")
def test_filtered_devices_cannot_use_up_the_households_resolver(made_up: Household) -> None:
    """Each question that waits for an answer takes a place in the household's resolver too."""

    def places(text: str) -> int:
        return int(re.findall(r"^dns-forward-max=(\d+)$", text, re.MULTILINE)[0])

    filters = sum(
        places(render.filter_config(made_up, port=each.port, refuse_all=False, rules=())) for each in names.FILTERS
    )
    assert filters < places(render.render(made_up)[render.DNSMASQ])


@pytest.mark.req("R59")
def test_an_operator_with_a_certificate_offers_the_notice_on_demand(made_up: Household, tmp_path: Path) -> None:
    offered = changed(made_up, captive_api="https://notice.example.org/captive.json")
    text = render.render(offered)[render.DNSMASQ]
    assert "dhcp-option=114,https://notice.example.org/captive.json\n" in text
    assert "dhcp-option=option6:103,https://notice.example.org/captive.json\n" in text
    assert f"host-record=notice.example.org,{made_up.lan.address}\n" in text
    plain = render.render(made_up)[render.DNSMASQ]
    assert "114" not in plain
    assert "captive" not in plain
    if shutil.which("dnsmasq") is not None:
        (path := tmp_path / "dnsmasq.conf").write_text(text)
        subprocess.run(["dnsmasq", "--test", f"--conf-file={path}"], check=True, timeout=30)


@pytest.mark.parametrize(
    "address",
    [
        "http://notice.example.org/captive.json",
        "https://192.0.2.1/captive.json",
        "https://notice.example.org",
        "https://notice.example.org/a\ndhcp-option=3,192.0.2.9",
        "https://notice.example.org/a,b",
    ],
)
def test_an_address_that_no_phone_would_take_is_refused(made_up: Household, address: str) -> None:
    with pytest.raises(ValueError, match="captive_api"):
        changed(made_up, captive_api=address)
