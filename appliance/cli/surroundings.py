"""What `gatehouse apply` finds around it: clocks, the way to the internet, systemd and the programs it tells.

Bounded: `ASK_SECONDS` for a question to a resolver, `TELL_SECONDS` for a program.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from appliance import clock
from firmware import render
from firmware.household import Household
from firmware.plan import Act, Step

ASK_SECONDS = 1.5
TELL_SECONDS = 30.0
_WARDEN = "gatehouse-warden.service"
_SYSTEMD = Path("/run/systemd/system")
"""Is there where systemd runs the machine (sd_booted(3))."""
_WORDS: dict[Act, tuple[str, ...]] = {
    "reload-units": ("systemctl", "daemon-reload"),
    "load-settings": ("/lib/systemd/systemd-sysctl",),
    "load-modules": ("/lib/systemd/systemd-modules-load",),
    "reload-network": ("networkctl", "reload"),
}


class Machine:
    """This machine.

    Args:
        root: what the paths of the files count from; programs are told of those of this machine (`/`) only.
        waits: whether to wait until units have started; not at boot, where this comes before them.
    """

    def __init__(self, root: Path = Path("/"), *, waits: bool = True) -> None:
        self._root = root
        self._waits = waits

    def monotonic(self) -> float:
        """Seconds."""
        return clock.monotonic()

    def wait(self, seconds: float) -> None:
        """Let that long go by."""
        time.sleep(seconds)

    def reaches(self, home: Household) -> str:
        """Whether a resolver answers, and the way to it is the one that the household's traffic may take.

        The box's own questions leave by any way; those of the home only by the one that the rules name.
        """
        import dns.message  # noqa: PLC0415 (a start of the machine asks nobody, and does not wait for this)
        import dns.query  # noqa: PLC0415 (as above)

        missing = "no resolver has an address that can be asked"
        for address in home.resolver.upstream:
            way = _way_to(str(address))
            if way != home.wan.interface:
                missing = f"the way to the internet is {way or 'none'}, and the home's is {home.wan.interface}"
                continue
            question = dns.message.make_query(".", "NS")
            try:
                dns.query.udp(question, str(address), timeout=ASK_SECONDS)
            except (dns.exception.DNSException, OSError):
                missing = "no resolver answers"
            else:
                return ""
        return missing

    def serves(self, home: Household) -> str:
        """Whether the access point of each radio answers on its control socket."""
        if home.wifi is None or self._root != Path("/") or not _SYSTEMD.is_dir():
            return ""
        from appliance.upkeep import vitals  # noqa: PLC0415 (as above)

        silent = [each.interface for each in home.wifi.radios if not vitals.answers_here(each.interface)]
        return f"the Wi-Fi is not up ({', '.join(silent)})" if silent else ""

    def do(self, step: Step) -> str:
        """Tell a program; empty, or what went wrong."""
        if self._root != Path("/"):
            return "the files are of another root; nobody here is told"
        if step.act == "load-rules":
            return self._load_rules()
        if not _SYSTEMD.is_dir():
            return "systemd does not run here; left to whoever started the programs"
        words = _WORDS.get(step.act)
        if words is not None:
            return _tell(list(words))
        # What does not run reads its files when it starts.
        return self._units("try-restart" if step.act == "restart" else step.act, step.unit)

    def _units(self, verb: str, unit: str) -> str:
        return _tell(["systemctl", *(() if self._waits else ("--no-block",)), verb, unit])

    def _load_rules(self) -> str:
        # The warden keeps its rules in force, and the devices it holds; it has to be the one to change them.
        if _SYSTEMD.is_dir() and _succeeds(["systemctl", "--quiet", "is-active", _WARDEN]):
            return _tell(["systemctl", "restart", _WARDEN])
        return _tell(["nft", "-f", render.NFTABLES])


def _way_to(address: str) -> str:
    """Interface that leads to an address; empty where none does."""
    try:
        done = subprocess.run(
            ["ip", "-json", "route", "get", address], capture_output=True, timeout=TELL_SECONDS, check=False
        )
        routes = json.loads(done.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    match routes:
        case [{"dev": str(device)}, *_]:
            return device
    return ""


def _succeeds(words: list[str]) -> bool:
    try:
        return subprocess.run(words, capture_output=True, timeout=TELL_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _tell(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TELL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{words[0]} did not run: {error}"
    if done.returncode:
        return next(
            (line.strip() for line in done.stderr.splitlines() if line.strip()), f"ended with {done.returncode}"
        )
    return ""
