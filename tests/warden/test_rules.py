"""What the warden asks of nft, and what it makes of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.messages import Enforcement, Filter
from appliance.warden import rules
from appliance.warden.holding import PLACES
from appliance.warden.rules import Firewall, NftError
from firmware import household, names, render

MAC, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
HOUSE = household.load(Path(__file__).parents[1] / "firmware" / "golden" / "household.toml")


class Kernel:
    """Tables as far as this needs them: what was loaded, what is listed, what is refused."""

    def __init__(self) -> None:
        self.loaded = ""
        self.scripts: list[str] = []
        self.answers: dict[str, str] = {}
        self.sets: dict[tuple[str, str], dict[str, int | None]] = {}
        self.wan_there = True
        self.broken = ""

    def __call__(self, arguments: Sequence[str], script: str) -> str:
        if self.broken:
            raise NftError(self.broken)
        if arguments[-1] == "-":
            self.scripts.append(script)
            if script.startswith("flush set"):
                self._fill(script)
                return ""
            if "device $wan" in script and not self.wan_there:
                raise NftError("no such device")
            self.loaded = script
            self.sets = {}
            self._fill(script)
            return ""
        asked = " ".join(arguments)
        if asked == "-s -t list ruleset":
            marker = f"\n\tchain {render.marker(self.loaded)} {{\n\t}}\n}}\n" if self.loaded else ""
            families = [family for family in names.FAMILIES if f"table {family} gatehouse {{" in self.loaded]
            return "table inet other {\n}\n" + "".join(f"table {family} gatehouse {{{marker}" for family in families)
        if asked in self.answers:
            return self.answers[asked]
        family, _, name = asked.removeprefix("-j list set ").replace(" gatehouse ", " ").partition(" ")
        if not self.loaded or (family, name) not in PLACES:
            raise NftError("no such thing")
        elements = [
            _listed(mac) if left is None else {"elem": {"val": mac, "timeout": left, "expires": left}}
            for mac, left in sorted(self.sets.get((family, name), {}).items())
        ]
        return json.dumps({"nftables": [{"set": {"elem": elements}}]})

    def _fill(self, script: str) -> None:
        """As the kernel takes lines that empty and fill sets."""
        for family, name in re.findall(r"^flush set (\w+) gatehouse (\w+)$", script, re.MULTILINE):
            self.sets[family, name] = {}
        for family, name, elements in re.findall(r"^add element (\w+) gatehouse (\w+) { (.*) }$", script, re.MULTILINE):
            for element in elements.split(", "):
                value, _, left = element.partition(" timeout ")
                self.sets.setdefault((family, name), {})[value] = int(left[:-1]) if left else None

    def held(self, family: str = "inet", name: str = names.QUARANTINED) -> dict[str, int | None]:
        return self.sets.get((family, name), {})


def _listed(element: str) -> Any:
    address, slash, length = element.partition("/")
    return {"prefix": {"addr": address, "len": int(length)}} if slash else element


def order(*macs: str, closed: Sequence[str] = (), filters: Sequence[Filter] = (), lease: float = 45.0) -> Enforcement:
    return Enforcement(generation=1, quarantined=macs, closed=tuple(closed), filters=tuple(filters), lease=lease)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def accounting(tmp_path: Path) -> Path:
    path = tmp_path / "nf_conntrack_acct"
    path.write_text("0\n")
    return path


@pytest.fixture
def firewall(kernel: Kernel, accounting: Path) -> Firewall:
    return Firewall(HOUSE, nft=kernel, accounting=accounting)


def test_a_start_loads_the_whole_set_once_and_counts_connections(
    firewall: Firewall, kernel: Kernel, accounting: Path
) -> None:
    assert firewall.start(0.0) == ""
    assert kernel.scripts == [render.rules(HOUSE)]
    assert accounting.read_text() == "1\n"
    assert firewall.ensure(1.0) == ""
    assert len(kernel.scripts) == 1


def test_rules_that_are_loaded_already_are_left_alone(firewall: Firewall, kernel: Kernel) -> None:
    kernel.loaded = render.rules(HOUSE)
    assert firewall.start(0.0) == ""
    assert kernel.scripts == []


def test_rules_of_another_household_are_replaced(firewall: Firewall, kernel: Kernel) -> None:
    kernel.loaded = render.rules(HOUSE.model_copy(update={"notice_port": 81}))
    assert firewall.start(0.0) == ""
    assert kernel.loaded == render.rules(HOUSE)


@pytest.mark.req("R19")
def test_rules_that_vanished_or_changed_are_loaded_again_with_the_quarantine(
    firewall: Firewall, kernel: Kernel
) -> None:
    firewall.start(0.0)
    firewall.hold(order(MAC), 0.0)
    kernel.loaded = ""
    assert "loaded again" in firewall.ensure(1.0)
    assert f"add element inet gatehouse quarantined {{ {MAC} timeout 44s }}" in kernel.loaded
    assert f"add element bridge gatehouse quarantined {{ {MAC} timeout 44s }}" in kernel.loaded
    kernel.loaded = render.rules(HOUSE.model_copy(update={"notice_port": 81}))
    assert "loaded again" in firewall.ensure(1.0)
    assert firewall.ensure(1.0) == ""


@pytest.mark.req("R57")
def test_without_the_providers_port_the_rest_is_loaded_and_the_tap_follows(firewall: Firewall, kernel: Kernel) -> None:
    kernel.wan_there = False
    assert "without the tap at the provider's side" in firewall.start(0.0)
    assert kernel.loaded == render.rules(HOUSE, wan_tap=False)
    assert "without the tap" in firewall.ensure(1.0, wan_there=False)
    assert "without the tap" in firewall.ensure(1.0, wan_there=True)
    assert kernel.loaded == render.rules(HOUSE, wan_tap=False)
    kernel.wan_there = True
    assert firewall.ensure(1.0, wan_there=True) == ""
    assert kernel.loaded == render.rules(HOUSE)


@pytest.mark.req("R57")
def test_a_load_that_fails_says_why_and_is_tried_again(firewall: Firewall, kernel: Kernel) -> None:
    kernel.broken = "Operation not permitted"
    with pytest.raises(NftError, match="not permitted"):
        firewall.start(0.0)
    with pytest.raises(NftError, match="not permitted"):
        firewall.ensure(1.0)
    kernel.broken = ""
    assert firewall.ensure(1.0) == ""
    assert kernel.loaded == render.rules(HOUSE)


def test_uncounted_connections_are_said(kernel: Kernel, tmp_path: Path) -> None:
    firewall = Firewall(HOUSE, nft=kernel, accounting=tmp_path / "missing")
    assert "sees no flows" in firewall.start(0.0)
    assert "sees no flows" in firewall.ensure(1.0)


@pytest.mark.req("R57")
def test_an_order_is_one_transaction_in_both_tables_and_ends_by_itself(firewall: Firewall, kernel: Kernel) -> None:
    firewall.hold(order(MAC, OTHER, MAC, closed=[OTHER]), 0.0)
    assert len(kernel.scripts) == 1
    for family in names.QUARANTINE_FAMILIES:
        assert kernel.held(family) == {MAC: 45, OTHER: None}, "what is fail-closed has no end"
    firewall.hold(order(), 0.0)
    assert not any(kernel.sets.values())


@pytest.mark.req("R22", "R57")
def test_a_filter_has_its_devices_and_its_addresses(firewall: Firewall, kernel: Kernel) -> None:
    firewall.start(0.0)
    refused = ("192.0.2.0/25", "192.0.2.128/25", "2001:db8::1")
    firewall.hold(order(filters=[Filter(number=2, macs=(MAC,), refused=refused)]), 0.0)
    assert kernel.held(name="filtered_2") == {MAC: 45}
    assert kernel.held(name="refused4_2") == {"192.0.2.0/24": None}, "joined: the kernel takes no overlaps"
    assert kernel.held(name="refused6_2") == {"2001:db8::1/128": None}
    assert not kernel.held(name="filtered_1")
    assert firewall.ensure(1.0) == ""
    kernel.sets["inet", "refused4_2"] = {}
    assert "has been set again" in firewall.ensure(2.0)
    assert kernel.held(name="filtered_2") == {MAC: 43}, "the lease is not made longer by that"


@pytest.mark.req("R57")
def test_what_the_kernel_let_go_is_not_set_again(firewall: Firewall, kernel: Kernel) -> None:
    firewall.start(0.0)
    firewall.hold(order(MAC, OTHER, closed=[OTHER]), 0.0)
    for family in names.QUARANTINE_FAMILIES:
        kernel.sets[family, names.QUARANTINED] = {OTHER: None}
    assert "has been set again" in firewall.ensure(10.0), "too early: somebody took it out"
    for family in names.QUARANTINE_FAMILIES:
        kernel.sets[family, names.QUARANTINED] = {OTHER: None}
    assert firewall.ensure(46.0) == ""
    assert kernel.held() == {OTHER: None}
    kernel.loaded = ""
    assert "loaded again" in firewall.ensure(47.0)
    assert kernel.held() == {OTHER: None}, "also where the rules are loaded anew"


@pytest.mark.parametrize(
    "macs",
    [
        [MAC, "02:00:5e:00:53:0A"],
        ["02:00:5e:00:53:0a }; flush ruleset; {"],
        [""],
        [f"02:00:5e:00:{number >> 8:02x}:{number & 255:02x}" for number in range(names.QUARANTINE_SIZE + 1)],
    ],
)
def test_a_quarantine_that_cannot_be_is_refused_whole(firewall: Firewall, kernel: Kernel, macs: list[str]) -> None:
    with pytest.raises(ValueError, match=r"quarantine|hardware address"):
        firewall.hold(order(*macs), 0.0)
    assert kernel.scripts == []
    assert firewall.holding.sets == {}


@pytest.mark.parametrize("wanted", [[MAC], []])
def test_a_quarantine_that_nft_refused_is_tried_again(firewall: Firewall, kernel: Kernel, wanted: list[str]) -> None:
    firewall.start(0.0)
    firewall.hold(order(OTHER), 0.0)
    kernel.broken = "Device or resource busy"
    with pytest.raises(NftError, match="busy"):
        firewall.hold(order(*wanted), 1.0)
    kernel.broken = ""
    assert "has been set again" in firewall.ensure(1.0)
    assert [set(kernel.held(family)) for family in names.QUARANTINE_FAMILIES] == [set(wanted)] * 2
    assert firewall.ensure(1.0) == ""


@pytest.mark.req("R19")
@pytest.mark.parametrize("family", names.QUARANTINE_FAMILIES)
def test_a_quarantine_that_somebody_emptied_is_set_again(firewall: Firewall, kernel: Kernel, family: str) -> None:
    firewall.start(0.0)
    firewall.hold(order(MAC), 0.0)
    kernel.sets[family, names.QUARANTINED] = {}
    assert "has been set again" in firewall.ensure(1.0)
    assert set(kernel.held(family)) == {MAC}
    assert firewall.ensure(1.0) == ""


def test_a_quarantine_in_the_kernel_outlives_a_changed_rule_set(firewall: Firewall, kernel: Kernel) -> None:
    kernel.answers["-j list set inet gatehouse quarantined"] = json.dumps(
        {"nftables": [{"metainfo": {}}, {"set": {"name": "quarantined", "elem": [MAC, 7, "not an address"]}}]}
    )
    kernel.answers["-j list set bridge gatehouse quarantined"] = json.dumps(
        {"nftables": [{"set": {"elem": [{"elem": {"val": OTHER, "timeout": 45, "expires": 20}}]}}]}
    )
    kernel.loaded = render.rules(HOUSE.model_copy(update={"notice_port": 81}))
    firewall.start(0.0)
    assert f"add element inet gatehouse quarantined {{ {MAC} }}" in kernel.loaded
    assert f"add element bridge gatehouse quarantined {{ {OTHER} timeout 20s }}" in kernel.loaded


@pytest.mark.req("R57")
@pytest.mark.parametrize("loaded", [True, False])
def test_empty_sets_take_what_was_kept_over_a_restart(firewall: Firewall, kernel: Kernel, loaded: bool) -> None:
    kernel.loaded = render.rules(HOUSE) if loaded else ""
    assert firewall.start(0.0, order(MAC, closed=[MAC])) == ""
    assert [kernel.held(family) for family in names.QUARANTINE_FAMILIES] == [{MAC: None}] * 2
    assert firewall.ensure(1.0) == ""


def test_what_the_kernel_holds_is_newer_than_what_was_kept(firewall: Firewall, kernel: Kernel) -> None:
    kernel.loaded = render.rules(HOUSE)
    kernel.sets["inet", names.QUARANTINED] = {OTHER: 20}
    firewall.start(0.0, order(MAC, closed=[MAC]))
    assert kernel.held() == {OTHER: 20}


def test_counters_are_read(firewall: Firewall, kernel: Kernel) -> None:
    kernel.answers["-j list set inet gatehouse volume_up"] = json.dumps(
        {"nftables": [{"set": {"elem": [{"elem": {"val": MAC, "counter": {"packets": 2, "bytes": 999}}}, "odd"]}}]}
    )
    kernel.answers["-j list counters"] = json.dumps(
        {
            "nftables": [
                {"counter": {"table": "gatehouse", "name": "over_arp", "packets": 3, "bytes": 1}},
                {"counter": {"table": "gatehouse", "name": "over_nd", "packets": 0, "bytes": 0}},
                {"counter": {"table": "other", "name": "theirs", "packets": 3, "bytes": 1}},
            ]
        }
    )
    assert firewall.volumes() == {MAC: 999}
    assert firewall.overflows() == {"over_arp": 3}


def test_how_many_were_at_the_limit_is_counted(firewall: Firewall, kernel: Kernel) -> None:
    listed = "-j list set inet gatehouse at_limit"
    kernel.answers[listed] = json.dumps({"nftables": [{"set": {"name": "at_limit"}}]})
    assert firewall.at_limit() == 0
    elements = [{"elem": {"val": mac, "timeout": 300, "expires": 299}} for mac in (MAC, OTHER)]
    kernel.answers[listed] = json.dumps({"nftables": [{"set": {"name": "at_limit", "elem": elements}}]})
    assert firewall.at_limit() == 2


def test_an_answer_that_is_cut_off_is_a_plain_error(firewall: Firewall, kernel: Kernel) -> None:
    kernel.answers["-j list set inet gatehouse volume_up"] = '{"nftables": [{"set"'
    with pytest.raises(NftError, match="no JSON"):
        firewall.volumes()
    kernel.answers["-j list counters"] = "[]"
    assert firewall.overflows() == {}


def test_no_devices_yet_is_no_volume(firewall: Firewall, kernel: Kernel) -> None:
    kernel.answers["-j list set inet gatehouse volume_up"] = json.dumps({"nftables": [{"set": {"name": "volume_up"}}]})
    assert firewall.volumes() == {}


def test_a_missing_nft_is_a_plain_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NftError, match="not installed"):
        rules.run_nft(["list", "tables"], "")


def test_nfts_refusal_is_its_first_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nft").write_text("#!/bin/sh\necho 'Error: no' >&2\necho more >&2\nexit 1\n")
    (tmp_path / "nft").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(NftError) as caught:
        rules.run_nft(["list", "tables"], "")
    assert str(caught.value) == "Error: no"
