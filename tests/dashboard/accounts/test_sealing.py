from __future__ import annotations

import os

import pytest

from dashboard.accounts.sealing import sealer

pytestmark = pytest.mark.req("S2")
SECRET = os.urandom(32)


def test_what_is_sealed_opens_for_its_owner_and_purpose_alone() -> None:
    one = sealer(SECRET, "held")
    sealed = one.seal("Ünterlagen", "acc-1")
    assert one.open(sealed, "acc-1") == "Ünterlagen"
    assert "nterlagen" not in sealed
    assert one.open(sealed, "acc-2") is None
    assert sealer(SECRET, "authenticator").open(sealed, "acc-1") is None
    assert sealer(os.urandom(32), "held").open(sealed, "acc-1") is None
    assert one.seal("Ünterlagen", "acc-1") != sealed, "each has a nonce of its own"


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "A" * 40, "not base64!", "é"])
def test_what_was_not_sealed_here_opens_to_nothing(sealed: str) -> None:
    assert sealer(SECRET, "held").open(sealed, "acc-1") is None
