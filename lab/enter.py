"""The sealed place: a command in, its exit code out, nothing left on the machine.

`python -m lab.enter -- CMD...` runs CMD with mount, network and PID namespaces of its own (as an
ordinary user inside a user namespace as well), a private tmpfs on /run and a private /proc. The
machine's own network is not in there, so nothing done inside can touch it. Process 1 of the place
reaps orphans and ends with CMD; when it ends, or the outer process is killed in whatever way,
the kernel kills everything inside and the namespaces go with their last process.

Descriptors that were passed to it pass through. Bounded: one child outside, one command inside.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

UNAVAILABLE = 69
"""Exit code (EX_UNAVAILABLE of sysexits.h) when this machine does not allow the lab."""
MODE_VARIABLE = "GATEHOUSE_LAB"
"""Set inside: `root` where root entered, `user` where an ordinary user did."""

_MARK = Path("/run/gatehouse-lab")
_TOOLS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# linux/sched.h, linux/mount.h, linux/prctl.h
_NEW_MOUNTS, _NEW_USERS, _NEW_PIDS, _NEW_NET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
_NO_SUID, _NO_DEVICES, _NO_EXEC, _RECURSIVE, _PRIVATE = 2, 4, 8, 16384, 1 << 18
_DEATH_SIGNAL = 1
_FROM_KERNEL = 0x80  # si_code SI_KERNEL: a terminal sent it to the whole process group

_libc = ctypes.CDLL(None, use_errno=True)


class RefusedError(Exception):
    """The kernel does not let us make the place; the text is one plain sentence."""


def sealed() -> bool:
    """Whether this process is inside the sealed place (the mark lies on its private /run)."""
    return MODE_VARIABLE in os.environ and _MARK.exists()


def mode() -> str:
    """`root` or `user`, inside the sealed place only."""
    return os.environ[MODE_VARIABLE]


def refusal() -> str | None:
    """Why the lab cannot run here, or None. Tried for real in a child that ends at once."""
    if sealed():
        return None
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 0
        try:
            _separate()
            if os.fork() == 0:
                _furnish()
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.wait()[1])
        except RefusedError as error:
            os.write(write, str(error).encode())
            status = 1
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as answer:
        text = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return text or (None if status == 0 else "the lab cannot mount its own /proc and /run here")


def enter(command: Sequence[str]) -> NoReturn:
    """Run `command` in the sealed place and end with its exit code (128 + n when signal n killed it).

    Inside the place already: the command simply replaces this process. Exit code 69 and a plain
    sentence on stderr where the kernel does not allow the place, 127 where CMD is not found.
    """
    if sealed():
        _execute(command)
    try:
        _separate()
    except RefusedError as error:
        _leave(f"lab: {error}", UNAVAILABLE)
    heard = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    lifeline, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        _first_process(command, heard, before, lifeline)
    os.close(lifeline)
    with suppress(BrokenPipeError):  # process 1 has said why on its way out
        os.write(held, b".")
    os.close(held)
    sys.exit(_mind(child, heard, reap_orphans=False))


def _separate() -> None:
    """Give this process new namespaces; its next child is process 1 of the new PID namespace."""
    if not sys.platform.startswith("linux"):
        raise RefusedError("the lab needs Linux: it is made of its network namespaces")
    user, group = os.getuid(), os.getgid()
    wanted = _NEW_MOUNTS | _NEW_PIDS | _NEW_NET
    if user != 0:
        wanted |= _NEW_USERS
    if _libc.unshare(wanted) != 0:
        raise RefusedError(_reason(ctypes.get_errno(), user))
    if user == 0:
        return
    try:
        # user_namespaces(7): an ordinary user may map its own ids once setgroups is off.
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    except OSError as error:
        raise RefusedError(_reason(error.errno or 0, user)) from error


def _reason(number: int, user: int) -> str:
    said = os.strerror(number)
    if user == 0:
        return f"this kernel does not let root make new namespaces ({said}); a container may be forbidding it"
    for name, barred, cure in (
        ("user/max_user_namespaces", "0", "a number above 0"),
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ):
        try:
            value = Path("/proc/sys", name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == barred:
            return (
                f"an ordinary user may not make namespaces here: {name.replace('/', '.')} is {value}; "
                f"set it to {cure} with sysctl, or run as root"
            )
    return f"an ordinary user may not make namespaces here ({said}); run as root"


def _furnish() -> None:
    """Inside: private mounts, own /proc and /run, loopback up."""
    _mount("none", "/", None, _RECURSIVE | _PRIVATE, "")
    _mount("proc", "/proc", "proc", _NO_SUID | _NO_DEVICES | _NO_EXEC, "")
    _mount("tmpfs", "/run", "tmpfs", _NO_SUID | _NO_DEVICES, "mode=755,size=512m")
    _MARK.touch()
    Path("/run/lock").mkdir()
    # A resolv.conf that points below /run points nowhere now; each machine of the lab binds its own over it.
    target = Path("/etc/resolv.conf").resolve()
    if target.is_relative_to("/run"):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _mount(source: str, target: str, kind: str | None, flags: int, data: str) -> None:
    if _libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, data.encode()) != 0:
        raise RefusedError(f"the lab may not mount its own {target} here ({os.strerror(ctypes.get_errno())})")


def _first_process(
    command: Sequence[str], heard: set[signal.Signals], before: set[signal.Signals | int], lifeline: int
) -> NoReturn:
    """Process 1: dies with the outer process, runs the command, reaps what is left behind."""
    try:
        _libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if not os.read(lifeline, 1):  # the outer process died before the line above took hold
            os._exit(1)
        os.close(lifeline)
        _furnish()
    except RefusedError as error:
        print(f"lab: {error}", file=sys.stderr, flush=True)
        os._exit(UNAVAILABLE)
    os.environ[MODE_VARIABLE] = "user" if _is_mapped() else "root"
    here = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(here + [place for place in _TOOLS if place not in here])
    os.environ.pop("XDG_RUNTIME_DIR", None)  # lies on the /run that is hidden now
    from lab.links import loopback_up  # noqa: PLC0415 (kept out of the outer process)

    loopback_up()
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        try:
            _execute(command)
        finally:
            os._exit(127)
    os._exit(_mind(child, heard, reap_orphans=True))


def _is_mapped() -> bool:
    """Whether uid 0 in here is somebody else outside."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() != ["0", "0", "4294967295"]


def _mind(child: int, heard: set[signal.Signals], *, reap_orphans: bool) -> int:
    """Pass signals on to `child` until it ends; returns its exit code."""
    while True:
        got = signal.sigwaitinfo(heard)
        if got.si_signo != signal.SIGCHLD:
            if got.si_code != _FROM_KERNEL:  # Ctrl-C reaches the whole group by itself: once is enough
                os.kill(child, got.si_signo)
            continue
        while True:
            try:
                ended, status = os.waitpid(-1 if reap_orphans else child, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            if ended == 0:
                break


def _execute(command: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], list(command))  # noqa: S606 (no shell is wanted)
    except OSError as error:
        _leave(f"lab: {command[0]}: {error.strerror}", 127)


def _leave(text: str, code: int) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    sys.exit(code)


def main() -> NoReturn:
    """`python -m lab.enter [--] CMD...`."""
    words = sys.argv[1:]
    if words[:1] == ["--"]:
        words = words[1:]
    if not words or words[0] in {"-h", "--help"}:
        _leave(
            "usage: python -m lab.enter [--] CMD...\n"
            "Runs CMD where the machine's own network cannot be reached; open descriptors pass through.",
            0 if words else 2,
        )
    enter(words)


if __name__ == "__main__":
    main()
