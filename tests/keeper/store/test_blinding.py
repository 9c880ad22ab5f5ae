from __future__ import annotations

import pytest

from appliance.keeper.store.blinding import blind


@pytest.mark.req("R56")
def test_equal_texts_stay_equal_and_no_more_is_told() -> None:
    one, two = bytes(range(32)), bytes(range(1, 33))
    assert blind(one, "made-up") == blind(one, "made-up")
    assert len({blind(one, "made-up"), blind(one, "Made-up"), blind(two, "made-up")}) == 3
    assert blind(one, "x" * 500).startswith("blind-")
    assert len(blind(one, "")) == len(blind(one, "x" * 500)) == 38
