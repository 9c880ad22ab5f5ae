"""The rule set: loaded whole, checked, filled, read; always through `nft`, always in one transaction.

A `Household` in; what the kernel holds, and one plain sentence when it does not hold it, out.
A load that fails leaves what was there: the household's internet does not depend on this process.
Bounded: one `nft` at a time, at most `NFT_SECONDS` each; what the sets may hold is `holding`'s, and at
most `names.VOLUME_SIZE` devices are in the counters. `monotonic` is the monotonic clock, in seconds.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from appliance.messages import Enforcement, NoticeDue
from appliance.warden.greeting import Greeting
from appliance.warden.holding import MAC, PLACES, Holding, Place, from_kernel, from_order
from firmware import names, render
from firmware.household import Household

NFT_SECONDS = 10.0

ACCOUNTING = Path("/proc/sys/net/netfilter/nf_conntrack_acct")


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
        self.holding = Holding()
        """What belongs in the sets; a fresh load carries it over."""
        self.greeting = Greeting()
        self._filling_failed = False

    def start(self, monotonic: float, kept: Enforcement | None = None) -> str:
        """Adopt what is loaded if it is what we would load, else load it. Returns as `ensure`.

        `kept` is what must be held where the sets hold nothing: the machine has started anew.
        """
        try:
            self.holding = from_kernel({place: self._held(place) for place in PLACES}, monotonic)
        except NftError:
            self.holding = Holding()
        restored = kept is not None and not self.holding.sets
        if kept is not None and restored:
            self.holding = from_order(kept, monotonic)
        try:
            listing = self._listing(names.FAMILIES)
        except NftError:
            return self._load(monotonic)
        if listing.count(f"chain {render.marker(self._whole)} {{") == len(names.FAMILIES):
            self._expected = listing
            if restored:
                self._fill(monotonic)
            return self._account()
        return self._load(monotonic)

    def ensure(self, monotonic: float, *, wan_there: bool = False) -> str:
        """Look whether our tables are as we loaded them, and load them again if not.

        Args:
            monotonic: now.
            wan_there: the WAN port exists now; worth trying its tap again if it was left out.

        Returns:
            Empty when all is as it should be. Else what is not, or what was found and done.

        Raises:
            NftError: not loaded; the kernel keeps what it had. Try again later.
        """
        if self._expected is None:
            return self._load(monotonic)
        try:
            intact = self._listing(self._families()) == self._expected
        except NftError:
            intact = False
        if not intact:
            return f"rules were changed or gone and have been loaded again {self._load(monotonic)}".strip()
        if not self._order_holds(monotonic):
            self._fill(monotonic)
            return _sentence("the order was not in force and has been set again", self._left_out, self._account())
        if self._left_out and wan_there:
            try:
                self._install(self._whole, monotonic)
            except NftError as error:
                self._left_out = _without_wan_tap(error)
        return _sentence(self._left_out, self._account())

    def hold(self, order: Enforcement, monotonic: float) -> None:
        """Make the sets exactly what `order` says, in one transaction, and begin its lease anew.

        Raises:
            ValueError: an address is not one, or too many; what was wanted before still is.
            NftError: nft refused; what was in force still is, and `ensure` tries again.
        """
        self.holding = from_order(order, monotonic)
        self._fill(monotonic)

    def greet(self, due: NoticeDue, monotonic: float) -> None:
        """Lead these devices' plain web questions to the notice, and nobody else's.

        Raises:
            NftError: nft refused; who was led there goes free by itself.
        """
        self.greeting.take(due, monotonic)
        self._nft(["-f", "-"], self.greeting.fill(monotonic))

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

    def talks(self) -> dict[str, list[Any]]:
        """Elements of each set of `names.TALK_SETS`, as nft lists them.

        Raises:
            NftError: the tables are not there.
        """
        return {talks.name: self._elements("inet", talks.name) for talks in names.TALK_SETS}

    def at_limit(self) -> int:
        """How many devices had as many connections at once as one may, in the last minutes.

        Raises:
            NftError: the tables are not there.
        """
        return len(self._elements("inet", names.AT_LIMIT))

    def overflows(self) -> dict[str, int]:
        """Packets of each counter for what went over a rate or a set's size, without those at 0.

        Raises:
            NftError: the tables are not there.
        """
        answer = self._read("list", "counters")
        over: dict[str, int] = {}
        for item in answer.get("nftables", []):
            match item:
                case {"counter": {"table": names.TABLE, "name": str(name), "packets": int(packets)}} if packets:
                    over[name] = packets
        return over

    def _load(self, monotonic: float) -> str:
        account = self._account()  # before the rules: a connection that began uncounted stays so
        try:
            self._install(self._whole, monotonic)
        except NftError as first:
            try:
                self._install(self._without_wan, monotonic, left_out=_without_wan_tap(first))
            except NftError:
                self._expected = None
                raise first from None
        return _sentence(self._left_out, account)

    def _install(self, rules: str, monotonic: float, *, left_out: str = "") -> None:
        self._nft(["-f", "-"], rules + self.holding.add(monotonic) + self.greeting.add(monotonic))
        self._filling_failed = False
        self._left_out = left_out
        self._expected = self._listing(self._families())

    def _fill(self, monotonic: float) -> None:
        self._filling_failed = True
        self._nft(["-f", "-"], self.holding.fill(monotonic))
        self._filling_failed = False

    def _order_holds(self, monotonic: float) -> bool:
        if self._filling_failed:
            return False
        # The sets are not in the terse listing. An empty one is not worth a run of nft a look.
        return self.holding.holds({place: self._held(place) for place in self.holding.wanted()}, monotonic)

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

    def _read(self, *arguments: str) -> dict[str, Any]:
        try:
            answer = json.loads(self._nft(["-j", *arguments], ""))
        except ValueError as error:
            raise NftError(f"nft answered what is no JSON: {error}") from None
        return answer if isinstance(answer, dict) else {}

    def _elements(self, family: str, name: str) -> list[Any]:
        answer = self._read("list", "set", family, names.TABLE, name)
        for item in answer.get("nftables", []):
            match item:
                case {"set": {"elem": list(elements)}}:
                    return elements
        return []

    def _held(self, place: Place) -> dict[str, int | None]:
        """Elements of a set, each with the seconds it has left; None: no end."""
        held: dict[str, int | None] = {}
        for element in self._elements(*place):
            match element:
                case {"elem": {"val": str(value), "expires": int(left)}}:
                    held[value] = left
                case {"prefix": {"addr": str(address), "len": int(length)}}:
                    held[f"{address}/{length}"] = None
                case {"range": [str(first), str(last)]}:
                    held[f"{first}-{last}"] = None
                case str(value) if MAC.fullmatch(value) or _is_address(value):
                    held[value] = None
        return held

    def _account(self) -> str:
        """Switch the accounting of connections on, which the flow tap needs."""
        try:
            if self._accounting.read_text(encoding="ascii").strip() == "1":
                return ""
            self._accounting.write_text("1\n", encoding="ascii")
        except OSError as error:
            return f"connections are not counted ({error.strerror}): the sensor sees no flows"
        return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_wan_tap(error: NftError) -> str:
    return f"without the tap at the provider's side: {error}"


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
