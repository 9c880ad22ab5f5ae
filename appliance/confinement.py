"""Least privilege for a program about to be started: rights in, command prefix out.

`probe` finds out what this process may take away from its children, `Rights.prefix` puts
`unshare` and `setpriv` (util-linux) before a command so that it starts with no more than it
needs, and `left_out` says in plain words which separations this place does not allow. Where
systemd starts the processes its units do the same; this is for `gatehouse up`.

A confined child also dies when the one that started it dies (PR_SET_PDEATHSIG; setpriv sets it
after the change of uid, which would clear it).
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

# linux/capability.h
_CHOWN, _SETGID, _SETUID, _SETPCAP, _NET_ADMIN, _NET_RAW = 0, 6, 7, 8, 12, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """What this process may take away from the programs it starts."""

    own_uids: bool
    """Every wanted uid is mapped here and may be taken, and files may be given to it."""
    groups: bool
    """Supplementary groups may be dropped."""
    bounding: bool
    """The capability bounding set may be emptied."""
    network: bool
    """A program may be put into a network namespace of its own."""
    net_admin: bool
    """There is a CAP_NET_ADMIN to leave to the warden."""
    net_raw: bool
    """There is a CAP_NET_RAW to leave to the probe."""

    def left_out(self) -> tuple[str, ...]:
        """Plain sentences: which separations between the processes are missing here."""
        said = []
        if not self.own_uids:
            said.append("the processes share one user: this place has no separate users for them")
        if not self.bounding:
            said.append("the processes keep the capability bounding set of this shell")
        if not self.network:
            said.append("sensor, keeper and porch are not cut off from the network: no namespace of their own here")
        if not self.net_admin:
            said.append("the warden may not set up the network: CAP_NET_ADMIN is missing")
        if not self.net_raw:
            said.append("the box cannot look round the network: CAP_NET_RAW is missing")
        return tuple(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one program needs."""

    uid: int | None = None
    """User (and group of the same number) it runs as; None for the one of `gatehouse up`."""
    network: bool = False
    """Needs the router's network."""
    net_admin: bool = False
    """Needs CAP_NET_ADMIN (the warden only)."""
    net_raw: bool = False
    """Needs CAP_NET_RAW (the probe only)."""

    def prefix(self, ability: Ability) -> tuple[str, ...]:
        """Words to put before a command, so that it starts with these rights and no others."""
        words: list[str] = []
        if not self.network and ability.network:
            words += ["unshare", "--net", "--"]
        words += ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"]
        kept = ",+net_admin" if self.net_admin and ability.net_admin else ""
        kept += ",+net_raw" if self.net_raw and ability.net_raw else ""
        words.append(f"--inh-caps=-all{kept}")
        if ability.bounding:
            words.append(f"--bounding-set=-all{kept}")
        if self.uid is not None and ability.own_uids:
            words += ["--reuid", str(self.uid), "--regid", str(self.uid)]
            words.append("--clear-groups" if ability.groups else "--keep-groups")
        elif ability.groups:
            words.append("--clear-groups")
        words.append(f"--ambient-caps=-all{kept}")
        return (*words, "--")


def probe(uids: Collection[int], *, proc: Path = Path("/proc/self")) -> Ability:
    """Find out what this process may do, from what the kernel says of it and one try of `unshare`.

    `uids` are those wanted for the programs; with none wanted, `own_uids` is false.
    """
    status = dict(
        line.split(":\t", 1) for line in (proc / "status").read_text(encoding="ascii").splitlines() if ":\t" in line
    )
    effective = int(status["CapEff"], 16)

    def has(capability: int) -> bool:
        return bool(effective >> capability & 1)

    ranges = [
        (int(words[0]), int(words[0]) + int(words[2]))
        for words in (line.split() for line in (proc / "uid_map").read_text(encoding="ascii").splitlines())
    ]
    mapped = all(any(first <= uid < end for first, end in ranges) for uid in uids)
    return Ability(
        own_uids=bool(uids) and mapped and has(_SETUID) and has(_SETGID) and has(_CHOWN),
        groups=has(_SETGID) and (proc / "setgroups").read_text(encoding="ascii").strip() == "allow",
        bounding=has(_SETPCAP),
        network=_unshare_works(),
        net_admin=has(_NET_ADMIN),
        net_raw=has(_NET_RAW),
    )


def _unshare_works() -> bool:
    try:
        tried = subprocess.run(
            ["unshare", "--net", "--", "true"], capture_output=True, check=False, timeout=10, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
