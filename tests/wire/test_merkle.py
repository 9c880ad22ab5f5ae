"""The Merkle tree against the vectors that came with RFC 6962, and against the definition written down naively."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import merkle

# The eight leaves and the values that the reference implementation of RFC 6962 publishes
# (certificate-transparency: merkle_tree_test; the same tree algorithm as RFC 9162 section 2.1).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


def naive_path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*naive_path(m, hashes[:k]), naive_root(hashes[k:])]
    return [*naive_path(m - k, hashes[k:]), naive_root(hashes[:k])]


def naive_subproof(m: int, hashes: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162 section 2.1.4.1."""
    if m == len(hashes):
        return [] if whole else [naive_root(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, hashes[:k], whole=whole), naive_root(hashes[k:])]
    return [*naive_subproof(m - k, hashes[k:], whole=False), naive_root(hashes[:k])]


@pytest.mark.req("R68")
@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size: int) -> None:
    assert merkle.root(HASHES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_log() -> None:
    assert merkle.root([]) == merkle.EMPTY
    assert merkle.Frontier().root == merkle.EMPTY


@pytest.mark.parametrize(("n", "size", "proof"), INCLUSION)
def test_the_published_inclusion_proofs(n: int, size: int, proof: list[str]) -> None:
    made = merkle.inclusion_proof(HASHES[:size], n)
    assert [item.hex() for item in made] == proof
    root = bytes.fromhex(ROOTS[size - 1])
    assert merkle.verify_inclusion(leaf=HASHES[n], n=n, size=size, proof=made, root=root)


@pytest.mark.parametrize(("first", "second", "proof"), CONSISTENCY)
def test_the_published_consistency_proofs(first: int, second: int, proof: list[str]) -> None:
    made = merkle.consistency_proof(HASHES[:second], first)
    assert [item.hex() for item in made] == proof
    assert merkle.verify_consistency(
        first=first,
        second=second,
        proof=made,
        first_root=bytes.fromhex(ROOTS[first - 1]),
        second_root=bytes.fromhex(ROOTS[second - 1]),
    )


@pytest.mark.req("R68")
@given(data=st.data(), size=st.integers(1, 200))
def test_proofs_are_those_of_the_definition_and_hold(data: st.DataObject, size: int) -> None:
    hashes = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    n = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    root, older = naive_root(hashes), naive_root(hashes[:first])
    assert merkle.root(hashes) == root
    path = merkle.inclusion_proof(hashes, n)
    assert list(path) == naive_path(n, hashes)
    assert merkle.verify_inclusion(leaf=hashes[n], n=n, size=size, proof=path, root=root)
    links = merkle.consistency_proof(hashes, first)
    assert list(links) == naive_subproof(first, hashes)
    assert merkle.verify_consistency(first=first, second=size, proof=links, first_root=older, second_root=root)


@pytest.mark.req("R68")
@given(data=st.data(), size=st.integers(2, 70))
def test_nothing_altered_holds(data: st.DataObject, size: int) -> None:
    hashes = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    root = merkle.root(hashes)
    n = data.draw(st.integers(0, size - 1))
    path = list(merkle.inclusion_proof(hashes, n))
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != n))
    assert not merkle.verify_inclusion(leaf=hashes[n], n=other, size=size, proof=path, root=root)
    assert not merkle.verify_inclusion(leaf=hashes[other], n=n, size=size, proof=path, root=root)
    at = data.draw(st.integers(0, len(path) - 1))
    assert not merkle.verify_inclusion(leaf=hashes[n], n=n, size=size, proof=path[:at] + path[at + 1 :], root=root)
    assert not merkle.verify_inclusion(leaf=hashes[n], n=n, size=size, proof=[*path, root], root=root)
    # A log of which one leaf was changed, dropped or doubled does not continue the earlier one.
    first = data.draw(st.integers(1, size - 1))
    older = merkle.root(hashes[:first])
    at = data.draw(st.integers(0, first - 1))
    for altered in (
        [*hashes[:at], merkle.leaf_hash(b"other"), *hashes[at + 1 :]],
        [*hashes[:at], *hashes[at + 1 :]],
        [*hashes[:at], hashes[at], *hashes[at:]],
    ):
        if altered[:first] == hashes[:first]:  # the last leaf of the beginning was doubled: that only adds
            continue
        claimed = merkle.consistency_proof(altered, min(first, len(altered)))
        assert not merkle.verify_consistency(
            first=first, second=len(altered), proof=claimed, first_root=older, second_root=merkle.root(altered)
        )


@given(
    first=st.integers(-2, 2**70),
    second=st.integers(-2, 2**70),
    proof=st.lists(st.binary(max_size=40), max_size=70),
    root=st.binary(max_size=32),
)
def test_whatever_is_claimed_is_judged_without_an_error(
    first: int, second: int, proof: list[bytes], root: bytes
) -> None:
    assert not merkle.verify_inclusion(leaf=b"x" * 32, n=first, size=second, proof=proof, root=root)
    assert not merkle.verify_consistency(
        first=first, second=second + 1, proof=[*proof, b""], first_root=root, second_root=root
    )


def test_a_beginning_of_nothing_needs_no_proof_and_takes_none() -> None:
    verify = merkle.verify_consistency
    assert merkle.consistency_proof(HASHES, 0) == ()
    assert verify(first=0, second=8, proof=(), first_root=merkle.EMPTY, second_root=HASHES[0])
    assert not verify(first=0, second=8, proof=(), first_root=HASHES[0], second_root=HASHES[0])
    assert not verify(first=0, second=8, proof=(HASHES[0],), first_root=merkle.EMPTY, second_root=HASHES[0])
    assert not verify(first=3, second=8, proof=(), first_root=HASHES[0], second_root=HASHES[0])
    too_long = (HASHES[0],) * 5
    assert not verify(first=1, second=2, proof=too_long, first_root=HASHES[0], second_root=HASHES[0])


@pytest.mark.parametrize("n", [-1, 8])
def test_a_leaf_that_is_not_there_has_no_proof(n: int) -> None:
    with pytest.raises(IndexError, match="no leaf"):
        merkle.inclusion_proof(HASHES, n)


@pytest.mark.parametrize("m", [-1, 9])
def test_a_beginning_that_is_not_there_has_no_proof(m: int) -> None:
    with pytest.raises(IndexError, match="no beginning"):
        merkle.consistency_proof(HASHES, m)


@given(size=st.integers(0, 130), cut=st.integers(0, 130))
def test_a_log_grows_to_the_same_root_also_when_it_was_laid_aside(size: int, cut: int) -> None:
    hashes = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier = merkle.Frontier()
    known = merkle.subtrees_of(hashes)
    for n, item in enumerate(hashes):
        if n == cut:
            frontier = merkle.Frontier.load(frontier.dump())
        for level, index, node in frontier.append(item):
            assert node == known(level, index)
    assert (frontier.size, frontier.root) == (size, merkle.root(hashes))


@pytest.mark.parametrize("raw", [b"", b"\0" * 7, b"\0" * 9, b"\0" * 8 + b"x" * 32, b"\0" * 7 + b"\1"])
def test_what_is_no_right_edge_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="log"):
        merkle.Frontier.load(raw)
