from __future__ import annotations

import importlib
from pathlib import Path

from click.testing import CliRunner

import lab.faults
from lab.faults.__main__ import main
from lab.faults.catalogue import CAMPAIGNS


def test_every_campaign_is_in_the_catalogue_under_a_name_of_its_own() -> None:
    modules = {
        importlib.import_module(f"lab.faults.{path.stem}")
        for path in Path(lab.faults.__path__[0]).glob("*.py")
        if "\nPROMISE" in path.read_text()
    }
    assert set(CAMPAIGNS) == modules
    names = [campaign.NAME for campaign in CAMPAIGNS]
    assert len(set(names)) == len(names)
    assert all(campaign.PROMISE for campaign in CAMPAIGNS)


def test_a_name_that_is_none_is_said_with_those_that_are() -> None:
    done = CliRunner().invoke(main, ["nothing"])

    assert done.exit_code == 2
    assert "no campaign is called nothing" in done.output
    assert "starvation" in done.output
