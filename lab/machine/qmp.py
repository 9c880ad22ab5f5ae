"""QEMU's monitor: commands in, answers out, over its Unix socket (QMP, line by line JSON).

Bounded: an answer of `MAX_LINE` octets, `SECONDS` for each; events between are dropped.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Self

MAX_LINE = 256 * 1024
SECONDS = 20.0


class MonitorError(RuntimeError):
    """The monitor refused a command, or the machine is gone."""


class Monitor:
    """A connection to one machine's monitor; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Connect and leave the greeting behind.

        Raises:
            MonitorError: nobody is there, or it does not speak QMP.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(SECONDS)
        try:
            self._socket.connect(str(path))
            self._lines = self._socket.makefile("rb")
            if "QMP" not in self._read():
                raise MonitorError("this is no QEMU monitor")
            self.ask("qmp_capabilities")
        except OSError as error:
            self._socket.close()
            raise MonitorError(f"the machine's monitor does not answer ({error})") from error

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command; what it returns.

        Raises:
            MonitorError: it was refused, or the machine went away over it.
        """
        try:
            self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            while True:
                answer = self._read()
                if "error" in answer:
                    raise MonitorError(f"{command}: {answer['error'].get('desc', 'refused')}")
                if "return" in answer:
                    return answer["return"]
        except OSError as error:
            raise MonitorError(f"{command}: the machine is gone ({error})") from error

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline(MAX_LINE)
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise MonitorError("the machine's monitor fell silent") from error
        if not isinstance(answer, dict):
            raise MonitorError("the machine's monitor said something else than an object")
        return answer

    def close(self) -> None:
        """Hang up; the machine goes on."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
