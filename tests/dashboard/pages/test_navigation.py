from __future__ import annotations

import pytest
from flask import Flask

from dashboard.access import Role, need_of
from dashboard.pages.navigation import places


@pytest.mark.req("R66")
@pytest.mark.parametrize("role", list(Role))
def test_no_place_leads_where_its_reader_may_not_go(app: Flask, role: Role) -> None:
    adapter = app.url_map.bind("localhost")
    for place in places(role):
        endpoint, _arguments = adapter.match(place.address, method="GET")
        need = need_of(app.view_functions[endpoint])
        assert need is not None
        assert role.may(need), place


def test_strangers_are_led_nowhere() -> None:
    assert places(None) == ()
