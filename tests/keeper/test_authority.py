from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.authority import Reason, Scope, judge
from appliance.keeper.law.desk import Desk
from wire.authority import CollectClause, DataClass, ListsClause
from wire.base import Standing

START = 1_900_000_000.0


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


@pytest.fixture
def desk(issuer: Ed25519PrivateKey) -> Desk:
    return Desk(issuers=[issuer.public_key()], tenant="force-a", site="box-1")


def test_scope_gives_each_class_with_its_clause(scope: Scope) -> None:
    assert scope.classes(Standing.REGISTERED) == {
        DataClass.PRESENCE: "1",
        DataClass.FINGERPRINT: "1",
        DataClass.FULL_NAMES: "3",
    }
    assert scope.lists(Standing.REGISTERED) == {"gambling": "4"}
    assert scope.lists(Standing.UNKNOWN) == {}
    assert scope.quarantine(Standing.REFUSED) == "5"
    assert scope.quarantine(Standing.UNKNOWN) is None
    assert scope.register() == "2"
    assert scope.names_leave(Standing.REGISTERED)
    assert not scope.names_leave(Standing.HOUSEHOLD)
    assert DataClass.PRESENCE in scope.classes(Standing.UNKNOWN)


@pytest.mark.req("R55", "R56")
def test_without_presence_nothing_is_allowed(make_authority: Any) -> None:
    clauses = (
        CollectClause(number="1", standings=(Standing.GUEST,), classes=(DataClass.FULL_NAMES,)),
        ListsClause(number="2", standings=(Standing.GUEST,), lists=("gambling",)),
    )
    scope = Scope(authority=make_authority(clauses=clauses))
    assert scope.classes(Standing.GUEST) == {}
    assert scope.lists(Standing.GUEST) == {}
    assert scope.register() is None


@pytest.mark.req("R53", "R54")
@pytest.mark.parametrize(
    ("moment", "reason"),
    [(-3601, Reason.NOT_YET), (-3600, Reason.IN_FORCE), (86399, Reason.IN_FORCE), (86400, Reason.EXPIRED)],
)
def test_dates(make_authority: Any, moment: float, reason: Reason) -> None:
    judgement = judge(make_authority(), START + moment)
    assert judgement.reason is reason
    assert (judgement.scope is not None) == (reason is Reason.IN_FORCE)
    assert judgement.sentence.endswith(".")


@pytest.mark.req("R53")
def test_no_file(desk: Desk) -> None:
    assert desk.judgement(START).reason is Reason.MISSING
    desk.offer(None, START)
    assert desk.judgement(START).reason is Reason.MISSING


@pytest.mark.req("R53", "N1")
@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"key": Ed25519PrivateKey.generate()}, Reason.BAD_SIGNATURE, "signature"),
        ({"site": "box-2"}, Reason.WRONG_SITE, "force-a/box-2"),
        ({"tenant": "force-b"}, Reason.WRONG_SITE, "force-b/box-1"),
    ],
)
def test_a_file_that_does_not_count(
    desk: Desk, signed: Any, changes: dict[str, Any], reason: Reason, words: str
) -> None:
    desk.offer(signed(**changes), START)
    judgement = desk.judgement(START)
    assert judgement.reason is reason
    assert judgement.scope is None
    assert words in judgement.sentence


@pytest.mark.req("R53")
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"document": {}, "signatures": []}', b" " * 70_000])
def test_bytes_that_are_no_document(desk: Desk, raw: bytes) -> None:
    desk.offer(raw, START)
    assert desk.judgement(START).reason is Reason.UNREADABLE
    assert desk.judgement(START).scope is None


def test_an_altered_document_does_not_count(desk: Desk, signed: Any) -> None:
    raw = signed()
    assert b'"unknown"' in raw
    desk.offer(raw.replace(b'"full_names"', b'"list_hits"'), START)
    assert desk.judgement(START).reason is Reason.BAD_SIGNATURE


@pytest.mark.req("N1")
def test_a_variation_needs_a_higher_number(desk: Desk, signed: Any) -> None:
    desk.offer(signed(number=2), START)
    desk.offer(signed(number=1), START)
    judgement = desk.judgement(START)
    assert judgement.scope is not None
    assert judgement.scope.authority.number == 2
    assert "number 1" in judgement.sentence
    assert "refused" in judgement.sentence
    desk.offer(signed(number=2, reference="EX-0002"), START)
    assert "refused" in desk.judgement(START).sentence, "the same number with another content"
    desk.offer(signed(number=3), START)
    judgement = desk.judgement(START)
    assert judgement.scope is not None
    assert judgement.scope.authority.number == 3
    assert "refused" not in judgement.sentence


def test_another_authority_must_be_issued_later(desk: Desk, signed: Any) -> None:
    desk.offer(signed(number=5), START)
    desk.offer(signed(id="other", issued_at=at(-9000)), START)
    assert "refused" in desk.judgement(START).sentence
    desk.offer(signed(id="other", issued_at=at(-60)), START)
    scope = desk.judgement(START).scope
    assert scope is not None
    assert scope.authority.id == "other"
    desk.offer(signed(number=6), START)
    assert "refused" in desk.judgement(START).sentence, "no way back to an earlier one"


