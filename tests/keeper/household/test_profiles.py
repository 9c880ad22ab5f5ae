from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household.lookups import VISIT_SECONDS
from appliance.keeper.household.profiles import HABITUAL, LEARN_SECONDS
from appliance.traits import Trait
from wire.base import Standing

LAPTOP, PHONE, OTHER = "00:00:5e:00:53:01", "02:00:00:00:00:0a", "00:00:5e:00:53:02"


def profile(bench: Any, mac: str) -> Any:
    return bench.core._book._profiles.of(bench.device(mac), bench.core._judgement.scope)


@pytest.mark.req("N8", "R55")
def test_a_profile_holds_names_only_where_they_may_be_kept(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    bench.sight(PHONE)
    for _ in range(HABITUAL):
        bench.look_up(LAPTOP, "often.example", generation=bench.generation)
        bench.wait(VISIT_SECONDS)
    bench.look_up(LAPTOP, "once.example", generation=bench.generation)
    assert profile(bench, LAPTOP).names == {"often.example"}
    assert profile(bench, PHONE).names is None
    assert (profile(bench, LAPTOP).local, profile(bench, PHONE).local) == (False, True)


@pytest.mark.req("N8", "R47")
def test_equal_values_have_equal_tokens_whoever_shows_them(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    for mac in (LAPTOP, PHONE):
        bench.trait(mac, Trait.DHCP4_HOST_NAME, "sunflower-meadow")
        bench.trait(mac, Trait.DHCP4_CLIENT_ID, "")
    one, two = profile(bench, LAPTOP), profile(bench, PHONE)
    assert one.evidence == two.evidence
    assert set(one.evidence) == {Trait.DHCP4_HOST_NAME}, "what was sent empty compares with nothing"
    assert "sunflower" not in repr(one)


@pytest.mark.req("N8")
def test_names_of_several_devices_are_common(bench: Any) -> None:
    for mac in (LAPTOP, OTHER):
        bench.give(mac, Standing.REGISTERED)
    for mac in (LAPTOP, OTHER):
        for _ in range(HABITUAL):
            bench.look_up(mac, "common.example", generation=bench.generation)
            bench.look_up(mac, f"of-{mac[-2:]}.example", generation=bench.generation)
            bench.wait(VISIT_SECONDS)
    bench.wait(LEARN_SECONDS + 1)
    assert bench.core._book._profiles.common == {"common.example"}
