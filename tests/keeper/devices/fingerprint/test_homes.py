"""Devices of ordinary homes, as makers' documents describe them: named where they are obvious, never surely wrong.

They prove that the rules agree with those documents, and not how often real devices are named rightly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from appliance.keeper.devices.fingerprint import Hit, Rules, Verdict, services
from appliance.keeper.devices.fingerprint.rules import shipped_files
from appliance.keeper.devices.fingerprint.vendors import HEADER, MAGIC, VendorTable
from appliance.traits import Trait

DEVICES = tomllib.loads((Path(__file__).parent / "homes.toml").read_text())["device"]
ORDERS = 12
SURE = 0.8


class Owners(VendorTable):
    """Each owner that a device names has one documentation address (RFC 7042), in their order."""

    def __init__(self) -> None:
        super().__init__(HEADER.pack(MAGIC, 0, 0, 0, 0))
        self.names = sorted({device["owner"] for device in DEVICES if "owner" in device})

    def address(self, owner: str | None) -> str:
        return "02:00:5e:00:53:01" if owner is None else f"00:00:5e:00:53:{self.names.index(owner):02x}"

    def owner(self, mac: str) -> str | None:
        return None if mac.startswith("02") else self.names[int(mac[-2:], 16)]


OWNERS = Owners()


@pytest.fixture(scope="module")
def owned() -> Rules:
    return Rules(shipped_files(), owners=OWNERS, known=services.shipped())


def on_the_way(rules: Rules, device: dict[str, Any], dice: Random | None) -> Iterator[Verdict]:
    """A verdict for the address alone and after each trait, in the order that is written or in another."""
    shown = [text.partition(" ")[::2] for text in device["shows"]]
    if dice is not None:
        dice.shuffle(shown)
    hits: set[Hit] = set(rules.of_address(OWNERS.address(device.get("owner"))))
    yield rules.judge(hits)
    for trait, value in shown:
        hits |= set(rules.hits(Trait(trait), value))
        yield rules.judge(hits)


@pytest.mark.req("R12")
@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device["name"])
def test_an_obvious_device_is_named_and_none_is_surely_another(owned: Rules, device: dict[str, Any]) -> None:
    for number in range(ORDERS):
        verdicts = list(on_the_way(owned, device, Random(number) if number else None))  # noqa: S311 - an order, no secret
        for verdict in verdicts:
            assert verdict.category in {None, device["truth"]} or verdict.confidence <= SURE, verdict
        last = verdicts[-1]
        if device.get("obvious", True):
            assert last.category == device["truth"], last
            assert not last.conflicts


def test_the_list_holds_every_category_with_owner_and_without() -> None:
    assert len(DEVICES) > 100
    assert {device["truth"] for device in DEVICES} == set(CATEGORIES)
    assert {"owner" in device for device in DEVICES} == {True, False}


CATEGORIES = (
    *("phone", "tablet", "laptop", "desktop", "tv", "console", "e-reader", "wearable"),
    *("speaker", "camera", "plug", "printer", "router", "iot-other"),
)
