from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.enrol import asking


@given(
    st.one_of(
        st.binary(max_size=400),
        st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(lambda one: json.dumps(one).encode()),
    )
)
def test_whatever_comes_is_a_request_or_a_plain_refusal(raw: bytes) -> None:
    with pytest.raises(asking.UnansweredError):
        asking.read(raw, tenant="example")


def test_a_request_cut_or_bent_is_refused(new_box: Callable[..., Any]) -> None:
    whole = new_box(site="box-1").request()
    for at in range(0, len(whole), 37):
        for bent in (whole[:at], whole[:at] + b"\xff" + whole[at + 1 :]):
            with pytest.raises(asking.UnansweredError):
                asking.read(bent, tenant="example")
