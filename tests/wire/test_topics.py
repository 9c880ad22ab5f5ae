from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.topics import Channel, Topic, parse

_level = st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True)


@given(tenant=_level, site=_level, channel=st.sampled_from(Channel), name=_level)
def test_a_topic_reads_as_it_was_written(tenant: str, site: str, channel: Channel, name: str) -> None:
    topic = Topic(tenant=tenant, site=site, channel=channel, name=name)
    assert parse(str(topic)) == topic


@given(text=st.text(max_size=300))
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "x/gatehouse/v1/a/b/cmd/c",
        "gatehouse/v1/a/b/cmd/c/d",
        "gatehouse/v1/a//cmd/c",
        "gatehouse/v1/A/b/cmd/c",
        "gatehouse/v1/a/b/cmd/+",
        "gatehouse/v1/a/b/cmd/c\n",
        "gatehouse/v1/a/b/commands/c",
        "gatehouse/v1/" + "a" * 64 + "/b/cmd/c",
    ],
)
def test_near_misses_are_refused_briefly(text: str) -> None:
    with pytest.raises(ValueError, match="is not a") as caught:
        parse(text)
    assert len(str(caught.value)) < 200
