"""Forms of the page: octets of a POST in, a message for the keeper or a plain sentence why not out.

A form counts only with a token that this process made for the client's address and this form, so that no other
page in a browser can send one in somebody's name; there are no cookies. Where the browser says that the form comes
from another place, it is refused, but for the notice: that one is also read on whatever page a device was led from.

Pure, but for the key made at start. Bounded: `MAX_FIELDS` fields; `PER_WINDOW` forms an address in `WINDOW` seconds,
for at most `MAX_ADDRESSES` addresses, beyond which none is taken until a window is over (`refused` counts).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec

from appliance import messages as m
from appliance.web import Asked

MAX_FIELDS = 8
MAX_HOST = 253
TOKEN_SECONDS = 3600.0
WINDOW = 60.0
PER_WINDOW = 6
MAX_ADDRESSES = 256

READ, VISITOR, ASK, OWN = "/read", "/visitor", "/ask", "/this-device"
PATHS = (READ, VISITOR, ASK, OWN)
"""Where forms are sent."""

HOURS = {"1": 1, "4": 4, "24": 24, "72": 72, "168": 168, "336": 336}
"""How long a visit may be said to last: an hour to fourteen days."""

_ASKED = {
    "correction": m.FormKind.CORRECTION,
    "complaint": m.FormKind.COMPLAINT,
    "access": m.FormKind.ACCESS,
}

SENT = "The box did not take the form, because it was not sent from this page. Please open the page again."
OLD = "The page was open for too long. Please open it again, and send the form once more."
OFTEN = "Too many forms were sent from here in a short while. Please wait a minute."
ODD = "The form could not be read. Please open the page again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a form was not taken, in plain words."""

    why: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST


class Tokens:
    """Made for an address and a form, good for an hour, of this run of the process."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def make(self, path: str, client: str, at: float) -> str:
        """A token; `at` in monotonic seconds."""
        moment = f"{int(at):x}"
        return f"{moment}.{self._mac(path, client, moment)}"

    def holds(self, token: str, path: str, client: str, at: float) -> str | None:
        """None where it is one for that, else why not."""
        moment, dot, mac = token.partition(".")
        if not dot or not token.isascii() or not hmac.compare_digest(mac, self._mac(path, client, moment)):
            return SENT
        made = int(moment, 16)  # ours: only what we wrote passes the line above
        return None if made <= at + 1 and at - made <= TOKEN_SECONDS else OLD

    def _mac(self, path: str, client: str, moment: str) -> str:
        return hmac.new(self._key, f"{path}|{client}|{moment}".encode(), sha256).hexdigest()[:32]


@dataclass(slots=True)
class Rate:
    """How many forms an address has sent in the window that is open."""

    since: float = float("-inf")
    counts: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def admits(self, client: str, at: float) -> bool:
        """Count one more; whether it may be taken."""
        if at - self.since >= WINDOW:
            self.since = at
            self.counts.clear()
        if client not in self.counts and len(self.counts) >= MAX_ADDRESSES:
            self.refused += 1
            return False
        count = self.counts.get(client, 0) + 1
        self.counts[client] = min(count, PER_WINDOW + 1)
        if count > PER_WINDOW:
            self.refused += 1
        return count <= PER_WINDOW


class Forms:
    """Reads what is sent."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.rate = Rate()

    def read(self, asked: Asked, path: str) -> m.FormSent | m.OwnPageAsked | Refusal:
        """The message that a form makes."""
        if not self.rate.admits(asked.client, asked.at):
            return Refusal(why=OFTEN, status=HTTPStatus.TOO_MANY_REQUESTS)
        if path != READ and asked.origin not in {"", f"http://{asked.host}", f"https://{asked.host}"}:
            return Refusal(why=SENT, status=HTTPStatus.FORBIDDEN)
        fields = parse(asked)
        why = ODD if fields is None else self._tokens.holds(fields.get("token", ""), path, asked.client, asked.at)
        if fields is None or why is not None:
            return Refusal(why=why or ODD, status=HTTPStatus.FORBIDDEN)
        made = _message(path, fields, asked)
        try:  # bounds and characters are those of the message
            return Refusal(why=ODD) if made is None else msgspec.convert(msgspec.to_builtins(made), type=type(made))
        except msgspec.ValidationError:
            return Refusal(why=ODD)


def parse(asked: Asked) -> dict[str, str] | None:
    """Fields of a form (application/x-www-form-urlencoded, in UTF-8); None where it is no such form."""
    if asked.form is None or asked.form_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    try:
        pairs = parse_qsl(
            asked.form.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one; too many fields is one
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def _message(path: str, fields: dict[str, str], asked: Asked) -> m.FormSent | m.OwnPageAsked | None:
    ticket, client = asked.ticket, asked.client
    visitor, hours = fields.get("visitor", ""), HOURS.get(fields.get("hours", ""))
    kind = _ASKED.get(fields.get("kind", ""))
    made: m.FormSent | m.OwnPageAsked | None = None
    if path == READ:
        made = m.FormSent(ticket=ticket, client=client, kind=m.FormKind.NOTICE_READ, notice=fields.get("notice", ""))
    elif path == OWN:
        made = m.OwnPageAsked(ticket=ticket, client=client, code=plain(fields.get("code", "")).strip())
    elif path == VISITOR and visitor in set(m.Visitor) and hours is not None:
        seconds = hours * 3600.0
        made = m.FormSent(
            ticket=ticket, client=client, kind=m.FormKind.GUEST, visitor=m.Visitor(visitor), seconds=seconds
        )
    elif path == ASK and kind is not None:
        made = m.FormSent(ticket=ticket, client=client, kind=kind, text=plain(fields.get("text", "")))
    return made


def plain(text: str) -> str:
    """A text without line ends of other systems and without characters that show as nothing or turn others round."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())
