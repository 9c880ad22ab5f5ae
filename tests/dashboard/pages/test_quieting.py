from __future__ import annotations

import pytest

from dashboard.pages.forms_arranged import Irrelevant
from dashboard.pages.quieting import quiet_form


@pytest.mark.req("R30")
def test_the_narrowest_answer_with_an_end_is_offered_first() -> None:
    form = quiet_form("/to", of_device=True, typed=None, errors=())
    assert [choice.value for choice in form.scopes] == ["subject", "device", "home"]
    assert [choice.value for choice in form.scopes if choice.checked] == ["subject"]
    assert [choice.value for choice in form.ends if choice.checked] == ["90"]
    assert not any(choice.checked for choice in form.whys)
    assert not form.opened


def test_what_was_typed_is_there_again() -> None:
    typed = Irrelevant(token="", scope="home", why="agreed", ends="", reason="At the review")
    form = quiet_form("/to", of_device=False, typed=typed, errors=(("quiet-scope", "x"),))
    assert [choice.value for choice in form.scopes] == ["subject", "home"]
    assert [[c.value for c in part if c.checked] for part in (form.scopes, form.whys, form.ends)] == [
        ["home"],
        ["agreed"],
        [""],
    ]
    assert (form.opened, form.reason) == (True, "At the review")
