"""hostapd's file of passphrases, written and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import MAX_KEY_ID, MAX_PASSPHRASES, Passphrase
from appliance.passphrases import read, render

KEYS = (
    Passphrase(key_id="visitor-1", passphrase="visitors welcome 7", purpose="guest", ends=2000.0),
    Passphrase(key_id="laptop-1", passphrase="  two spaces first", purpose="device"),
    Passphrase(key_id="household", passphrase="horse battery staple", purpose="household"),
)


@pytest.mark.req("N9")
def test_the_household_comes_first_and_all_is_read_back() -> None:
    text = render(KEYS, written=1000.0)
    assert text.splitlines()[:3] == [
        "# written=1000",
        "# purpose=household",
        "keyid=household 00:00:00:00:00:00 horse battery staple",
    ]
    found = read(text)
    assert set(found.keys) == set(KEYS)
    assert found.keys[0].key_id == "household"
    assert (found.written, found.unread) == (1000.0, 0)


def test_lines_of_whoever_writes_the_file_first_are_read_too() -> None:
    found = read(
        "keyid=household 00:00:00:00:00:00 horse battery staple\nkeyid=tv 00:00:00:00:00:00 paper lamp orbit\n"
    )
    assert [(each.key_id, each.purpose, each.ends) for each in found.keys] == [
        ("household", "household", None),
        ("tv", "device", None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "keyid=short 00:00:00:00:00:00 seven77",
        f"keyid={'x' * (MAX_KEY_ID + 1)} 00:00:00:00:00:00 long enough",
        "keyid=a/b 00:00:00:00:00:00 long enough",
        "keyid=mine 02:00:5e:00:53:0a long enough",
        "no such line",
    ],
)
def test_what_is_no_passphrase_is_left_out_and_counted(line: str) -> None:
    assert read(f"{line}\n").unread == 1
    assert read(f"{line}\n").keys == ()


def test_there_are_never_more_than_fit() -> None:
    many = [Passphrase(key_id=f"k-{n}", passphrase=f"passphrase {n}", purpose="device") for n in range(80)]
    with pytest.raises(ValueError, match="80 passphrases"):
        render(many, written=0.0)
    lines = "".join(f"keyid={each.key_id} 00:00:00:00:00:00 {each.passphrase}\n" for each in many)
    found = read(lines)
    assert (len(found.keys), found.unread) == (MAX_PASSPHRASES, 80 - MAX_PASSPHRASES)


def test_a_note_is_about_the_next_line_only() -> None:
    found = read("# purpose=guest ends=5\n\nkeyid=tv 00:00:00:00:00:00 paper lamp orbit\n")
    assert found.keys[0].purpose == "device"


@given(st.text(max_size=400))
def test_any_text_raises_nothing(text: str) -> None:
    read(text)
    read(f"# written={text}\n# purpose=guest ends={text}\nkeyid={text} 00:00:00:00:00:00 {text}")


_KEYS = st.builds(
    Passphrase,
    key_id=st.from_regex(rf"[A-Za-z0-9._-]{{1,{MAX_KEY_ID}}}", fullmatch=True),
    passphrase=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8, max_size=63),
    purpose=st.sampled_from(["device", "guest", "household"]),
    ends=st.none() | st.integers(0, 4_000_000_000).map(float),
)


@given(st.lists(_KEYS, max_size=8, unique_by=lambda each: each.key_id))
def test_what_is_written_is_read_and_no_line_is_longer_than_hostapd_reads(keys: list[Passphrase]) -> None:
    text = render(keys, written=0.0)
    assert set(read(text).keys) == set(keys)
    assert all(len(line) <= 126 for line in text.splitlines())


def test_a_passphrase_is_not_in_what_is_printed_of_it() -> None:
    assert "battery" not in repr(KEYS[2])
