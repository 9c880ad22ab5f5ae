from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.paging import CursorError, _read, _write
from dashboard.store.schema import finding

KEYS = [finding.c.raised_at, finding.c.site, finding.c.finding_id]


def test_a_list_is_read_to_its_end_in_parts_and_what_comes_meanwhile_moves_nothing(
    seed: Any, program_of: Callable[..., FlaskClient]
) -> None:
    seed.site()
    for number in range(7):
        # Some at the same moment: the other keys order them.
        seed.finding(f"find-{number}", raised_at=seed.clock.at - 100 - number // 3)
    program, path, cursor, found = program_of(), "/api/v1/households/site-1/findings", "", []
    for _ in range(4):
        part = program.get(path, query_string={"limit": 2, "cursor": cursor}).get_json()
        found += [item["finding"] for item in part["items"]]
        if part["next"] is None:
            break
        cursor = part["next"]
        seed.finding(f"new-{len(found)}", raised_at=seed.clock.at)
    assert sorted(found) == [f"find-{number}" for number in range(7)]
    assert part["next"] is None


@pytest.mark.parametrize(
    "cursor", ["x", "e30", "W10", "WzEsMiwzXQ", "//8", "W3RydWUsImEiLCJiIl0", "W251bGwsImEiLCJiIl0"]
)
def test_what_is_no_cursor_of_this_list_is_refused(
    seed: Any, program_of: Callable[..., FlaskClient], cursor: str
) -> None:
    seed.site()
    answer = program_of().get("/api/v1/households/site-1/findings", query_string={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["where"] == "cursor"


@given(st.tuples(st.floats(0, 4e9), st.text(max_size=20), st.text(max_size=20)))
def test_a_cursor_holds_the_keys_it_was_made_of(values: tuple[float, str, str]) -> None:
    if any("\x00" in text for text in values[1:]):
        with pytest.raises(CursorError):
            _read(_write(values), KEYS)
    else:
        assert tuple(_read(_write(values), KEYS)) == values


@given(st.text(max_size=400))
def test_nothing_that_is_sent_as_one_raises_anything_else(text: str) -> None:
    try:
        found = _read(text, KEYS)
    except CursorError:
        return
    assert [type(item) for item in found][1:] == [str, str]
