from __future__ import annotations

import pytest

from dashboard.pages.forms_arranged import Irrelevant
from dashboard.pages.quieting import quiet_form


@pytest.mark.req("R30")
def test_the_narrowest_answer_with_an_end_is_offered_first() -> None:
    form = quiet_form("tunnel", "/to", of_device=True, typed=None, errors=())
    assert [choice.value for choice in form.scopes] == ["subject", "device", "home"]
    assert [choice.value for choice in form.scopes if choice.checked] == ["subject"]
    assert [choice.value for choice in form.ends if choice.checked] == ["90"]
    assert not any(choice.checked for choice in form.whys)
    assert not form.opened


def test_what_was_typed_is_there_again() -> None:
    typed = Irrelevant(token="", scope="home", why="agreed", ends="", reason="At the review")
    form = quiet_form("tunnel", "/to", of_device=False, typed=typed, errors=(("quiet-scope", "x"),))
    assert [choice.value for choice in form.scopes] == ["subject", "home"]
    assert [[c.value for c in part if c.checked] for part in (form.scopes, form.whys, form.ends)] == [
        ["home"],
        ["agreed"],
        [""],
    ]
    assert (form.opened, form.reason) == (True, "At the review")


@pytest.mark.req("R30")
def test_each_answer_says_how_much_is_not_shown_then() -> None:
    def hints(kind: str, *, of_device: bool = True) -> dict[str, str]:
        form = quiet_form(kind, "/to", of_device=of_device, typed=None, errors=())
        return {choice.value: choice.hint for choice in form.scopes}

    assert "same entry of the same list" in hints("listed-name")["subject"]
    assert all("urgent ones too" in hints("listed-name")[scope] for scope in ("device", "home"))
    assert "list" not in "".join(hints("tunnel").values())
    assert set(hints("power-lost", of_device=False)) == {"subject", "home"}
    assert "device" not in "".join(hints("power-lost", of_device=False).values())
