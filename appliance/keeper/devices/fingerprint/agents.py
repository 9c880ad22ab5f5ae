"""What a User-Agent says of its sender: a thin, bounded wrapper around `ua-parser`.

Enters: the header's value. Leaves: the operating system and the device as `ua-parser` names them.
Bounded: `MAX_AGENT` characters are looked at; the last `REMEMBERED` answers are kept, because few
devices have many. The library and its expressions are loaded at the first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from ua_parser import BasicResolver, Domain, Parser, load_lazy_builtins

MAX_AGENT = 255
REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Empty text where the header does not say."""

    os: str
    """Family, as `Windows`, `iOS`, `Android`."""
    device: str
    """Family, brand and model with blanks between, as `Samsung SM-S918B Samsung SM-S918B`."""
    model: str


@cache
def _parser() -> Parser:
    return Parser(BasicResolver(load_lazy_builtins()))


@lru_cache(maxsize=REMEMBERED)
def read(header: str) -> Agent:
    """Read a User-Agent; whatever it holds, no error."""
    if "CFNetwork/" in header:
        # All systems of Apple send this with the kernel's number, which the library takes for a phone's.
        return Agent(os="", device="", model="")
    found = _parser()(header[:MAX_AGENT], Domain.OS | Domain.DEVICE)
    device = found.device
    return Agent(
        os=found.os.family if found.os else "",
        device=" ".join(part for part in (device.family, device.brand, device.model) if part) if device else "",
        model=(device.model or "") if device else "",
    )
