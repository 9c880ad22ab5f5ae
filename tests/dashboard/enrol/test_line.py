from __future__ import annotations

from typing import Any

from dashboard.enrol.line import open_uplink, seal_uplink


def test_a_line_that_cannot_be_opened_is_left_to_the_box(station: Any) -> None:
    sealed = seal_uplink({"user": "a"}, site="box-1", recipient=station.opener.public_key())
    assert open_uplink(sealed, site="box-1", recipient=station.opener) == {"user": "a"}
    assert open_uplink(sealed, site="box-2", recipient=station.opener) == {}
    assert open_uplink("not sealed", site="box-1", recipient=station.opener) == {}
