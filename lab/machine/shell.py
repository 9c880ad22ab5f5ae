"""A root shell of the machine on its second serial line: a command in, its words and exit code out.

The shell is not in the image. The kernel's command line asks for it (`WORDS`) in the copy of the boot medium that a
test starts; the root file system is the one that is shipped, octet for octet.
Bounded: each command has a time limit, each answer `MAX_ANSWER` octets.
"""

from __future__ import annotations

import base64
import itertools
import re
import shlex
import socket
import subprocess
import time
from pathlib import Path

from lab.host import LabError

MAX_ANSWER = 4 * 1024 * 1024
LINE = "/dev/ttyS1"
READY = "lab-shell-ready"
# The line is opened once: a serial line that is closed drops what it has not sent yet.
# Emulated, with others at work beside it, a process may need many times what it is given on a board to start and to say that it is well.
SCRIPT = f"""mkdir -p /run/systemd/system/gatehouse-.service.d
printf '[Service]\\nWatchdogSec=180\\nTimeoutStartSec=900\\n' > /run/systemd/system/gatehouse-.service.d/lab.conf
systemctl daemon-reload
systemd-run --quiet --unit=lab-shell --property=OOMScoreAdjust=-999 \\
    sh -c 'exec <>{LINE} >&0 2>&0; stty raw -echo; echo {READY}; cat | sh'
"""
"""What starts the shell; lies on the boot medium."""
WORDS = (
    'systemd.unit=multi-user.target systemd.wants=kernel-command-line.service "systemd.run=/bin/sh '
    '/boot/firmware/gatehouse/lab.sh" systemd.run_success_action=none systemd.run_failure_action=none '
    "systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info"
)
"""What the kernel is told beside its own words. The generator of systemd.run would boot into a target of its own."""


class ShellError(LabError):
    """The shell did not answer within the time, or the command failed."""


class Shell:
    """One machine's shell; commands run one after another."""

    def __init__(self, path: Path) -> None:
        """`path` is the socket that QEMU made for the second serial line; who comes late misses the shell's first word."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._numbers = itertools.count(1)
        self._heard = bytearray()

    def wait(self, seconds: float) -> None:
        """Return when the shell has said, for the first time, that it is there.

        Raises:
            ShellError: not within `seconds`.
        """
        self._until(re.compile(re.escape(READY.encode())), "it to come up", seconds=seconds)

    def run(self, command: str, *, seconds: float = 60.0, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the machine; stdout and stderr come back as one.

        Raises:
            ShellError: no answer within `seconds`, or exit code not 0 (unless `check` is off).
        """
        mark = f"lab-{next(self._numbers)}"
        # In base64 both ways: a serial line eats what looks like a control character, and the mark must be unmistakable.
        packed = base64.b64encode(_script(command).encode()).decode()
        line = (
            f"echo '<'{mark}'>'; echo {shlex.quote(packed)} | base64 -d | sh 2>&1 | base64 -w 76; echo '</'{mark}'>'\n"
        )
        self._send(line)
        return self._answer(mark, command, seconds=seconds, check=check)

    def _send(self, line: str) -> None:
        data = line.encode()
        for start in range(0, len(data), 1024):  # a 16550's queue is short, and the guest's is 4,096 octets
            self._socket.settimeout(30)
            self._socket.sendall(data[start : start + 1024])

    def _answer(self, mark: str, command: str, *, seconds: float, check: bool) -> subprocess.CompletedProcess[str]:
        wanted = re.compile(rf"<{mark}>\s(.*?)</{mark}>".encode(), re.DOTALL)
        found = self._until(wanted, f"an answer to: {command[:200]}", seconds=seconds)
        text = base64.b64decode(b"".join(found.split())).decode(errors="replace")
        said, _, code = text.rpartition("\nrc=")
        done = subprocess.CompletedProcess(command, int(code or 255), said.removesuffix("\n"), "")
        if check and done.returncode:
            raise ShellError(f"{command[:200]}: exit code {done.returncode}: {said.strip()[-2000:]}")
        return done

    def _until(self, wanted: re.Pattern[bytes], what: str, *, seconds: float) -> bytes:
        """The first group (or all) of what the other end says that is `wanted`; what came before it is dropped."""
        deadline = time.monotonic() + seconds
        while (found := wanted.search(self._heard)) is None:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._heard) > MAX_ANSWER:
                raise ShellError(f"the machine's shell: no word within {seconds:.0f} s of {what}")
            self._socket.settimeout(left)
            try:
                more = self._socket.recv(65536)
            except TimeoutError:
                continue
            if not more:
                raise ShellError("the machine is gone")
            self._heard += more
        text = found.group(1) if wanted.groups else found.group()
        del self._heard[: found.end()]
        return bytes(text)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _script(command: str) -> str:
    return f"(\n{command}\n) </dev/null 2>&1\nprintf '\\nrc=%s' $?\n"
