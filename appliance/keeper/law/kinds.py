"""Kinds of findings about the law of the matter: told always, quieted by nobody, held down by no day's budget."""

from __future__ import annotations

from wire.findings import FindingKind

LAW_KINDS = frozenset(
    {
        FindingKind.TIME_UNAUTHENTICATED,
        FindingKind.AUTHORITY_ENDING,
        FindingKind.AUTHORITY_CHANGED,
        FindingKind.REVIEW_DUE,
        FindingKind.BREAK_GLASS,
        FindingKind.RECORDS_DROPPED,
    }
)
