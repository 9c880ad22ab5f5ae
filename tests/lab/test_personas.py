"""Personas are data: the shipped ones are whole, and a wrong one says which file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.sensor import classes
from lab import personas
from wire.files import FileError

GOOD = """
name = "thing"
title = "A thing"
mac = "02:00:5e:00:00:01"
parameters = [1, 3, 6]
"""


def test_the_shipped_ones_are_all_readable_and_differ() -> None:
    everybody = [personas.load(name) for name in personas.names()]
    assert {persona.name for persona in everybody} >= {
        "registered-laptop",
        "household-phone",
        "smart-tv",
        "unregistered-phone",
        "games-console",
        "printer",
    }
    assert len({persona.mac for persona in everybody}) == len(everybody)
    # Two phones of one system ask alike; what they call themselves or announce then differs.
    ways = {
        persona.model_dump_json(include={"parameters", "vendor_class", "host_name", "services", "user_agent"})
        for persona in everybody
    }
    assert len(ways) == len(everybody)


@pytest.mark.req("R12")
def test_there_are_devices_of_many_kinds_and_each_says_where_it_is_documented() -> None:
    everybody = [personas.load(name) for name in personas.names()]
    assert len(everybody) >= 14
    kinds = {persona.truth.category for persona in everybody if persona.truth}
    assert kinds >= {
        "phone",
        "laptop",
        "desktop",
        "tv",
        "console",
        "e-reader",
        "wearable",
        "speaker",
        "plug",
        "printer",
    }
    makers = {persona.truth.vendor for persona in everybody if persona.truth and persona.truth.os_family == "Android"}
    assert {"Samsung", "Google"} <= makers
    assert all(persona.truth and persona.sources and persona.syn and persona.hello for persona in everybody)


def test_real_names_are_of_the_sensors_closed_tables_only() -> None:
    everybody = [personas.load(name) for name in personas.names()]
    real = {name for persona in everybody for name in (*persona.reports_to, persona.captive) if name}
    assert real
    assert [name for name in sorted(real) if not (classes.name_class(name) or classes.platform(name))] == []


def test_the_unregistered_phone_hides_its_maker_and_its_name() -> None:
    phone = personas.load("unregistered-phone")
    assert int(phone.mac[:2], 16) & 2
    assert phone.host_name is None


def write(folder: Path, text: str) -> None:
    (folder / "thing.toml").write_text(text)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert personas.load("thing", tmp_path).parameters == (1, 3, 6)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('mac = "00:11:22:33:44:55"', "mac: Value error, may be somebody's"),
        ('mac = "01:00:5e:00:53:01"', "mac: Value error, is a group address"),
        ('mac = "02-00-5e-00-00-01"', "mac"),
        ("parameters = []", "parameters"),
        ("parameters = [0]", "parameters.0"),
        ("parameters = [255]", "parameters.0"),
        ('host_name = "-x"', "host_name"),
        ('vendor_class = "a\\"; send x 1"', "vendor_class"),
        ('habits = ["www.real-site.com"]', "habits.0"),
        ('ssdp = ["a\\r\\nb"]', "ssdp.0"),
        ('ssdp_server = "a\\r\\nb"', "ssdp_server"),
        ('reports_to = ["no spaces.test"]', "reports_to.0"),
        ('truth = { category = "toaster" }', "truth.category"),
        ('dhcp6 = { duid = "guess", requested = [23] }', "dhcp6.duid"),
        ('syn = { ttl = 0, window = 1, options = ["mss"] }', "syn.ttl"),
        ("colour = 1", "colour"),
        ('name = "other"', "name: is 'other'"),
    ],
)
def test_a_wrong_file_names_itself_and_the_field(tmp_path: Path, line: str, field: str) -> None:
    key = line.partition(" =")[0]
    kept = "\n".join(old for old in GOOD.splitlines() if not old.startswith(f"{key} ="))
    write(tmp_path, f"{kept}\n{line}\n")
    with pytest.raises(FileError) as error:
        personas.load("thing", tmp_path)
    assert str(tmp_path / "thing.toml") in str(error.value)
    assert field in str(error.value)


def test_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(FileError, match="there is no persona 'nobody'; known are thing"):
        personas.load("nobody", tmp_path)
