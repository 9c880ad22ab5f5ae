"""The rule set: loaded whole, checked, filled, read; always through `nft`, always in one transaction.

A `Household` in; what the kernel holds, and one plain sentence when it does not hold it, out.
A load that fails leaves what was there: the household's internet does not depend on this process.
Bounded: one `nft` at a time, at most `NFT_SECONDS` each; at most `names.QUARANTINE_SIZE` MACs in the
sets and `names.VOLUME_SIZE` in the counters.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from firmware import names, render
from firmware.household import Household

NFT_SECONDS = 10.0

ACCOUNTING = Path("/proc/sys/net/netfilter/nf_conntrack_acct")

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class NftError(RuntimeError):
    """`nft` refused, or could not be run; the text is its first line."""


Nft = Callable[[Sequence[str], str], str]
"""Runs nft with arguments and a standard input, returns its output, raises NftError."""


def run_nft(arguments: Sequence[str], script: str) -> str:
    """Run the real `nft`."""
    try:
        done = subprocess.run(
            ["nft", *arguments], input=script, capture_output=True, text=True, timeout=NFT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise NftError("nft is not installed") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftError(f"nft did not run: {error}") from error
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if line.strip()), f"nft failed with {done.returncode}")
        raise NftError(first.strip())
    return done.stdout


class Firewall:
    """Our tables in the kernel."""

    def __init__(self, household: Household, *, nft: Nft = run_nft, accounting: Path = ACCOUNTING) -> None:
        self._nft = nft
        self._accounting = accounting
        self._whole = render.rules(household)
        self._without_wan = render.rules(household, wan_tap=False)
        self._expected: str | None = None
        """Listing of our tables right after the last load."""
        self._left_out = ""
        """Why the tap at the provider's side is not among them; empty when it is."""
        self.quarantined: tuple[str, ...] = ()
        """MACs that belong in the sets; a fresh load carries them over."""
        self._filling_failed = False

    def start(self) -> str:
        """Adopt what is loaded if it is what we would load, else load it. Returns as `ensure`."""
        try:
            self.quarantined = self._held(names.QUARANTINE_FAMILIES[0])
        except NftError:
            self.quarantined = ()
        try:
            listing = self._listing(names.FAMILIES)
        except NftError:
            return self._load()
        if listing.count(f"chain {render.marker(self._whole)} {{") == len(names.FAMILIES):
            self._expected = listing
            return self._account()
        return self._load()

    def ensure(self, *, wan_there: bool = False) -> str:
        """Look whether our tables are as we loaded them, and load them again if not.

        Args:
            wan_there: the WAN port exists now; worth trying its tap again if it was left out.

        Returns:
            Empty when all is as it should be. Else what is not, or what was found and done.

        Raises:
            NftError: not loaded; the kernel keeps what it had. Try again later.
        """
        if self._expected is None:
            return self._load()
        try:
            intact = self._listing(self._families()) == self._expected
        except NftError:
            intact = False
        if not intact:
            return f"rules were changed or gone and have been loaded again {self._load()}".strip()
        if not self._quarantine_holds():
            self._fill()
            return _sentence("the quarantine was not in force and has been set again", self._left_out, self._account())
        if self._left_out and wan_there:
            try:
                self._install(self._whole)
            except NftError as error:
                self._left_out = _without_wan_tap(error)
        return _sentence(self._left_out, self._account())

    def quarantine(self, macs: Iterable[str]) -> None:
        """Make the quarantine exactly `macs`, in one transaction.

        Raises:
            ValueError: an address is not one, or too many; what was wanted before still is.
            NftError: nft refused; what was in force still is, and `ensure` tries again.
        """
        wanted = tuple(dict.fromkeys(macs))
        if len(wanted) > names.QUARANTINE_SIZE:
            raise ValueError(f"{len(wanted)} devices in quarantine, the most is {names.QUARANTINE_SIZE}")
        for mac in wanted:
            if not _MAC.fullmatch(mac):
                raise ValueError(f"{mac[:40]!r} is not a hardware address")
        self.quarantined = wanted
        self._fill()

    def volumes(self) -> dict[str, int]:
        """Octets forwarded from each device since it was first counted.

        Raises:
            NftError: the tables are not there.
        """
        counted: dict[str, int] = {}
        for element in self._elements("inet", names.VOLUME_UP):
            match element:
                case {"elem": {"val": str(mac), "counter": {"bytes": int(octets)}}}:
                    counted[mac] = octets
        return counted

    def overflows(self) -> dict[str, int]:
        """Packets of each counter for what went over a rate or a set's size, without those at 0.

        Raises:
            NftError: the tables are not there.
        """
        answer = json.loads(self._nft(["-j", "list", "counters"], ""))
        over: dict[str, int] = {}
        for item in answer.get("nftables", []):
            match item:
                case {"counter": {"table": names.TABLE, "name": str(name), "packets": int(packets)}} if packets:
                    over[name] = packets
        return over

    def _load(self) -> str:
        account = self._account()  # before the rules: a connection that began uncounted stays so
        try:
            self._install(self._whole)
        except NftError as first:
            try:
                self._install(self._without_wan, left_out=_without_wan_tap(first))
            except NftError:
                self._expected = None
                raise first from None
        return _sentence(self._left_out, account)

    def _install(self, rules: str, *, left_out: str = "") -> None:
        self._nft(["-f", "-"], self._filled(rules))
        self._filling_failed = False
        self._left_out = left_out
        self._expected = self._listing(self._families())

    def _fill(self) -> None:
        self._filling_failed = True
        commands: list[dict[str, Any]] = []
        for family in names.QUARANTINE_FAMILIES:
            where = {"family": family, "table": names.TABLE, "name": names.QUARANTINED}
            commands.append({"flush": {"set": where}})
            if self.quarantined:
                commands.append({"add": {"element": where | {"elem": list(self.quarantined)}}})
        self._nft(["-j", "-f", "-"], json.dumps({"nftables": commands}))
        self._filling_failed = False

    def _quarantine_holds(self) -> bool:
        if self._filling_failed:
            return False
        # The sets are not in the terse listing. An empty quarantine is not worth two more runs of nft a look.
        wanted = set(self.quarantined)
        return not wanted or all(set(self._held(family)) == wanted for family in names.QUARANTINE_FAMILIES)

    def _filled(self, rules: str) -> str:
        if not self.quarantined:
            return rules
        elements = ", ".join(self.quarantined)
        return rules + "".join(
            f"add element {family} {names.TABLE} {names.QUARANTINED} {{ {elements} }}\n"
            for family in names.QUARANTINE_FAMILIES
        )

    def _families(self) -> tuple[str, ...]:
        return names.QUARANTINE_FAMILIES if self._left_out else names.FAMILIES

    def _listing(self, families: Sequence[str]) -> str:
        # Stateless and terse: counters and set elements change by themselves. All tables at once and
        # ours picked out: nft 1.0.6 looks for a second table of the same name in the first's family.
        everything = self._nft(["-s", "-t", "list", "ruleset"], "")
        tables: list[str] = []
        for family in families:
            start = f"table {family} {names.TABLE} {{\n"
            _, found, rest = f"\n{everything}".partition(f"\n{start}")
            if not found:
                raise NftError(f"table {family} {names.TABLE} is not there")
            tables.append(start + rest[: rest.index("\n}") + 2])
        return "\n".join(tables)

    def _elements(self, family: str, name: str) -> list[Any]:
        answer = json.loads(self._nft(["-j", "list", "set", family, names.TABLE, name], ""))
        for item in answer.get("nftables", []):
            match item:
                case {"set": {"elem": list(elements)}}:
                    return elements
        return []

    def _held(self, family: str) -> tuple[str, ...]:
        held = self._elements(family, names.QUARANTINED)
        return tuple(mac for mac in held if isinstance(mac, str) and _MAC.fullmatch(mac))

    def _account(self) -> str:
        """Switch the accounting of connections on, which the flow tap needs."""
        try:
            if self._accounting.read_text(encoding="ascii").strip() == "1":
                return ""
            self._accounting.write_text("1\n", encoding="ascii")
        except OSError as error:
            return f"connections are not counted ({error.strerror}): the sensor sees no flows"
        return ""


def _without_wan_tap(error: NftError) -> str:
    return f"without the tap at the provider's side: {error}"


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
