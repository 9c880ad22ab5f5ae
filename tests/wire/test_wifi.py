from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wire.wifi import Passphrase, SealError, Ssid, open_passphrase, seal_passphrase

KEY = X25519PrivateKey.generate()


@pytest.mark.req("R69")
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8, max_size=63))
def test_only_the_box_it_was_sealed_for_opens_a_passphrase(passphrase: str) -> None:
    sealed = seal_passphrase(passphrase, site="box-7", key_id="card-1", recipient=KEY.public_key())
    assert passphrase not in sealed
    assert open_passphrase(sealed, site="box-7", key_id="card-1", recipient=KEY) == passphrase
    others = (("box-8", "card-1", KEY), ("box-7", "card-2", KEY), ("box-7", "card-1", X25519PrivateKey.generate()))
    for site, key_id, key in others:
        with pytest.raises(SealError):
            open_passphrase(sealed, site=site, key_id=key_id, recipient=key)


@given(st.text(max_size=300))
def test_what_was_not_sealed_opens_to_nothing(sealed: str) -> None:
    with pytest.raises(SealError):
        open_passphrase(sealed, site="box-7", key_id="card-1", recipient=KEY)


@pytest.mark.parametrize("plain", ["short", "x" * 64, "line\nbreak inside"])
def test_a_seal_round_what_is_no_passphrase_is_refused(plain: str) -> None:
    sealed = seal_passphrase(plain, site="box-7", key_id="card-1", recipient=KEY.public_key())
    with pytest.raises(SealError, match="no passphrase"):
        open_passphrase(sealed, site="box-7", key_id="card-1", recipient=KEY)


@pytest.mark.parametrize(
    ("name", "fits"), [("Home", True), ("ü" * 16, True), ("ü" * 17, False), ("a\nb", False), ("", False)]
)
def test_a_network_s_name_is_of_at_most_32_octets_that_can_be_shown(name: str, fits: bool) -> None:
    reader = TypeAdapter(Ssid)
    if fits:
        assert reader.validate_python(name) == name
    else:
        with pytest.raises(ValidationError):
            reader.validate_python(name)


def test_a_passphrase_is_of_printable_ascii() -> None:
    reader = TypeAdapter(Passphrase)
    assert reader.validate_python("correct horse") == "correct horse"
    for wrong in ("seven77", "pässphrase", "a" * 64, "eight\n888"):
        with pytest.raises(ValidationError):
            reader.validate_python(wrong)
