"""Services in multicast DNS (RFC 6762, RFC 6763): what the sender of a message announces of itself.

Enters: a DNS message of the home's own traffic. Leaves: an `Announcement`: text in the forms that
`appliance.traits` gives. Bounded: `MAX_ITEMS` entries of each kind, what is over is counted; the message by `dns`.

Whose words are they? The records of a response are the responder's own (RFC 6762 section 6), and so are those in
the authority section of a query: a probe for names it wants (section 8.2). The answers in a query are what
the asker knows of others (section 7.1) and say nothing of it. A sleep proxy answers for a sleeper: `owner`.
Which keys of which service mean what is from the services' public documentation and RFC 6763.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from appliance.sensor.packet import dns, names

MAX_ITEMS = 64
"""Entries of each kind in one announcement."""

_OWNER = 4
"""EDNS option in which a sleep proxy's client, and the proxy for it, name its hardware (draft-cheshire-edns0-owner)."""

_LABEL = re.compile(r"(?:\\[0-9]{3}|\\.|[^\\.])+")
_ESCAPE = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)
_PROTOCOLS = frozenset({"_tcp", "_udp"})
_REVERSE = (".in-addr.arpa", ".ip6.arpa")
_HEX12 = re.compile(r"[0-9a-f]{12}")
_CAST_ID = re.compile(r"-([0-9a-f]{32})\Z")
_WORKSTATION = re.compile(r"(.+) \[([0-9a-f:]{17})\]\Z")
_PROXY_METRICS = re.compile(r"\A[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}(?:\.[0-9]+)? ")
_SHORTEST_ID = 6

PRODUCT_KEYS = frozenset(
    [
        "model",
        "md",
        "rpmd",
        "ci",
        "am",
        "ty",
        "manufacturer",
        "mfg",
        "mf",
        "usb_mfg",
        "usb_mdl",
        "mdl",
        "product",
        "pm",
        "vendor",
        "integrator",
        "hwid",
        "sf",
        "modelid",
        "osxvers",
        "srcvers",
        "rmodel",
        "fmodel",
        "vp",
        "dt",
        "app",
        "gen",
        "platform",
        "board",
        "project_name",
        "product_type",
        "product_name",
        "device_type",
        "type",
        "devicetype",
        "category",
        "brand",
        "mn",
        "model_number",
    ]
)
"""TXT keys that say what is on sale under which name, never which one of them; lower case."""
_NAME_KEYS = frozenset({"fn", "dn", "friendly_name", "machine name", "ctln"})
_NAME_KEYS_OF = {"_amzn-wplay._tcp": frozenset({"n"})}
_ID_KEYS = {
    "uuid": "uuid",
    "udn": "uuid",
    "mac": "mac",
    "macaddress": "mac",
    "deviceid": "device",
    "serial": "serial",
    "serialnumber": "serial",
    "sn": "serial",
    "bridgeid": "hue",
}
_ID_KEYS_OF = {
    "_hap._tcp": {"id": "homekit"},
    "_hap._udp": {"id": "homekit"},
    "_googlecast._tcp": {"id": "cast"},
    "_airplay._tcp": {"deviceid": "airplay", "pi": "airplay-pi", "psi": "airplay-psi"},
    "_androidtvremote2._tcp": {"bt": "bluetooth"},
    "_amzn-wplay._tcp": {"u": "amazon"},
    "_mediaremotetv._tcp": {"uniqueidentifier": "mediaremote"},
}
_NAMELESS = frozenset(
    [
        "_apple-mobdev2._tcp",
        "_matter._tcp",
        "_matterc._udp",
        "_matterd._udp",
        "_googlecast._tcp",
        "_remotepairing._tcp",
        "_remotepairing-manual-pairing._tcp",
        "_rdlink._tcp",
        "_touch-able._tcp",
        "_dacp._tcp",
        "_spotify-connect._tcp",
        "_mi-connect._udp",
    ]
)
"""Services whose instances are called by numbers made for the purpose: no name that anybody chose."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender says of itself; each entry once, in the order of the message."""

    offers: tuple[str, ...] = ()
    """Service types, such as `_ipp._tcp`, without subtypes and domain."""
    asks: tuple[str, ...] = ()
    """Service types it looks for; `_services._dns-sd._udp` asks for all."""
    instances: tuple[str, ...] = ()
    """Names of service instances and friendly names: chosen by a person, or ending in a number. Names that stand in
    the DNS are lower case, those from TXT as they were written."""
    host: str | None = None
    """Host name under .local without it, lower case."""
    texts: tuple[str, ...] = ()
    """Service type, a blank, `key=value`, of `PRODUCT_KEYS`; key and value as sent."""
    ids: tuple[str, ...] = ()
    """What kind of id, a colon, the id in lower case: `homekit:`, `cast:`, `airplay:`, `matter:` ..."""
    owner: str | None = None
    """Hardware address of whom the records speak, where the message says so: if it is not the sender's, the
    sender is a proxy."""
    overflow: int = 0
    """Entries over `MAX_ITEMS`."""


