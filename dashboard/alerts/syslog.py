"""Lines for a collector: rows of the audit and states of findings in, RFC 5424 messages out; ids alone.

Pure. What is not an id by its form is left out and said to be left out: nothing that somebody typed, no label and no
name of a site leaves here. Framed by octet counting (RFC 6587, 3.4.1; RFC 5425, 4.3). Bounded: every field has a most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

AUDIT_FACILITY, USER_FACILITY = 13, 1
WARNING, NOTICE, INFO = 4, 5, 6
_IDS = re.compile(r"[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,3}")
_WORD = re.compile(r"[a-z0-9-]{1,60}( [a-z0-9-]{1,20}){0,2}")


def audit_line(
    *,
    audit_id: int,
    at: float,
    account_id: str | None,
    action: str,
    subject: str,
    outcome: str,
    digest: str,
    host: str,
    enterprise: int,
) -> bytes:
    """One row of the audit as a message."""
    shown = subject if _IDS.fullmatch(subject) else ""
    fields = {
        "id": str(audit_id),
        "account": _id(account_id or ""),
        "action": action if _WORD.fullmatch(action) else "",
        "subject": shown,
        "outcome": outcome if _WORD.fullmatch(outcome) else "",
        "digest": _id(digest),
    }
    if subject and not shown:
        fields["withheld"] = "subject"
    severity = NOTICE if outcome in {"refused", "failed", "locked", "emergency"} else INFO
    return _line(AUDIT_FACILITY * 8 + severity, at, host, "audit", {f"audit@{enterprise}": fields})


def finding_line(
    *,
    at: float,
    site: str,
    finding_id: str,
    kind: str,
    severity: str,
    state: str,
    revision: int,
    host: str,
    enterprise: int,
) -> bytes:
    """The state of a finding as a message."""
    fields = {
        "site": _id(site),
        "finding": _id(finding_id),
        "kind": _id(kind),
        "severity": _id(severity),
        "state": _id(state),
        "revision": str(revision),
    }
    return _line(USER_FACILITY * 8 + NOTICE, at, host, "finding", {f"finding@{enterprise}": fields})


def dropped_line(*, at: float, number: int, host: str, enterprise: int) -> bytes:
    """That rows were left out."""
    return _line(AUDIT_FACILITY * 8 + WARNING, at, host, "dropped", {f"audit@{enterprise}": {"rows": str(number)}})


def framed(line: bytes) -> bytes:
    """A message for a stream: its length in octets, a space, the message."""
    return b"%d %s" % (len(line), line)


def _id(text: str) -> str:
    return text if _IDS.fullmatch(text) else ""


def _line(priority: int, at: float, host: str, what: str, data: Mapping[str, Mapping[str, str]]) -> bytes:
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    elements = "".join(f"[{name} {_fields(fields)}]" for name, fields in data.items())
    return f"<{priority}>1 {stamp} {host} gatehouse - {what} {elements}".encode()


def _fields(fields: Mapping[str, str]) -> str:
    return " ".join(f'{key}="{_value(value)}"' for key, value in fields.items() if value)


def _value(text: str) -> str:
    # RFC 5424, 6.3.3: these three are written with a backslash before them. Ids have none of them.
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
