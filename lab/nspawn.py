"""A box that systemd starts: the units of `systemd/` in a tree of their own, booted by systemd-nspawn.

In: a folder, the sources, configuration files by path, and the machine of the lab whose network the box has. Out: a
running systemd, with the box's own users, units, folders and limits. The tree is made of what is here: `/usr` is this
machine's, read-only, with the units and the program laid over it; `/etc`, `/var` and `/run` are new and empty, so what
the machine itself has switched on or set up does not come along.

Bounded: a boot is waited for `BOOT_SECONDS`, a stop `STOP_SECONDS`; everything in it is this machine's children and
ends with it. Its PID 1 never sees the machine's own cgroups or /proc/sys writable, as a plain `unshare` would let it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware import layout
from lab import enter
from lab.host import Host, LabError
from lab.service import wait_until

BOOT_SECONDS = 60.0
STOP_SECONDS = 30.0
RUN_SECONDS = 30.0

SOURCES = Path(__file__).resolve().parents[1]
_PACKAGES = ("appliance", "firmware", "wire")
_OWN_FILES = {
    "/etc/machine-id": "0" * 31 + "1\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/etc/group": "root:x:0:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/resolv.conf": "nameserver 127.0.0.1\n",
}
_MASKED = (
    # It would write into the kernel's one list of interpreters, which is the machine's.
    "systemd-binfmt.service",
    "systemd-logind.service",
)
"""Units that have no place in a network namespace of the lab."""

_COMMAND = """#!/usr/lib/gatehouse/bin/python3
from appliance.cli import main