_NOTHING = Announcement()


def announcement(message: dns.Message) -> Announcement:
    """What the sender of this message announces and asks for; empty for a message that must be ignored.

    Operations and response codes other than zero are such (RFC 6762 sections 18.3 and 18.11), and records that end
    now (section 10.1).
    """
    if message.opcode or message.rcode:
        return _NOTHING
    found = _Collector()
    if message.response:
        own = message.answers + message.additionals
    else:
        own = message.authorities
        found.questions(message.questions, probes=bool(own))
    for record in own:
        if record.ttl:
            found.record(record)
    return found.announcement(_owner(message.edns))


def labels(name: str) -> list[str]:
    """The labels of a name in `names.from_labels` spelling, escapes kept."""
    return _LABEL.findall(name) if "\\" in name else name.split(".")


def plain(label: str) -> str:
    """A label as its owner wrote it, apart from case: escapes undone, UTF-8 kept (RFC 6763 section 4.1.3)."""
    if "\\" not in label:
        return label
    return names.announced(_ESCAPE.sub(_octet, label.encode()))


def service(name: str) -> tuple[str | None, str | None]:
    """The service type in a name, and the instance before it; None where the name has none."""
    parts = labels(name)
    for at in range(1, len(parts)):
        if parts[at] in _PROTOCOLS and parts[at - 1].startswith("_"):
            before = parts[: at - 1]
            own = f"{parts[at - 1]}.{parts[at]}"
            if own == "_dns-sd._udp" and before[-1:] == ["_services"]:
                return "_services." + own, None
            instance = ".".join(map(plain, before)) if before and before[-1] != "_sub" else None
            return own, instance
    return None, None


