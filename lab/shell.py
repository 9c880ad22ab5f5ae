"""A shell on a device of a lab household: `python -m lab.shell [PERSONA] [-- CMD...]`.

Enters the sealed place by itself, brings a household up, lets the device join, runs CMD (or $SHELL)
on it and takes everything down again. Ends with CMD's exit code; 69 where the lab cannot run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from lab import enter, personas
from lab.host import LabError
from lab.household import Household
from wire.files import FileError


def main() -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m lab.shell", description=__doc__)
    parser.add_argument("persona", nargs="?", default="registered-laptop", help=", ".join(personas.names()))
    parser.add_argument("command", nargs="*", help="after --; your shell if none is given")
    arguments = parser.parse_args()
    if not enter.sealed():
        enter.enter([sys.executable, "-m", "lab.shell", *sys.argv[1:]])
    # The folder lies on the sealed place's own tmpfs, so a kill leaves no files either.
    # A polite end takes the household down as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(dir="/run") as folder, Household(Path(folder)) as home:
            device = home.join(arguments.persona)
            lease = device.lease()
            print(f"{arguments.persona} has {lease.address}; the router is {lease.server}", file=sys.stderr, flush=True)
            process = device.popen(arguments.command or [os.environ.get("SHELL", "sh")])
            code: int = process.wait()
            return code if code >= 0 else 128 - code
    except (LabError, FileError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
