from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices.fingerprint import categories
from dashboard.app import create_app
from dashboard.pages import words
from dashboard.settings import DashboardSettings
from wire.base import Standing
from wire.findings import Severity
from wire.models import JoinedBy

LONDON = ZoneInfo("Europe/London")


def test_dates_are_whole_and_in_the_zone() -> None:
    winter = datetime(2026, 1, 14, 21, 4, 9, tzinfo=UTC).timestamp()
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC).timestamp()
    assert words.date_time(winter, LONDON) == "14 January 2026, 21:04"
    assert words.date_time_seconds(winter, LONDON) == "14 January 2026, 21:04:09"
    assert words.date_time(summer, LONDON) == "2 July 2026, 00:30"
    assert words.machine(summer) == "2026-07-01T23:30:00.000+00:00"
    assert words.zone_words(winter, LONDON, "Europe/London") == "UK time (GMT)"
    assert words.zone_words(summer, LONDON, "Europe/London") == "UK time (BST)"
    assert words.zone_words(summer, ZoneInfo("UTC"), "UTC") == "UTC time (UTC)"


def test_every_severity_and_standing_has_words() -> None:
    assert [words.severity(value) for value in Severity] == ["Act now", "Today", "This week", "For information"]
    assert [words.severity_rank(value) for value in Severity] == [0, 1, 2, 3]
    assert len({words.standing(value) for value in Standing}) == len(Standing)


def test_what_a_newer_box_says_is_shown_as_it_is() -> None:
    assert words.severity("dire") == "dire"
    assert words.severity_key("dire") == "information"
    assert words.severity_rank("dire") == len(Severity)
    assert words.standing("lodger") == "lodger"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "Almost certain (about 100%)"),
        (0.95, "Almost certain (about 95%)"),
        (0.949, "Highly likely (about 90%)"),
        (0.775, "Highly likely (about 80%)"),
        (0.525, "Likely (about 55%)"),
        (0.225, "Unlikely (about 25%)"),
        (0.8, "Highly likely (about 80%)"),
        (0.6, "Likely (about 60%)"),
        (0.45, "A realistic possibility (about 45%)"),
        (0.3, "Unlikely (about 30%)"),
        (0.1, "Highly unlikely (about 10%)"),
        (0.0, "A remote chance (about 0%)"),
    ],
)
def test_confidence_is_a_word_of_the_yardstick(value: float, text: str) -> None:
    assert words.confidence(value) == text


@given(st.floats(0, 1))
def test_a_word_and_its_figure_are_of_one_band(value: float) -> None:
    word, _, figure = words.confidence(value).removesuffix("%)").partition(" (about ")
    assert words.confidence(int(figure) / 100).startswith(f"{word} (")


@pytest.mark.req("R42")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("example.test", "example[.]test"),
        ("https://example.test/a", "https[:]//example[.]test/a"),
        ("someone@example.test", "someone[at]example[.]test"),
        ("a\u202eb.test", "a[U+202E]b[.]test"),
        ("", ""),
    ],
)
def test_names_are_defanged(name: str, text: str) -> None:
    assert words.defang(name) == text


def test_hidden_characters_are_written_out() -> None:
    assert words.plain("a\x00b\u200b\u2066c\ud800") == "a[U+0000]b[U+200B][U+2066]c[U+D800]"
    assert words.plain("e" + "\u0301" * 50) == "e\u0301\u0301"


def test_long_text_is_cut() -> None:
    assert words.plain("x" * 1000, 10) == "x" * 10 + "…"
    assert words.plain("x" * 10, 10) == "x" * 10


@given(st.text(max_size=400))
def test_whatever_comes_in_what_comes_out_is_visible_and_bounded(text: str) -> None:
    out = words.plain(text, 100)
    assert len(out) <= 101
    assert all(character.isprintable() or character.isspace() for character in out)
    assert "\n" not in out
    assert "." not in words.defang(text).replace("[.]", "")


def test_counts() -> None:
    assert words.count(1, "device", "devices") == "1 device"
    assert words.count(1200, "device", "devices") == "1,200 devices"


@pytest.mark.req("R12")
@pytest.mark.parametrize(
    ("made_up", "rotating", "said"),
    [
        (False, None, "Maker's address"),
        (False, True, "Maker's address"),
        (True, None, "Made-up address"),
        (True, True, "Made-up address, changes"),
        (True, False, "Made-up address, keeps it"),
    ],
)
def test_where_an_address_comes_from_is_said(made_up: bool, rotating: bool | None, said: str) -> None:
    assert words.address_kind(made_up=made_up, rotating=rotating) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "less than a minute"),
        (29, "less than a minute"),
        (60, "1 minute"),
        (3600, "1 hour"),
        (11_100, "3 hours 5 minutes"),
        (86_400 * 2 + 3600 + 60, "2 days 1 hour"),
        (86_400 + 60, "1 day 1 minute"),
    ],
)
def test_a_length_of_time_is_said_in_its_largest_units(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_every_kind_of_device_has_words_and_a_later_one_is_shown_as_it_is() -> None:
    assert words.category("tv") == "television or television box"
    assert words.category("hoverboard\u202e") == "hoverboard[U+202E]"


def test_how_an_address_joined_is_said_for_every_way() -> None:
    assert words.joined(None) == ""
    assert all(words.joined(way) for way in JoinedBy)


def test_the_kinds_of_device_are_those_of_the_box_in_the_same_words() -> None:
    # The pages may not import the box's code; this holds the two lists together.
    boxes = {item.value: categories.WORDS[item] for item in categories.Category}
    boxes["iot-other"] = f"other {boxes['iot-other']}"  # it is the last of a list to choose from
    assert boxes == words.CATEGORIES


def test_the_kinds_of_device_are_those_that_the_wires_description_names() -> None:
    text = (Path(__file__).parents[3] / "docs" / "wire.md").read_text()
    listed = text[text.index("A category (") :].partition("\n\n")[0]
    assert set(words.CATEGORIES) <= set(re.findall(r"`([a-z-]+)`", listed))


@pytest.mark.req("R18", "S5")
def test_strength_and_agreement_are_words() -> None:
    assert [words.grade(value) for value in ("low", "medium", "high", "of\u202elater")] == [
        "A weak sign",
        "A clear sign",
        "A strong sign",
        "of[U+202E]later",
    ]
    assert [words.agree(number) for number in (0, 1, 2)] == [
        "It rests on one signal alone",
        "It rests on one signal alone",
        "2 independent signals agree",
    ]


@pytest.mark.parametrize(("hour", "said"), [(0, "12:05am"), (9, "9:05am"), (12, "12:05pm"), (21, "9:05pm")], ids=str)
def test_an_operator_may_keep_a_clock_of_twelve_hours(
    make_settings: Callable[..., DashboardSettings], hour: int, said: str
) -> None:
    at = datetime(2026, 1, 14, hour, 5, tzinfo=UTC).timestamp()
    assert words.date_time(at, UTC) == f"14 January 2026, {hour:02}:05"
    with create_app(make_settings(words={"clock": "12-hour"})).app_context():
        assert words.date_time(at, UTC) == f"14 January 2026, {said}"
        assert words.time_or_date(at, at, UTC) == said
