"""What is due when: by class, by purpose, by the authority's own word, and after its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.keeper.law.retention import BOX, COMMANDS, DAY, NOT_ABOUT_DEVICES, parse, shipped, terms
from wire.authority import Authority, DataClass, Keep

AT = 1_900_000_000.0


def days(found: float) -> float:
    return (AT - found) / DAY


@pytest.mark.req("R64")
def test_every_data_class_has_a_period_and_says_what_it_holds() -> None:
    table = shipped()
    assert set(DataClass) < set(table.classes)
    for period in table.classes.values():
        assert period.holds.endswith(".")
        assert 0 < period.prevent <= period.detect
    longest = max(period.detect for period in table.classes.values())
    assert table.classes[BOX].detect == longest, "that it could see is told longest"


@pytest.mark.req("R64", "N17")
@pytest.mark.req("R78")
def test_by_purpose(make_authority: Callable[..., Authority]) -> None:
    table = shipped()
    for purpose in ("prevent", "detect"):
        found = terms(make_authority(purpose=purpose), ended_at=None, at=AT)
        for name, period in table.classes.items():
            assert days(found.before(name)) == period.days(purpose)


@pytest.mark.req("R64")
def test_the_authority_goes_before_the_table(make_authority: Callable[..., Authority]) -> None:
    keep = (
        Keep(data_class=DataClass.LIST_HITS, days=7),
        Keep(data_class=DataClass.PRESENCE, days=999),
        Keep(data_class="box", days=10),
    )
    found = terms(make_authority(retention=keep), ended_at=None, at=AT)
    assert days(found.before("list_hits")) == 7
    assert days(found.before("findings")) == 7, "it follows"
    assert days(found.before("presence")) == 999
    assert days(found.before("household")) == 999
    assert days(found.before("box")) == days(found.before("commands")) == 10
    assert days(found.before("signs")) == shipped().classes["signs"].detect


def test_a_class_that_nobody_knows_goes_first() -> None:
    found = terms(None, ended_at=None, at=AT)
    assert days(found.before("of-a-later-version")) == min(period.prevent for period in shipped().classes.values())


@pytest.mark.req("R64", "N17")
def test_after_the_end_everything_about_devices_goes(make_authority: Callable[..., Authority]) -> None:
    authority = make_authority(purpose="prevent")
    left = shipped().ended.prevent * DAY
    for ended_at, over in ((AT - left + 1, False), (AT - left, True), (None, False)):
        found = terms(authority, ended_at=ended_at, at=AT)
        assert found.ended is over
        for name in shipped().classes:
            due = found.before(name) == float("inf")
            assert due is (over and name not in NOT_ABOUT_DEVICES)
    assert {BOX, COMMANDS} == NOT_ABOUT_DEVICES


def lines() -> list[str]:
    """The table of docs/retention.md, made from the shipped one."""
    table = shipped()
    rows = [
        f"| `{name}` | {period.holds} | {period.prevent} | {period.detect} | "
        f"{'' if period.follows is None else f'`{period.follows}`'} |"
        for name, period in table.classes.items()
    ]
    last = f"| after the authority's end | {table.ended.holds} | {table.ended.prevent} | {table.ended.detect} | |"
    return ["| class | what it is | prevent | detect | follows |", "|---|---|---|---|---|", *rows, last]


@pytest.mark.req("R64")
def test_the_document_says_the_same() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "retention.md").read_text()
    said = text.split("retention.toml -->\n")[1].split("<!-- end of periods")[0].strip().splitlines()
    assert said == lines(), "docs/retention.md: put these lines there"


@pytest.mark.parametrize(
    "change",
    [
        ("[classes.signs]", "[classes.omens]"),
        ("prevent = 42", "prevent = 0"),
        ('follows = "box"', 'follows = "nothing"'),
        ("[ended]\nprevent = 28", "[ended]\nprevent = -1"),
    ],
)
def test_a_table_that_lacks_something_is_refused(change: tuple[str, str]) -> None:
    from importlib import resources

    text = (resources.files("appliance.keeper.law") / "retention.toml").read_text()
    assert parse(text) == shipped()
    assert change[0] in text
    with pytest.raises(ValueError, match=r"no period for|whole days"):
        parse(text.replace(*change))
