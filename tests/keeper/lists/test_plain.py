from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import formats, plain
from appliance.keeper.lists.entries import Reach
from appliance.keeper.lists.formats import Format, parse

NAMES = ["a.example", "b-c.d_e.example", "-a.example", "a-.example", "a..example", "co.uk", "A.example", "ä.example"]
NAMES += [
    "com",
    "x" * 63 + ".example",
    "x" * 64 + ".example",
    ".".join(["y" * 63] * 4),
    "localhost.localdomain",
    "192.0.2.1",
]
WRITTEN = {
    Format.HOSTS: ("0.0.0.0 {}", "127.0.0.1\t{}", "::1 {}", "{}"),
    Format.DOMAINS: ("{}", "*.{}", "{} # why"),
    Format.WILDCARD: ("*.{}", "{}"),
    Format.ADBLOCK: ("||{}^", "@@||{}^", "||{}^$popup", "||{}"),
    Format.DNSMASQ: ("address=/{}/", "server=/{}/0.0.0.0", "local=/{}/", "address=/{}/0.0.0.0", "server=/{}/#"),
}


def lines(format_: Format) -> st.SearchStrategy[str]:
    kinds = WRITTEN[format_]
    # Of one kind mostly, as lists are; else nearly no list would be read the quick way.
    return st.lists(
        st.builds(str.format, st.sampled_from((*kinds[:1] * 8, *kinds)), st.sampled_from((*NAMES[:2] * 8, *NAMES))),
        max_size=6,
    ).flatmap(lambda found: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(found)))


@pytest.mark.parametrize("format_", list(WRITTEN))
@pytest.mark.parametrize("reach", [None, Reach.EXACT, Reach.SUBTREE])
@given(data=st.data())
def test_the_quick_way_reads_what_the_other_reads(data: st.DataObject, format_: Format, reach: Reach | None) -> None:
    raw = data.draw(lines(format_)).encode()
    found = list(parse(io.BytesIO(raw), format_, plain=reach))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(formats, "_QUICK", {})
        assert found == list(parse(io.BytesIO(raw), format_, plain=reach))


@pytest.mark.parametrize(
    ("block", "names"),
    [
        (b"a.example\nb.example\r\n", ["a.example", "b.example"]),
        (b"a.example\n\n", None),
        (b"a.example\n# b\n", None),
        (b"a.example\nB.example\n", None),
        (b"a.example\nco.uk\n", None),
        (b"example\n", None),
        (b"a-.example\n", None),
        (b"\xc3\xa4.example\n", None),
        (b"a.example b.example\n", None),
        (b"\n", None),
    ],
)
def test_a_block_is_taken_whole_or_not_at_all(block: bytes, names: Sequence[str] | None) -> None:
    assert plain.names(block, plain.line()) == names
