from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.keys import public_text
from wire.timing import open_batch, open_run_key, run_key, seal_batch, seal_run_key

WHERE = {"tenant": "force-a", "site": "box-1", "boot": "ab12"}


@pytest.mark.req("R54")
def test_the_key_of_a_run_opens_for_its_box_and_run_alone() -> None:
    server, private = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = seal_run_key(private, server.public_key(), **WHERE)
    assert len(sealed) <= 400, "as the question carries it"
    text = open_run_key(sealed, server, **WHERE)
    assert text is not None
    opened = run_key(text)
    assert opened is not None
    assert public_text(opened) == public_text(private)
    for name in WHERE:
        assert open_run_key(sealed, server, **(WHERE | {name: "other"})) is None
    assert open_run_key(sealed, X25519PrivateKey.generate(), **WHERE) is None


@pytest.mark.parametrize("text", ["", "no base64", "AAAA", "é", "A" * 400])
def test_what_is_no_key_is_none(text: str) -> None:
    assert run_key(text) is None
    assert open_run_key(text, X25519PrivateKey.generate(), **WHERE) is None


@pytest.mark.req("R54")
def test_a_batch_opens_in_its_place_alone() -> None:
    key = X25519PrivateKey.generate()
    sealed = seal_batch(b"what was heard", key.public_key(), boot="ab12", number=7)
    assert b"heard" not in sealed
    assert open_batch(sealed, key, boot="ab12", number=7) == b"what was heard"
    assert open_batch(sealed, key, boot="ab12", number=8) is None
    assert open_batch(sealed, key, boot="cd34", number=7) is None
    assert open_batch(sealed[:-1], key, boot="ab12", number=7) is None
    assert open_batch(b"", key, boot="ab12", number=7) is None
    assert open_batch(sealed, X25519PrivateKey.generate(), boot="ab12", number=7) is None