main()
"""


def why_not() -> str | None:
    """Why no box can be started by systemd here; None where it can."""
    if not enter.sealed():
        return "the lab runs inside its sealed place only"
    if enter.mode() != "root":
        return "systemd-nspawn needs root: an ordinary user's lab has one user only"
    for program in ("systemd-nspawn", "systemctl", "nft", "dnsmasq"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Tree:
    """The root of a box: units and program over this machine's `/usr`, and files of its own. Call `close`."""

    def __init__(self, folder: Path, files: Mapping[str, str], *, masked: Sequence[str] = ()) -> None:
        """Make it in `folder`, with `files` by their absolute paths; units of `masked` never run.

        Raises:
            LabError: the kernel did not let us lay one tree over the other, or a unit could not be switched on.
        """
        self.root = folder / "root"
        self._mounted: list[Path] = []
        try:
            self._make(folder, files, (*_MASKED, *masked))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the mounts away, so that nobody who removes the folder walks into what is under them.

        Raises:
            LabError: one is in use.
        """
        while self._mounted:
            _run(["umount", self._mounted[-1]])
            self._mounted.pop()

    def _make(self, folder: Path, files: Mapping[str, str], masked: Sequence[str]) -> None:
        stage, root = folder / "over-usr", self.root
        _run(["sh", SOURCES / "systemd" / "install", folder / "units"])
        shutil.copytree(folder / "units" / "usr", stage)
        mounts = _program(stage)
        for name in ("usr", "etc", "var", "root", "proc", "sys", "dev", "run", "tmp", layout.DATA.lstrip("/")):
            (root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")
        self._mount(["-t", "overlay", "overlay", "-o", f"ro,lowerdir={stage}:/usr"], root / "usr")
        for source, target in mounts.items():
            self._mount(["--bind", "-o", "ro", source], root / target)
        for path, text in {**_OWN_FILES, **files}.items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        _run(["systemctl", f"--root={root}", "preset-all"])
        for unit in masked:
            _run(["systemctl", f"--root={root}", "mask", unit])

    def _mount(self, words: Sequence[str | Path], target: Path) -> None:
        _run(["mount", *words, target])
        self._mounted.append(target)


class Machine:
    """A booted box. Call `stop`."""

    def __init__(self, tree: Tree, gateway: Host, *, data: Path, log: Path) -> None:
        """Boot the tree in the network of `gateway`, with `data` for its data partition; `wait` says when it is up."""
        self._log = log
        command = [
            "systemd-nspawn",
            f"--directory={tree.root}",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            f"--network-namespace-path=/proc/{gateway.pid}/ns/net",
            "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
            f"--bind={data}:{layout.DATA}",
            "systemd.unit=multi-user.target",
        ]
        with log.open("ab") as said:
            # Mounts of its own: what nspawn mounts goes when it does.
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._leader: int | None = None

    def wait(self, seconds: float = BOOT_SECONDS) -> str:
        """Wait until systemd has done everything it was to do; `running`, or `degraded` where a unit failed.

        Raises:
            LabError: it did not come up.
        """
        try:
            wait_until(self._find_leader, what="systemd to start", seconds=seconds)
            wait_until(
                lambda: self.run(["test", "-S", "/run/systemd/private"], check=False).returncode == 0,
                what="systemd to listen",
                seconds=seconds,
            )
        except TimeoutError as error:
            raise LabError(f"{error}: {self._log.read_text(errors='replace')[-1000:]}") from error
        return self.run(["systemctl", "is-system-running", "--wait"], check=False, timeout=seconds).stdout.strip()

    def run(
        self, command: Sequence[str], *, check: bool = True, timeout: float = RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box, as its root.

        Raises:
            LabError: it failed (unless `check` is off); the text has its last words.
        """
        into = ["nsenter", f"--target={self._leader}", "--all", "--wd=/", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin"]
        done = subprocess.run(
            [*into, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout
        )
        if check and done.returncode:
            raise LabError(f"{' '.join(command)}: exit code {done.returncode}: {(done.stderr or done.stdout)[-1000:]}")
        return done

    def systemctl(self, *words: str) -> str:
        """Run systemctl; what it prints."""
        return self.run(["systemctl", "--no-pager", "--no-legend", "--plain", *words]).stdout

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit as systemd has them now."""
        said = self.systemctl("show", unit, f"--property={','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def main_pid(self, unit: str) -> int:
        """Process id of a unit's main process as the box counts; 0 while it does not run."""
        return int(self.show(unit, "MainPID")["MainPID"])

    def journal(self, *words: str) -> str:
        """What was logged since the boot."""
        return self.run(["journalctl", "--no-pager", "--boot", "--output=short-monotonic", *words], check=False).stdout

    def stop(self) -> None:
        """Shut down as at the press of a button; kill what is left. Calling twice is fine."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _find_leader(self) -> bool:
        if self._process.poll() is not None:
            raise LabError(f"systemd-nspawn ended: {self._log.read_text(errors='replace')[-1000:]}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        for pid in children.split():
            # The one that PID 1 of the box is: nspawn's own helper has this machine's process ids.
            if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):  # noqa: PTH115 (no path)
                self._leader = int(pid)
                return True
        return False


def _program(stage: Path) -> dict[Path, str]:
    """Lay the program out as on a box; returns what is to be mounted on what of the tree."""
    top = stage / layout.PROGRAM.removeprefix("/usr/")
    site = top / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for folder in (top / "bin", site, top / "packages", top / "base"):
        folder.mkdir(parents=True)
    for package in _PACKAGES:
        shutil.copytree(SOURCES / package, site / package)
    (site / "packages.pth").write_text(f"{layout.PROGRAM}/packages\n", encoding="ascii")
    # The interpreter of this run; it may lie in somebody's home, which the units do not see.
    base, name = Path(sys.base_prefix), Path(sys.executable).resolve().name
    moved = base != Path("/usr")
    seen = Path(layout.PROGRAM) / "base" if moved else base
    (top / "pyvenv.cfg").write_text(f"home = {seen}/bin\n", encoding="ascii")
    (top / "bin" / "python3").symlink_to(f"{seen}/bin/{name}")
    (top / "bin" / "gatehouse").write_text(_COMMAND, encoding="ascii")
    (top / "bin" / "gatehouse").chmod(0o755)
    inside = layout.PROGRAM.lstrip("/")
    mounts = {Path(sysconfig.get_path("purelib")): f"{inside}/packages"}
    if moved:
        mounts[base] = f"{inside}/base"
        if sysconfig.get_config_var("Py_ENABLE_SHARED"):
            library = stage / "lib" / str(sysconfig.get_config_var("MULTIARCH") or "")
            library.mkdir(parents=True, exist_ok=True)
            shared = str(sysconfig.get_config_var("INSTSONAME"))
            (library / shared).symlink_to(f"{seen}/lib/{shared}")
    return mounts


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()[-1000:]}")
