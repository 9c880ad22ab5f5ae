from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire.bundles import PART_OCTETS, SEALED_MORE, BundlePart, open_part, seal_part
from wire.codec import MAX_PAYLOAD, payload_json


def test_a_part_opens_only_as_what_it_was_sealed_as() -> None:
    key = X25519PrivateKey.generate()
    sealed = seal_part(b"lines", bundle_id="b-1", number=3, recipient=key.public_key())
    assert len(sealed) == len(b"lines") + SEALED_MORE
    assert open_part(sealed, bundle_id="b-1", number=3, key=key) == b"lines"
    assert open_part(sealed, bundle_id="b-1", number=4, key=key) is None
    assert open_part(sealed, bundle_id="b-2", number=3, key=key) is None
    assert open_part(sealed, bundle_id="b-1", number=3, key=X25519PrivateKey.generate()) is None


@given(st.binary(max_size=200))
def test_any_octets_are_no_part(raw: bytes) -> None:
    assert open_part(raw, bundle_id="b-1", number=0, key=X25519PrivateKey.generate()) is None


def test_the_largest_part_fits_a_message() -> None:
    data = base64.b64encode(bytes(PART_OCTETS + SEALED_MORE)).decode()
    assert len(payload_json(BundlePart(bundle_id="b" * 64, number=2**40, data=data))) <= MAX_PAYLOAD
