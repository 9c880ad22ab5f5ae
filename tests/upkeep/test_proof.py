from __future__ import annotations

from appliance.upkeep.proof import Proof


def test_well_means_well_for_some_looks() -> None:
    good = frozenset({"rules", "names", "addresses", "keeper", "internet"})
    proof = Proof(before=frozenset({"internet"}), until=100.0)
    assert [proof.looked(good, 1.0), proof.looked(good, 2.0), proof.looked(good - {"internet"}, 3.0)] == [None] * 3
    assert [proof.looked(good, 4.0), proof.looked(good, 5.0), proof.looked(good, 6.0)] == [None, None, True]
    late = Proof(before=frozenset({"access-point"}), until=10.0)
    assert late.looked(good, 10.0) is False
    assert late.missing(good) == "the Wi-Fi is not up"
    assert late.missing(good | {"access-point"}) == "it was not well for long enough"