def test_a_variation_waits_for_its_day(desk: Desk, signed: Any) -> None:
    desk.offer(signed(), START)
    desk.offer(signed(number=2, not_before=at(100)), START)
    judgement = desk.judgement(START + 99)
    assert judgement.scope is not None
    assert judgement.scope.authority.number == 1
    assert "A variation starts on" in judgement.sentence
    judgement = desk.judgement(START + 100)
    assert judgement.scope is not None
    assert judgement.scope.authority.number == 2
    assert desk.accepted is not None
    assert desk.accepted.authority.number == 2


@pytest.mark.req("R54")
def test_a_withdrawal_by_variation(desk: Desk, signed: Any) -> None:
    desk.offer(signed(), START)
    desk.offer(signed(number=2, not_after=at(-1)), START)
    assert desk.judgement(START).reason is Reason.EXPIRED


def test_a_long_refusal_still_fits_the_wire(desk: Desk, signed: Any) -> None:
    desk.offer(signed(id="a" * 64), START)
    desk.offer(b'{"document": {' + b",".join(b'"x%d": 1' % n for n in range(900)) + b"}}", START)
    assert len(desk.judgement(START).sentence) <= 300


def test_a_clock_that_shows_an_impossible_year_ends_nothing_but_the_authority(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed())
    bench.online()
    bench.wait(61, wall=8e9)
    assert bench.core._judgement.reason is Reason.EXPIRED


@pytest.mark.req("R53")
def test_a_stored_document_is_verified_again(issuer: Ed25519PrivateKey, signed: Any) -> None:
    """The store is not trusted more than the file: a forged row there gives no leave."""
    for stored, in_force in ((signed(), True), (signed(key=Ed25519PrivateKey.generate()), False)):
        desk = Desk(issuers=[issuer.public_key()], tenant="force-a", site="box-1", accepted=stored)
        assert desk.judgement(START).scope is None, "the file must be there as well"
        desk.offer(b"no document", START)
        assert (desk.judgement(START).scope is not None) is in_force


FILTERS = [
    {"number": "1", "kind": "collect", "standings": ["registered"], "classes": ["presence"]},
    {"number": "2", "kind": "block", "standings": ["registered", "unknown"], "lists": ["a", "b"]},
    {"number": "3", "kind": "block", "standings": ["registered"], "lists": ["b", "c"], "fail_closed": True},
    {"number": "4", "kind": "allow-only", "standings": ["refused"], "lists": ["school"]},
    {"number": "5", "kind": "safe-search", "standings": ["registered"]},
    {"number": "6", "kind": "answers", "standings": ["registered"], "refuse": ["relay"]},
    {"number": "7", "kind": "quarantine", "standings": ["unknown"], "fail_closed": True},
    {"number": "8", "kind": "lists", "standings": ["registered"], "lists": ["adult"], "itemise": True},
    {"number": "9", "kind": "nearby"},
]


@pytest.mark.req("R22")
def test_clauses_of_a_filter_are_answered_by_standing_with_their_number(make_authority: Any) -> None:
    """None of them needs leave to collect: `a`, `b` and `c` are in no clause about what is recorded."""
    scope = Scope(authority=make_authority(clauses=FILTERS))
    assert scope.filtered(Standing.REGISTERED) == "2"
    assert scope.filtered(Standing.REFUSED) == "4"
    assert scope.filtered(Standing.HOUSEHOLD) is None
    assert scope.block_lists(Standing.REGISTERED) == {"a": "2", "b": "2", "c": "3"}
    assert scope.block_lists(Standing.REFUSED) == {}
    assert scope.allow_lists(Standing.REFUSED) == {"school": "4"}
    assert scope.allow_lists(Standing.REGISTERED) is None
    assert (scope.safe_search(Standing.REGISTERED), scope.safe_search(Standing.UNKNOWN)) == ("5", None)
    assert (scope.refuses(Standing.REGISTERED), scope.refuses(Standing.UNKNOWN)) == ({"relay": "6"}, {})
    assert (scope.fail_closed(Standing.REGISTERED), scope.fail_closed(Standing.UNKNOWN)) == (True, False)
    assert (scope.quarantine_closed(Standing.UNKNOWN), scope.quarantine_closed(Standing.REFUSED)) == (True, False)
    assert scope.itemise(Standing.REGISTERED, "adult")
    assert not scope.itemise(Standing.REGISTERED, "a")
    assert scope.nearby() == "9"


def test_without_such_clauses_nothing_is_filtered_and_nothing_counted(scope: Scope) -> None:
    assert all(scope.filtered(standing) is None for standing in Standing)
    assert not any(scope.fail_closed(standing) or scope.quarantine_closed(standing) for standing in Standing)
    assert scope.nearby() is None


@pytest.mark.req("R57")
@pytest.mark.parametrize("standing", ["household", "guest", "work", "infrastructure"])
@pytest.mark.parametrize("kind", ["block", "allow-only", "safe-search", "answers"])
def test_no_clause_can_filter_the_family(make_authority: Any, kind: str, standing: str) -> None:
    extra = {"safe-search": {}, "answers": {"refuse": ["canary"]}}.get(kind, {"lists": ["a"]})
    with pytest.raises(ValueError, match="standings"):
        make_authority(clauses=[{"number": "1", "kind": kind, "standings": [standing], **extra}])