def _octet(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    return bytes((int(escaped) & 0xFF,)) if len(escaped) == 3 else escaped


def _owner(edns: dns.Edns | None) -> str | None:
    value = edns.option(_OWNER) if edns else None
    # Version, sequence number, then the primary hardware address.
    return value[2:8].hex(":") if value and len(value) >= 8 and value[0] == 0 else None


def _local(name: str | None) -> str | None:
    """The host in a name directly under .local."""
    if not name or not name.endswith(".local"):
        return None
    parts = labels(name)
    return plain(parts[0]) if len(parts) == 2 else None


def _identifier(kind: str, value: str) -> str:
    text = value.strip().lower()
    if _HEX12.fullmatch(text) and kind not in {"serial", "device"}:
        text = bytes.fromhex(text).hex(":")
    return f"{kind}:{text}"


class _Collector:
    """Entries of one announcement, each once."""

    __slots__ = ("_addressed", "_kinds", "_overflow", "_pointed", "_targeted")

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, None]] = {"offers": {}, "asks": {}, "instances": {}, "texts": {}, "ids": {}}
        self._overflow = 0
        self._addressed: str | None = None
        self._targeted: str | None = None
        self._pointed: str | None = None

    def questions(self, questions: tuple[dns.Question, ...], *, probes: bool) -> None:
        """What is looked for; a question for ANY beside a probe is about the asker's own name (section 8.1)."""
        wanted = {dns.PTR, dns.SRV, dns.TXT} if probes else {dns.PTR, dns.SRV, dns.TXT, dns.ANY}
        for question in questions:
            kind, _ = service(question.name)
            if kind and question.qtype in wanted:
                self._add("asks", kind)

    def record(self, record: dns.Answer) -> None:
        """What one of the sender's own records says."""
        if record.rtype in {dns.A, dns.AAAA}:
            self._addressed = self._addressed or _local(record.name)
        elif record.rtype == dns.PTR:
            self._pointer(record)
        elif record.rtype in {dns.SRV, dns.TXT}:
            kind, instance = service(record.name)
            if kind is None:
                return
            self._add("offers", kind)
            self._instance(kind, instance)
            if record.rtype == dns.SRV:
                self._targeted = self._targeted or _local(record.value)
            elif isinstance(record.data, tuple):
                self._text(kind, record.data)

    def announcement(self, owner: str | None) -> Announcement:
        """All that was found."""
        return Announcement(
            **{kind: tuple(entries) for kind, entries in self._kinds.items()},
            host=self._addressed or self._targeted or self._pointed,
            owner=owner,
            overflow=self._overflow,
        )

    def _add(self, kind: str, entry: str) -> None:
        entries = self._kinds[kind]
        if entry in entries:
            return
        if len(entries) == MAX_ITEMS:
            self._overflow += 1
        else:
            entries[entry] = None

    def _pointer(self, record: dns.Answer) -> None:
        if record.name.endswith(_REVERSE):
            self._pointed = self._pointed or _local(record.value)
            return
        if service(record.name)[0] is None or record.value is None:
            return
        # The value says the same type, with an instance; of an enumeration (RFC 6763 section 9), the type.
        kind, instance = service(record.value)
        if kind is not None:
            self._add("offers", kind)
            self._instance(kind, instance)

    def _instance(self, kind: str, instance: str | None) -> None:
        if not instance:
            return
        name: str | None = instance
        if kind == "_matter._tcp":
            self._add("ids", f"matter:{instance}")
        elif kind == "_apple-mobdev2._tcp":
            self._add("ids", _identifier("apple-mobdev", instance.partition("@")[0]))
        elif kind == "_googlecast._tcp" and (found := _CAST_ID.search(instance)):
            self._add("ids", f"cast:{found[1]}")
        elif kind == "_raop._tcp" and _HEX12.fullmatch(instance.partition("@")[0]):
            address, _, name = instance.partition("@")
            self._add("ids", _identifier("airplay", address))
        elif kind == "_workstation._tcp" and (found := _WORKSTATION.match(instance)):
            name = found[1]
            self._add("ids", f"mac:{found[2]}")
        elif kind == "_sleep-proxy._udp":
            name = _PROXY_METRICS.sub("", instance)
        elif kind == "_amzn-wplay._tcp" and instance.startswith("amzn."):
            name = None
        if name and kind not in _NAMELESS:
            self._add("instances", name)

    def _text(self, kind: str, strings: tuple[bytes, ...]) -> None:
        ids = _ID_KEYS_OF.get(kind, {})
        for key, value in _pairs(strings):
            low = key.lower()
            if low in _NAME_KEYS or low in _NAME_KEYS_OF.get(kind, ()):
                self._add("instances", value)
            elif sort := ids.get(low) or _ID_KEYS.get(low):
                self._add("ids", _identifier(sort, value))
            elif low == "id" and len(value) >= _SHORTEST_ID:
                self._add("ids", _identifier(kind.partition(".")[0].lstrip("_"), value))
            elif low in PRODUCT_KEYS:
                self._add("texts", f"{kind} {key}={value}")


def _pairs(strings: tuple[bytes, ...]) -> Iterator[tuple[str, str]]:
    """Keys with a value that is not empty; of a key that comes again, the first (RFC 6763 section 6.4)."""
    seen: set[bytes] = set()
    for string in strings:
        key, equals, value = string.partition(b"=")
        if not (key and equals) or key.lower() in seen:
            continue
        seen.add(key.lower())
        if text := names.announced(value).strip():
            yield names.announced(key), text
