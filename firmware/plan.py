"""What follows from changed files: which programs are told, and how. Pure.

Old and new texts by path in, an ordered list of `Step`s out. Only what changed is disturbed: a new time server takes
nobody off the Wi-Fi.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from firmware import links, render, services, wireless

Act = Literal[
    "reload-units", "load-rules", "load-settings", "load-modules", "reload-network", "start", "restart", "stop"
]

_UNITS = "/etc/systemd/system/"
_NETWORK = "/etc/systemd/network/"
_ROOMS = ("gatehouse-sensor.service", "gatehouse-resolver.service")
"""Those that read `household.toml` when they start, beside the warden, who is told by `load-rules`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do."""

    act: Act
    unit: str = ""
    """For `start`, `restart` and `stop`."""

    def __str__(self) -> str:
        return f"{self.act} {self.unit}".strip()


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Paths whose file appears, goes or says something else, in order."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def steps(old: Mapping[str, str], new: Mapping[str, str]) -> list[Step]:
    """What to do once `new` is in place of `old`: nothing where they are the same, nothing twice."""
    changed = changes(old, new)
    if not changed:
        return []
    return list(dict.fromkeys(_steps(changed, old, new)))


def starts(files: Mapping[str, str]) -> list[str]:
    """Units that this household has and another may not: started by whoever puts the files in place at boot."""
    return [unit for path in sorted(files) if (unit := _own_unit(path)) is not None]


_ACTS: tuple[tuple[str, Act], ...] = (
    (_UNITS, "reload-units"),
    (render.MODULES, "load-modules"),
    (render.SYSCTL, "load-settings"),
    (render.NFTABLES, "load-rules"),
)


def _steps(changed: list[str], old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Step]:
    yield from (Step(act=act) for start, act in _ACTS if any(path.startswith(start) for path in changed))
    # What goes lets go of its port before another takes it.
    yield from (Step(act="stop", unit=unit) for unit in starts(old) if unit not in starts(new))
    if any(path.startswith(_NETWORK) for path in changed):
        yield Step(act="reload-network")
    for path in changed:
        unit = _own_unit(path)
        if unit is not None and path in new:
            yield Step(act="restart" if path in old else "start", unit=unit)
    if links.PPP_PEER in changed and links.PPP_PEER in new:
        yield Step(act="restart", unit="gatehouse-uplink.service")
    for path, unit in (
        (render.DNSMASQ, "dnsmasq.service"),
        (services.CHRONY, "chrony.service"),
        (services.SHELL, "ssh.service"),
        (services.PORCH, "gatehouse-porch.socket"),
    ):
        if path in changed and path in new:
            yield Step(act="restart", unit=unit)
    if {render.NFTABLES, render.DNSMASQ, links.LAN} & set(changed):
        yield from (Step(act="restart", unit=unit) for unit in _ROOMS)


def _own_unit(path: str) -> str | None:
    """The unit that is there because of this file."""
    if path.startswith(f"{wireless.FOLDER}/") and path.endswith(".conf"):
        return f"hostapd@{path.rpartition('/')[2].removesuffix('.conf')}.service"
    return {
        links.PPP_UNIT: "gatehouse-uplink.service",
        services.SIGNATURE_TIME: "gatehouse-signature-time.service",
        services.SHELL: "ssh.service",
    }.get(path)
