from __future__ import annotations

from appliance.upkeep import minimum


def test_programs_that_are_older_than_they_may_be_are_named() -> None:
    versions = {"dnsmasq-base": "2.89-1", "hostapd": None}
    assert minimum.outdated(versions.get, minimum.older) == ("dnsmasq-base is 2.89-1, below 2.90-4~deb12u2",)
    assert minimum.outdated(lambda _: "99:1", minimum.older) == ()
    assert minimum.older("2.90-4~deb12u1", "2.90-4~deb12u2")
    assert minimum.installed("no-such-package-here") is None
    assert minimum.installed("dpkg") is not None
