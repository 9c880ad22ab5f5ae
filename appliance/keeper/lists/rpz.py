"""Response policy zones: what a zone file lists, read with dnspython record by record.

In: a stream of bytes. Out: line numbers, each with a name and its reach or why there is none. The zone is
never held whole: each record is read on its own, with the origin, TTL and owner that hold there.

`name CNAME .` (or `*.`, `rpz-drop.`, or data of its own) lists exactly that name, `*.name` the names below;
`CNAME rpz-passthru.` is an exception. Triggers other than names (`rpz-ip` and its like), `$INCLUDE` and
`$GENERATE` are not supported. The zone's own SOA and NS are passed over.
Bounded: `MAX_RECORD` characters and `MAX_LINES` lines a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import dns.exception
import dns.name
import dns.rdatatype
import dns.rrset
import dns.zonefile

from appliance.keeper.lists.entries import Reach, Why
from appliance.keeper.lists.lines import read_lines

MAX_RECORD = 16 * 1024
MAX_LINES = 64
"""A record may go on over lines in parentheses (RFC 1035 section 5.1)."""

_OTHER_TRIGGERS = (b"rpz-ip", b"rpz-client-ip", b"rpz-nsip", b"rpz-nsdname")
_PASS = dns.name.from_text("rpz-passthru.")
_UNSUPPORTED = dns.name.from_text("rpz-tcp-only.")

_SPECIAL = frozenset('";()')

Found = tuple[str, Reach] | Why


def read(stream: BinaryIO) -> Iterator[tuple[int, Found]]:
    """What a zone file lists."""
    zone = _Zone()
    for number, text in _records(stream):
        if text is None:
            yield number, Why.MALFORMED
        elif text.startswith("$"):
            found = zone.directive(text)
            if found is not None:
                yield number, found
        else:
            for item in zone.record(text):
                yield number, item


class _Zone:
    """What holds for the next record."""

    def __init__(self) -> None:
        self._origin = dns.name.root
        self._apex = dns.name.root
        """What is taken off each owner: where the zone says itself, else nothing."""
        self._owner = "@"

    def directive(self, text: str) -> Why | None:
        words = text.split()
        match words[0].upper(), words[1:]:
            case "$ORIGIN", [origin, *_]:
                try:
                    self._origin = dns.name.from_text(origin, self._origin)
                except (dns.exception.DNSException, UnicodeError):
                    return Why.MALFORMED
                if self._apex == dns.name.root:
                    self._apex = self._origin
                return None
            case "$TTL", [_, *_]:
                return None
            case (("$INCLUDE" | "$GENERATE"), _):
                return Why.UNSUPPORTED
            case _:
                return Why.MALFORMED

    def record(self, text: str) -> Iterator[Found]:
        """What one record lists; usually one name."""
        if text[0].isspace():
            text = f"{self._owner} {text}"
        else:
            self._owner = text.split(maxsplit=1)[0]
        if "SOA" in text.upper().split(maxsplit=4)[1:4]:
            yield from self._start()
            return
        try:
            found = dns.zonefile.read_rrsets(text, origin=self._origin, relativize=False, default_ttl=60, rdclass=None)
        except (dns.exception.DNSException, ValueError, KeyError, IndexError, RecursionError):
            yield Why.MALFORMED
            return
        if not found:
            yield Why.UNSUPPORTED  # outside the zone
        for rrset in found:
            if rrset.rdtype != dns.rdatatype.NS:
                yield self._meant(rrset)

    def _start(self) -> Iterator[Found]:
        """The zone's first record says what it is called."""
        try:
            self._apex = dns.name.from_text(self._owner, self._origin)
        except (dns.exception.DNSException, UnicodeError):
            yield Why.MALFORMED
            return
        if self._origin == dns.name.root:
            self._origin = self._apex

    def _meant(self, rrset: dns.rrset.RRset) -> Found:
        if not rrset.name.is_subdomain(self._apex) or rrset.name == self._apex:
            return Why.UNSUPPORTED
        owner = rrset.name.relativize(self._apex)
        if owner.labels[-1] in _OTHER_TRIGGERS:
            return Why.UNSUPPORTED
        below = owner.labels[0] == b"*"
        labels = owner.labels[1:] if below else owner.labels
        if not labels or b"*" in labels:
            return Why.UNSUPPORTED
        name = dns.name.Name(labels)
        reach = Reach.BELOW if below else Reach.EXACT
        if rrset.rdtype == dns.rdatatype.CNAME:
            target = rrset[0].target
            if target == _UNSUPPORTED:
                return Why.UNSUPPORTED
            if target in (_PASS, name.concatenate(dns.name.root)):  # the second: how the first drafts wrote it
                reach = Reach.EXCEPTION
        return name.to_text(omit_final_dot=True), reach


def _records(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """Records with the number of their first line; None for one that cannot be read."""
    first, parts, depth, size = 0, list[str](), 0, 0
    for number, line in read_lines(stream):
        if line is None:
            yield first or number, None
            first, parts, depth, size = 0, [], 0, 0
            continue
        text, change = _bare(line)
        if not text.strip() and not depth:
            continue
        first = first or number
        parts.append(text)
        size += len(text)
        depth += change
        if depth > 0 and len(parts) < MAX_LINES and size < MAX_RECORD:
            continue
        yield first, " ".join(parts) if depth == 0 else None
        first, parts, depth, size = 0, [], 0, 0
    if parts:
        yield first, None


def _bare(text: str) -> tuple[str, int]:
    """A line without its comment, and by how many parentheses it opens more than it closes."""
    if not _SPECIAL.intersection(text):  # most lines, and a test of each letter is slow
        return text, 0
    quoted = False
    depth = 0
    for place, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter == ";":
            return text[:place], depth
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
    return text, depth
