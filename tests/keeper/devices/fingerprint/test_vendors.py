"""The packed table of owners of prefixes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import Rules
from appliance.keeper.devices.fingerprint.vendors import VendorTable, shipped

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool_tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table(tables: ModuleType) -> VendorTable:
    owners = {
        "ACDE48": "Wide Ltd\nStreet 1",
        "ACDE480": "Middle GmbH",
        "ACDE48012": "Narrow AG",
        "0050C2": "IEEE Registration Authority",
    }
    return VendorTable(tables.pack_vendors(owners, [("0050C2123", "Old Block SA")]))


@pytest.mark.req("R12")
def test_the_longest_prefix_wins(table: VendorTable) -> None:
    assert table.owner("ac:de:48:01:2f:ff") == "Narrow AG"
    assert table.owner("ac:de:48:0f:00:00") == "Middle GmbH"
    assert table.owner("ac:de:48:ff:00:00") == "Wide Ltd"
    assert table.owner("00:50:c2:12:34:56") == "Old Block SA"
    assert table.owner("00:50:c2:99:00:00") is None, "a block that is only subdivided"
    assert table.owner("00:00:00:00:00:00") is None
    assert len(table) == 4


@pytest.mark.req("R12")
def test_made_up_and_group_addresses_have_no_owner(table: VendorTable) -> None:
    assert table.owner("ae:de:48:01:2f:ff") is None
    assert table.owner("ad:de:48:01:2f:ff") is None


@given(st.text(max_size=30))
def test_any_text_gives_an_owner_or_none(text: str) -> None:
    known = shipped()
    assert known is None or isinstance(known.owner(text), str | None)


def test_a_damaged_table_is_refused(tables: ModuleType) -> None:
    whole = tables.pack_vendors({"ACDE48": "Wide Ltd"}, [])
    for bad in (b"", whole[:10], whole[:-1], whole + b"x", b"XXXX" + whole[4:]):
        with pytest.raises(ValueError, match="vendor table"):
            VendorTable(bad)


def test_an_empty_table_knows_nobody(tables: ModuleType) -> None:
    assert VendorTable(tables.pack_vendors({}, [])).owner("ac:de:48:00:00:01") is None


@pytest.mark.req("R12")
def test_the_table_built_at_set_up_knows_the_registry(rules: Rules) -> None:
    known = shipped()
    if known is None:
        pytest.skip("the tables are not built here: tools/tables.py")
    assert len(known) > 50_000
    # Owners of well-known blocks, of each width and of the IABs where they were packed; no device has these addresses.
    assert known.owner("00:17:88:00:00:00") == "Philips Lighting BV"
    stamp = ROOT / "appliance" / "keeper" / "devices" / "fingerprint" / "tables" / ".stamp"
    old_blocks = stamp.read_text().endswith("with blocks")  # Debian's ieee-data may not have been there
    assert known.owner("40:d8:55:11:c0:00") == ("DEUTA-WERKE GmbH" if old_blocks else None)
    verdict = rules.judge(rules.of_address("00:17:88:00:00:00"))
    assert (verdict.vendor, verdict.category) == ("Philips", "iot-other")
    module = rules.judge(rules.of_address("5c:cf:7f:00:00:00"))
    assert module.vendor is None
    assert any("brand is not known" in reason for reason in module.reasons)
