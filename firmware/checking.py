"""Each rendering, read by the very program that will read it, before anything is in place.

Texts by path in; sentences about what a program does not take out, and the names of programs that are not here. Nothing
of the running system is touched: no interface, no address, no running service. Bounded: `SECONDS` for each program, and
after `WITHIN` no further one is asked. One that gave no answer has found no fault: a slow start must not cost a home its
internet (R57).

What no program can be asked about beforehand is not asked here: systemd-networkd and the settings of the kernel pass
over a line that they do not know, and say so in the journal; the tests read every rendering with them.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import links, render, services, wireless

SECONDS = 10.0
WITHIN = 25.0
_PPP_NO_KERNEL = 4
"""pppd(8): the kernel has no PPP; it has read its options by then."""
_HOSTAPD_FAULT = re.compile(r"^(Line \d+: .*|\d+ errors? found in configuration file)", re.MULTILINE)

Run = Callable[[Sequence[str]], "tuple[int, str]"]
"""Runs a program; its exit code and all that it says. Raises FileNotFoundError where it is not installed, TimeoutExpired where it
gives no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the programs said."""

    faults: tuple[str, ...] = ()
    """One sentence each; empty when all is well."""
    unasked: tuple[str, ...] = ()
    """Programs that are not installed, or gave no answer in time."""


def run(words: Sequence[str]) -> tuple[int, str]:
    """Run the real program, with nothing at its standard input."""
    done = subprocess.run(
        list(words), capture_output=True, stdin=subprocess.DEVNULL, text=True, errors="replace", timeout=SECONDS,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def check(files: Mapping[str, str], *, run: Run = run, now: Callable[[], float] = time.monotonic) -> Verdict:
    """Ask each program about its file."""
    end = now() + WITHIN
    faults: list[str] = []
    unasked: list[str] = []
    # In memory, where there is a place: one of the files may hold a secret.
    memory = "/run" if os.access("/run", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="gatehouse-check-", dir=memory) as folder:
        for path, text in files.items():
            question = _question(path, text, Path(folder))
            if question is None:
                continue
            program, words, judge = question
            if now() >= end:
                unasked.append(program)
                continue
            try:
                fault = judge(*run(words))
            except (FileNotFoundError, subprocess.TimeoutExpired):
                unasked.append(program)
                continue
            if fault:
                faults.append(f"{path}: {program} does not take it: {fault}")
    return Verdict(faults=tuple(faults), unasked=tuple(dict.fromkeys(unasked)))


Question = tuple[str, list[str], Callable[[int, str], str]]
"""A program, its words, and what its answer means."""


def _question(path: str, text: str, folder: Path) -> Question | None:  # noqa: PLR0911 (one for each program)
    copy = folder / path.lstrip("/").replace("/", "_")
    match path:
        case render.NFTABLES:
            return "nft", ["nft", "-c", "-f", _write(copy, text)], _by_code
        case render.DNSMASQ:
            return "dnsmasq", ["dnsmasq", "--test", f"--conf-file={_write(copy, text)}"], _by_code
        case services.CHRONY:
            return "chronyd", ["chronyd", "-p", "-f", _write(copy, text)], _by_code
        case services.SHELL:
            words = ["sh", "-c", _SSHD, "sh", _write(copy, _without(text, "HostKey ")), str(folder)]
            return "sshd", words, _sshd
        case links.PPP_PEER:
            # Its PPPoE plug-in asks the kernel as it is loaded; pppd's own options are read without it.
            options = _write(copy, _without(text, "plugin rp-pppoe", "nic-"))
            return "pppd", ["pppd", "file", options, "pty", "/bin/true", "dryrun"], _pppd
        case _ if path.startswith(f"{wireless.FOLDER}/"):
            return "hostapd", ["hostapd", _write(copy, _nowhere(text))], _hostapd
    return None


_SSHD = (
    "command -v /usr/sbin/sshd >/dev/null || exit 127; "
    'ssh-keygen -q -t ed25519 -N "" -f "$2/hostkey" <&- && exec /usr/sbin/sshd -t -f "$1" -h "$2/hostkey"'
)
"""With a host key of its own: the box makes the real one when the shell is first served."""


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def _without(text: str, *starts: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(starts))


def _nowhere(text: str) -> str:
    """No switch makes hostapd only read: it is given an interface that is not there, and gives up after reading."""
    kept = _without(text, "interface=", "bridge=", "ctrl_interface")
    return "interface=gh-no-radio\n" + kept


def _by_code(code: int, said: str) -> str:
    return _first(said) if code else ""


def _sshd(code: int, said: str) -> str:
    if code == 127:
        raise FileNotFoundError("sshd")
    return _first(said) if code and "Missing privilege separation directory" not in said else ""


def _pppd(code: int, said: str) -> str:
    fault = next((line for line in said.splitlines() if "In file" in line), "")
    return fault if fault or code in {0, _PPP_NO_KERNEL} else _first(said)


def _hostapd(code: int, said: str) -> str:
    found = _HOSTAPD_FAULT.search(said)
    if found:
        return found[0]
    return "" if code else "it began to serve a radio that is not there"


def _first(said: str) -> str:
    """The line that says what is wrong; chronyd says what is right before it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it does not say why")
