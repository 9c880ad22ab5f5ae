"""What a TCP SYN says of the system that sent it (RFC 9293 section 3.2, options of RFC 7323, 2018).

Enters: IP and TCP header of a SYN. Leaves: a `Syn`.
"""

from __future__ import annotations

import msgspec


class Syn(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a SYN that systems choose differently."""

    version: int
    """4 or 6."""
    ttl: int
    """Time to live or hop limit as heard."""
    window: int
    mss: int | None
    scale: int | None
    """Window scale."""
    options: tuple[int, ...]
    """Kinds in the sender's order; no-operation 1 included, 0 ends the list."""
    quirks: tuple[str, ...] = ()
    """Such as `df`, `id+`, `ecn`, `flow`."""

    @property
    def text(self) -> str:
        """One line: version:ttl:window,scale:mss:options:quirks; `ttl` is rounded up to 32, 64, 128 or 255."""
        first = next(limit for limit in (32, 64, 128, 255) if self.ttl <= limit)
        scale = "*" if self.scale is None else str(self.scale)
        mss = "*" if self.mss is None else str(self.mss)
        kinds = ",".join(map(str, self.options))
        return f"{self.version}:{first}:{self.window},{scale}:{mss}:{kinds}:{','.join(self.quirks)}"
