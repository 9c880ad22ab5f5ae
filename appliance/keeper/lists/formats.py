"""Lists as they are published, read line by line: entries and networks out, and faults with their line.

In: a stream of bytes and its format. Out: `Entry`, network or `Fault`, one at a time, in the order of the
file; nothing raises on any bytes. What a line means in its own program is kept exactly or counted as
unsupported, never guessed; an entry that names a page is never widened to its site (N16).

- `hosts`: `0.0.0.0 name ...`: exact. The machine's own names (`localhost`) are passed over.
- `domains`: a name a line: itself and below, unless the list's manifest says `exact`; `*.name`: below.
- `wildcard`: `*.name`: below; a plain name: exact.
- `adblock`: `||name^`: itself and below; `@@||name^`: exception. All else blocks parts of pages.
- `dnsmasq`: `address=/name/...`, `local=/name/`, `server=/name/`: itself and below; `server=/name/#`: exception.
- `unbound`: `local-zone: "name" always_nxdomain` and its like; `transparent`: exception; `local-data`: exact.
- `rpz`: a zone; see `rpz`.
- `addresses`: IP addresses and networks.

Bounded: `MAX_LINE` octets a line; of one that is longer, nothing is kept.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import BinaryIO

from appliance.keeper.lists import plain as quick
from appliance.keeper.lists import rpz
from appliance.keeper.lists.entries import Entry, Fault, Item, Network, Reach, Why
from appliance.keeper.lists.lines import MAX_LINE, lines_of, read_blocks
from appliance.keeper.lists.names import normalise
from appliance.keeper.lists.suffixes import is_public

MAX_HOSTS = 64
"""Names on one line of a hosts file."""

__all__ = ["MAX_HOSTS", "MAX_LINE", "Format", "parse"]


class Format(StrEnum):
    """Formats of lists that are met in the wild."""

    HOSTS = "hosts"
    DOMAINS = "domains"
    WILDCARD = "wildcard"
    ADBLOCK = "adblock"
    DNSMASQ = "dnsmasq"
    UNBOUND = "unbound"
    RPZ = "rpz"
    ADDRESSES = "addresses"


Found = tuple[str, Reach] | Network | Why
"""What a line says: a name as it is written, a network, or why it is neither."""


def parse(stream: BinaryIO, format_: Format, *, plain: Reach | None = None) -> Iterator[Item]:
    """Read a list.

    `plain` is the reach of a line that is only a name, where the list's manifest says another than the
    format's own; other lines keep theirs.
    """
    if format_ is Format.RPZ:
        for number, meant in rpz.read(stream):
            yield _checked(number, meant)
        return
    for number, block in read_blocks(stream):
        for like, reach in _QUICK.get(format_, ()):
            names = quick.names(block, like)
            if names is not None and (format_ is not Format.HOSTS or _OWN_NAMES.isdisjoint(names)):
                covers = reach if plain is None or reach is not _PLAIN.get(format_) else plain
                for name in names:
                    yield Entry(name=name, reach=covers)
                break
        else:
            yield from _one_by_one(number, block, format_, plain)


def _one_by_one(first: int, block: bytes, format_: Format, plain: Reach | None) -> Iterator[Item]:
    reader, own = _READERS[format_], _PLAIN.get(format_)
    for number, text in lines_of(first, block):
        if text is None:
            yield Fault(line=number, why=Why.MALFORMED)
            continue
        for found in reader(text):
            if plain is not None and isinstance(found, tuple) and found[1] is own:
                found = found[0], plain  # noqa: PLW2901 - the same name with the reach that the manifest gives it
            yield _checked(number, found)


def _checked(line: int, found: Found) -> Item:
    """A name in its one form, unless it is everybody's; a network, unless it is too wide."""
    if isinstance(found, tuple):
        name = normalise(found[0])
        if name is None:
            return Fault(line=line, why=_why_no_name(found[0]))
        if is_public(name):
            return Fault(line=line, why=Why.PUBLIC_SUFFIX)
        return Entry(name=name, reach=found[1])
    if isinstance(found, Why):
        return Fault(line=line, why=found)
    return found if _is_narrow(found) else Fault(line=line, why=Why.TOO_WIDE)


def _why_no_name(text: str) -> Why:
    if "/" in text:
        return Why.URL
    return Why.UNSUPPORTED if "*" in text else Why.MALFORMED


# --- one reader a format: a line in, what it says out ----------------------------------------

_OWN_NAMES = frozenset(
    {
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
        "ip6-allhosts",
        "0.0.0.0",  # noqa: S104 - a name that published hosts files give to themselves
    }
)


def _hosts(text: str) -> Iterator[Found]:
    words = text.partition("#")[0].split(maxsplit=MAX_HOSTS + 1)
    if not words:
        return
    if len(words) < 2 or _network(words[0]) is None:
        yield Why.URL if "/" in words[0] else Why.MALFORMED
        return
    for name in words[1 : MAX_HOSTS + 1]:
        if name.lower() not in _OWN_NAMES:
            yield name, Reach.EXACT
    if len(words) > MAX_HOSTS + 1:
        yield Why.MALFORMED


def _domains(text: str) -> tuple[Found, ...]:
    return _starred(text, Reach.SUBTREE)


def _wildcard(text: str) -> tuple[Found, ...]:
    return _starred(text, Reach.EXACT)


def _starred(text: str, plain: Reach) -> tuple[Found, ...]:
    name = (text.partition("#")[0] if "#" in text else text).strip()
    return (_name(name, plain),) if name else ()


def _name(name: str, plain: Reach) -> Found:
    """A name, or `*.` and a name."""
    if name.startswith("*."):
        return Why.UNSUPPORTED if "*" in name[2:] else (name[2:], Reach.BELOW)
    return name, plain


