from __future__ import annotations

from dashboard.enrol.share import HOUR, Share


def test_the_memory_of_who_asked_is_bounded() -> None:
    share = Share(most=1)
    assert share.take("site-0", "genuine", most=2, now=0.0)
    assert not share.take("site-1", "genuine", most=2, now=10.0), "there is no room"
    assert share.take("site-0", "genuine", most=2, now=20.0)
    assert not share.take("site-0", "genuine", most=2, now=30.0), "the hour's share is used up"
    assert share.turned_away == 2
    assert share.take("site-1", "genuine", most=2, now=20.0 + HOUR), "who was quiet for an hour is forgotten"
    assert not share.take("site-0", "genuine", most=2, now=21.0 + HOUR)


def test_what_is_forged_does_not_use_up_what_is_genuine() -> None:
    share = Share()
    assert share.take("site-1", "forged", most=1, now=0.0)
    assert not share.take("site-1", "forged", most=1, now=1.0)
    assert share.take("site-1", "genuine", most=1, now=1.0)
