from __future__ import annotations

import pytest

from appliance.traits import Sort, Trait, sort


@pytest.mark.req("R56")
def test_what_names_a_device_or_is_its_own_is_never_taken_for_a_habit() -> None:
    """Habits are kept readable for every device; so no name and no identifier may be among them."""
    telling = {trait for trait in Trait if trait.value.endswith(("-name", "-fqdn", "-instance", "-host"))}
    own = {trait for trait in Trait if trait.value.endswith(("-id", "-duid", "-uuid", "-key"))}
    assert {sort(trait) for trait in telling} == {Sort.ANNOUNCED}
    assert {sort(trait) for trait in own} == {Sort.IDENTIFIER}
    habits = {trait for trait in Trait if sort(trait) is Sort.HABIT}
    assert habits == set(Trait) - telling - own
    assert {Trait.DHCP4_PARAMETERS, Trait.TLS_JA4, Trait.PLATFORM} <= habits
