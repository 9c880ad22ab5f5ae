from __future__ import annotations

import pytest

from appliance.keeper.devices.model import is_group, is_locally_administered


@pytest.mark.req("R47")
@pytest.mark.parametrize(
    ("mac", "local", "group"),
    [
        ("00:00:5e:00:53:01", False, False),
        ("02:00:00:00:00:01", True, False),
        ("da:a1:19:00:00:01", True, False),
        ("01:00:5e:00:00:fb", False, True),
        ("33:33:00:00:00:01", True, True),
        ("ff:ff:ff:ff:ff:ff", True, True),
        ("00:00:00:00:00:00", False, True),
    ],
)
def test_what_an_address_says(mac: str, local: bool, group: bool) -> None:
    assert is_locally_administered(mac) is local
    assert is_group(mac) is group
