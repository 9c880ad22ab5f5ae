from __future__ import annotations

from struct import unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ja

# The example of the published description of JA4.
CIPHERS = unpack("!15H", bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035"))
EXTENSIONS = unpack("!16H", bytes.fromhex("001b00000033001044690017002d000d000500230012002bff01000b000a0015"))
ALGORITHMS = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)


@pytest.mark.parametrize(
    ("text", "digest"),
    [  # both from the published description of JA3
        (
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
            "ada70206e40642a3e4461f35503241d5",
        ),
        ("769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"),
    ],
)
def test_ja3_of_its_description(text: str, digest: str) -> None:
    version, *lists = text.split(",")
    ciphers, extensions, groups, points = (tuple(int(part) for part in item.split("-") if part) for item in lists)
    assert ja.ja3_text(int(version), ciphers, extensions, groups, points) == text
    assert ja.ja3_digest(text) == digest


def test_ja3_leaves_grease_out_and_keeps_order() -> None:
    assert ja.ja3_text(771, (0x0A0A, 3, 1), (0xFAFA, 10, 0), (0x1A1A, 29), (0,)) == "771,3-1,10-0,29,0"


def test_ja4_of_its_description() -> None:
    made = ja.ja4(
        "t", version=0x0304, ciphers=CIPHERS, extensions=EXTENSIONS, alpn=b"h2", signature_algorithms=ALGORITHMS
    )
    assert made == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_ja4_is_the_same_with_grease_and_in_another_order() -> None:
    made = ja.ja4(
        "t",
        version=0x0304,
        ciphers=(0x2A2A, *CIPHERS[::-1]),
        extensions=(0xDADA, *EXTENSIONS[::-1], 0x6A6A),
        alpn=b"h2",
        signature_algorithms=(0x0A0A, *ALGORITHMS),
    )
    assert made == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_ja4_without_signature_algorithms_of_its_description() -> None:
    made = ja.ja4("q", version=0x0304, ciphers=CIPHERS, extensions=EXTENSIONS, alpn=b"h3", signature_algorithms=())
    assert made == "q13d1516h3_8daaf6152771_6d807ffa2a79"


def test_ja4_of_nothing() -> None:
    made = ja.ja4("d", version=0x1234, ciphers=(), extensions=(0x0A0A,), alpn=None, signature_algorithms=ALGORITHMS)
    assert made == "d00i000000_000000000000_000000000000"


def test_ja4_counts_end_at_99() -> None:
    many = tuple(range(1000, 1400))
    made = ja.ja4("t", version=0x0303, ciphers=many, extensions=(0, *many), alpn=None, signature_algorithms=many)
    assert made.startswith("t12d999900_")


@pytest.mark.parametrize(
    ("alpn", "ends"),
    [  # the last five from the published description
        (None, "00"),
        (b"", "00"),
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"h", "hh"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ],
)
def test_ends_of_the_first_protocol(alpn: bytes | None, ends: str) -> None:
    assert ja.alpn_ends(alpn) == ends


@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        ((), 0x0303),
        ((0x0A0A,), 0x0303),
        ((0xFAFA, 0x0304, 0x0303), 0x0304),
        ((0x0303, 0x0302), 0x0303),
        ((0x0304,), 0x0304),
        ((0xFEFD, 0xFEFC), 0xFEFC),
        ((0xFAFA, 0xFEFC, 0xFEFD, 0xFEFF), 0xFEFC),
        ((0xFEFD,), 0xFEFD),
    ],
)
def test_the_highest_version(versions: tuple[int, ...], highest: int) -> None:
    assert ja.highest(versions, 0x0303) == highest


_LISTS = st.lists(st.integers(0, 0xFFFF), max_size=200).map(tuple)


@given(_LISTS, _LISTS, _LISTS, st.none() | st.binary(max_size=255))
def test_any_lists(
    ciphers: tuple[int, ...], extensions: tuple[int, ...], algorithms: tuple[int, ...], alpn: bytes | None
) -> None:
    made = ja.ja4(
        "t",
        version=ja.highest(algorithms, 0x0303),
        ciphers=ciphers,
        extensions=extensions,
        alpn=alpn,
        signature_algorithms=algorithms,
    )
    assert len(made) == 36
    assert len(ja.ja3_digest(ja.ja3_text(0x0303, ciphers, extensions, algorithms, (0,)))) == 32


def test_what_is_remembered_is_bounded() -> None:
    for number in range(2 * ja.CACHED):
        ja.ja3_text(771, (number,), (number + 5000,), (), ())
    assert ja._cached_decimal.cache_info().currsize <= ja.CACHED  # type: ignore[attr-defined]  # what lru_cache adds
    before = ja._cached_decimal.cache_info().misses  # type: ignore[attr-defined]  # what lru_cache adds
    ja.ja3_text(771, tuple(range(ja.MAX_CACHED + 1)), tuple(range(ja.MAX_CACHED + 1)), (), ())
    after = ja._cached_decimal.cache_info()  # type: ignore[attr-defined]  # what lru_cache adds
    assert after.misses - before <= 1, "a list longer than any real one is not remembered"
