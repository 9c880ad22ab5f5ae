from __future__ import annotations

import logging
from pathlib import Path

import pytest

from appliance.warden.known import Known
from firmware import names

LAPTOP, PHONE = "02:00:5e:00:53:01", "02:00:5e:00:53:02"


def test_the_file_holds_the_devices_of_the_register_and_no_others(tmp_path: Path) -> None:
    known = Known(tmp_path)
    known.write((LAPTOP, PHONE))
    known.write((PHONE,))

    assert (tmp_path / "register").read_text() == f"{PHONE},set:{names.KNOWN_TAG}\n"


def test_a_file_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    known = Known(tmp_path)
    known.write((LAPTOP,))
    (tmp_path / "register").unlink()
    known.write((LAPTOP,))

    assert not (tmp_path / "register").exists()


def test_a_folder_that_is_not_there_is_said_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = Known(tmp_path / "later")
    with caplog.at_level(logging.WARNING):
        known.write((LAPTOP,))
        known.write((LAPTOP,))
    assert len(caplog.records) == 1

    (tmp_path / "later").mkdir()
    known.write((LAPTOP,))
    assert (tmp_path / "later" / "register").exists()
