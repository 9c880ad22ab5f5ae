"""What the warden asks of nft, and what it makes of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.warden import rules
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
        self.sets: dict[str, set[str]] = {}
        self.wan_there = True
        self.broken = ""

    def __call__(self, arguments: Sequence[str], script: str) -> str:
        if self.broken:
            raise NftError(self.broken)
        if arguments[-1] == "-":
            self.scripts.append(script)
            if arguments[0] == "-j":
                self._fill(script)
                return ""
            if "device $wan" in script and not self.wan_there:
                raise NftError("no such device")
            self.loaded = script
            found = re.findall(r"^add element (\w+) gatehouse quarantined { (.*) }$", script, re.MULTILINE)
            self.sets = {family: set(elements.split(", ")) for family, elements in found}
            return ""
        asked = " ".join(arguments)
        if asked == "-s -t list ruleset":
            marker = f"\n\tchain {render.marker(self.loaded)} {{\n\t}}\n}}\n" if self.loaded else ""
            families = [family for family in names.FAMILIES if f"table {family} gatehouse {{" in self.loaded]
            return "table inet other {\n}\n" + "".join(f"table {family} gatehouse {{{marker}" for family in families)
        if asked in self.answers:
            return self.answers[asked]
        family = asked.removeprefix("-j list set ").removesuffix(" gatehouse quarantined")
        if not self.loaded or family not in names.QUARANTINE_FAMILIES:
            raise NftError("no such thing")
        return json.dumps({"nftables": [{"set": {"elem": sorted(self.sets.get(family, ()))}}]})

    def _fill(self, script: str) -> None:
        for command in json.loads(script)["nftables"]:
            match command:
                case {"flush": {"set": {"family": family}}}:
                    self.sets[family] = set()
                case {"add": {"element": {"family": family, "elem": elements}}}:
                    self.sets[family] |= set(elements)


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
    assert firewall.start() == ""
    assert kernel.scripts == [render.rules(HOUSE)]
    assert accounting.read_text() == "1\n"
    assert firewall.ensure() == ""
    assert len(kernel.scripts) == 1


def test_rules_that_are_loaded_already_are_left_alone(firewall: Firewall, kernel: Kernel) -> None:
    kernel.loaded = render.rules(HOUSE)
    assert firewall.start() == ""
    assert kernel.scripts == []


def test_rules_of_another_household_are_replaced(firewall: Firewall, kernel: Kernel) -> None:
    kernel.loaded = render.rules(HOUSE.model_copy(update={"notice_port": 81}))
    assert firewall.start() == ""
    assert kernel.loaded == render.rules(HOUSE)


@pytest.mark.req("R19")
def test_rules_that_vanished_or_changed_are_loaded_again_with_the_quarantine(
    firewall: Firewall, kernel: Kernel
) -> None:
    firewall.start()
    firewall.quarantine([MAC])
    kernel.loaded = ""
    assert "loaded again" in firewall.ensure()
    assert f"add element inet gatehouse quarantined {{ {MAC} }}" in kernel.loaded
    assert f"add element bridge gatehouse quarantined {{ {MAC} }}" in kernel.loaded
    kernel.loaded = render.rules(HOUSE.model_copy(update={"notice_port": 81}))
    assert "loaded again" in firewall.ensure()
    assert firewall.ensure() == ""


@pytest.mark.req("R57")
def test_without_the_providers_port_the_rest_is_loaded_and_the_tap_follows(firewall: Firewall, kernel: Kernel) -> None:
    kernel.wan_there = False
    assert "without the tap at the provider's side" in firewall.start()
    assert kernel.loaded == render.rules(HOUSE, wan_tap=False)
    assert "without the tap" in firewall.ensure(wan_there=False)
    assert "without the tap" in firewall.ensure(wan_there=True)
    assert kernel.loaded == render.rules(HOUSE, wan_tap=False)
    kernel.wan_there = True
    assert firewall.ensure(wan_there=True) == ""
    assert kernel.loaded == render.rules(HOUSE)


@pytest.mark.req("R57")
def test_a_load_that_fails_says_why_and_is_tried_again(firewall: Firewall, kernel: Kernel) -> None:
    kernel.broken = "Operation not permitted"
    with pytest.raises(NftError, match="not permitted"):
        firewall.start()
    with pytest.raises(NftError, match="not permitted"):
        firewall.ensure()
    kernel.broken = ""
    assert firewall.ensure() == ""
    assert kernel.loaded == render.rules(HOUSE)


def test_uncounted_connections_are_said(kernel: Kernel, tmp_path: Path) -> None:
    firewall = Firewall(HOUSE, nft=kernel, accounting=tmp_path / "missing")
    assert "sees no flows" in firewall.start()
    assert "sees no flows" in firewall.ensure()


def test_a_quarantine_is_one_transaction_in_both_tables(firewall: Firewall, kernel: Kernel) -> None:
    firewall.quarantine([MAC, OTHER, MAC])
    (script,) = kernel.scripts
    commands = json.loads(script)["nftables"]
    assert [next(iter(command)) for command in commands] == ["flush", "add", "flush", "add"]
    assert [command["add"]["element"]["elem"] for command in commands[1::2]] == [[MAC, OTHER]] * 2
    assert {command["add"]["element"]["family"] for command in commands[1::2]} == {"inet", "bridge"}
    firewall.quarantine([])
    assert [next(iter(command)) for command in json.loads(kernel.scripts[1])["nftables"]] == ["flush", "flush"]


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
        firewall.quarantine(macs)
    assert kernel.scripts == []
    assert firewall.quarantined == ()


@pytest.mark.parametrize("wanted", [[MAC], []])
def test_a_quarantine_that_nft_refused_is_tried_again(firewall: Firewall, kernel: Kernel, wanted: list[str]) -> None:
    firewall.start()
    firewall.quarantine([OTHER])
    kernel.broken = "Device or resource busy"
    with pytest.raises(NftError, match="busy"):
        firewall.quarantine(wanted)
    kernel.broken = ""
    assert "has been set again" in firewall.ensure()
    assert kernel.sets == {"inet": set(wanted), "bridge": set(wanted)}
    assert firewall.ensure() == ""


@pytest.mark.req("R19")
@pytest.mark.parametrize("family", names.QUARANTINE_FAMILIES)
def test_a_quarantine_that_somebody_emptied_is_set_again(firewall: Firewall, kernel: Kernel, family: str) -> None:
    firewall.start()
    firewall.quarantine([MAC])
    kernel.sets[family] = set()
    assert "has been set again" in firewall.ensure()
    assert kernel.sets[family] == {MAC}
    assert firewall.ensure() == ""


def test_a_quarantine_in_the_kernel_outlives_a_changed_rule_set(firewall: Firewall, kernel: Kernel) -> None:
    kernel.answers["-j list set inet gatehouse quarantined"] = json.dumps(
        {"nftables": [{"metainfo": {}}, {"set": {"name": "quarantined", "elem": [MAC, 7, "not an address"]}}]}
    )
    firewall.start()
    assert f"add element bridge gatehouse quarantined {{ {MAC} }}" in kernel.loaded


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