_COSMETIC = re.compile(r"#(?:[@?$%]{0,3})#|\$\$|\$@\$")
"""Rules on parts of a page: element hiding and scriptlets of the adblock language."""


def _adblock(text: str) -> Iterator[Found]:
    rule = text.strip()
    if not rule or rule.startswith("!") or (rule.startswith("[") and rule.endswith("]")):
        return
    if _COSMETIC.search(rule):
        yield Why.UNSUPPORTED
        return
    if rule.startswith("#"):
        return
    reach = Reach.EXCEPTION if rule.startswith("@@") else Reach.SUBTREE
    body, _dollar, options = rule.removeprefix("@@").partition("$")
    if options or not body.startswith("||") or not body.endswith("^"):
        # A bare word would be looked for anywhere in an address; `||name` without `^` goes on to other names.
        yield Why.URL if "/" in body and not options else Why.UNSUPPORTED
        return
    name = body[2:-1]
    found = _name(name, reach)
    # An exception for the names below only has no bits of its own.
    yield Why.UNSUPPORTED if reach is Reach.EXCEPTION and name.startswith("*.") else found


_DNSMASQ = re.compile(r"(address|server|local)\s*=\s*/(.+)/([^/]*)")


def _dnsmasq(text: str) -> Iterator[Found]:
    line = re.sub(r"(?:^|\s)#.*", "", text).strip()
    if not line:
        return
    match = _DNSMASQ.fullmatch(line)
    if match is None:
        yield Why.UNSUPPORTED if re.match(r"[a-z0-9-]+\s*(=|$)", line) else Why.MALFORMED
        return
    keyword, names, target = match.groups()
    reach: Reach | None = Reach.SUBTREE
    if keyword == "server" and target:
        reach = Reach.EXCEPTION if target == "#" else None  # to a server of its own: not a list's business
    for name in names.split("/"):
        yield Why.UNSUPPORTED if reach is None or "*" in name or not name else (name, reach)


_ZONE = re.compile(r"""local-zone:\s*["']?([^"'\s]+)["']?\s+["']?([a-z_]+)["']?""")
_DATA = re.compile(r"""local-data:\s*["']([^"'\s]+)\s+(?:[0-9]+\s+)?(?:IN\s+)?(A|AAAA)\s+[^"']*["']""", re.IGNORECASE)
_REFUSING = frozenset(
    {
        "always_deny",
        "always_nodata",
        "always_null",
        "always_nxdomain",
        "always_refuse",
        "deny",
        "inform_deny",
        "inform_redirect",
        "redirect",
        "refuse",
        "static",
    }
)
"""Types of a zone that keep its names from being found (unbound.conf(5))."""
_PASSING = frozenset({"always_transparent", "transparent", "typetransparent", "nodefault"})


def _unbound(text: str) -> Iterator[Found]:
    line = re.sub(r"(?:^|\s)#.*", "", text).strip()
    if not line or line == "server:":
        return
    if (zone := _ZONE.fullmatch(line)) is not None:
        name, kind = zone.groups()
        reach = Reach.SUBTREE if kind in _REFUSING else Reach.EXCEPTION if kind in _PASSING else None
        yield Why.UNSUPPORTED if reach is None else (name, reach)
    elif (data := _DATA.fullmatch(line)) is not None:
        yield data[1], Reach.EXACT
    else:
        yield Why.UNSUPPORTED if re.match(r"[a-z0-9-]+:", line) else Why.MALFORMED


def _addresses(text: str) -> Iterator[Found]:
    words = re.split(r"[#;]", text, maxsplit=1)[0].split()
    if words:
        yield (_network(words[0]) if len(words) == 1 else None) or Why.MALFORMED


def _network(text: str) -> Network | None:
    if len(text) > 64 or "%" in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


_HOME = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Addresses of homes, machines themselves and groups: blocking one would cut a household off itself."""
WIDEST = {4: 8, 6: 16}
"""Shortest prefix of a network that a list may name."""


def _is_narrow(network: Network) -> bool:
    return network.prefixlen >= WIDEST[network.version] and not any(
        network.overlaps(home) for home in _HOME if home.version == network.version
    )


_READERS: dict[Format, Callable[[str], Iterable[Found]]] = {
    Format.HOSTS: _hosts,
    Format.DOMAINS: _domains,
    Format.WILDCARD: _wildcard,
    Format.ADBLOCK: _adblock,
    Format.DNSMASQ: _dnsmasq,
    Format.UNBOUND: _unbound,
    Format.ADDRESSES: _addresses,
}
_PLAIN = {
    Format.HOSTS: Reach.EXACT,
    Format.DOMAINS: Reach.SUBTREE,
    Format.WILDCARD: Reach.EXACT,
}
"""Formats in which a line can be only a name, and what it then covers."""
_QUICK = {
    Format.HOSTS: ((quick.line(r"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]+"), Reach.EXACT),),
    Format.DOMAINS: ((quick.line(), Reach.SUBTREE),),
    Format.WILDCARD: ((quick.line(r"\*\."), Reach.BELOW), (quick.line(), Reach.EXACT)),
    Format.ADBLOCK: ((quick.line(r"\|\|", r"\^"), Reach.SUBTREE),),
    Format.DNSMASQ: (
        (quick.line("address=/", r"/(?:0\.0\.0\.0|#|::)?"), Reach.SUBTREE),
        (quick.line("(?:local|server)=/", "/"), Reach.SUBTREE),
    ),
}
"""How most lines of a format are written, and what they cover; `_READERS` say the same of one line at a time."""
