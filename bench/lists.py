"""A list of ten million made-up names: our compiled table beside a Python set and beside dnsmasq, in one run.

Names are made from a seed, all below `.example` (RFC 2606). Each peer holds the same list and is asked the same
names of four labels, half of them listed by the name two labels up or by one label up, half of them not. The set
is asked label by label as the table is; dnsmasq is asked through UDP on the loopback, so its figure includes the
way there and back, which the other two do not have.

Memory: of the table what the kernel says is resident of its mapping after every page was touched (smaps), of the
set and of dnsmasq what their process grew by. `check_s`: reading the whole table and its digest, which the process that
compiled it does, and the keeper at its start. Swap: opening the new table and putting it in use, while a thread asks all the time for a name that is in both and one that is in neither; `wait_ms` is the longest
it had to wait for both answers, `wrong` how many were wrong.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import dns.message
import psutil

from appliance.keeper.lists.compiling import compile_table
from appliance.keeper.lists.entries import Item
from appliance.keeper.lists.formats import Format, parse
from appliance.keeper.lists.match import Lists, Loaded, NameList
from appliance.keeper.lists.table import open_table
from wire.findings import Severity

NAMES = 10_000_000
DNSMASQ_SECONDS = 90.0
"""How long dnsmasq may take to read the list; a tenth of the list is tried where it takes longer."""
ASK_SECONDS = 10.0
"""How long dnsmasq is asked: where a name is on no list, it goes through many of them."""
_KEY = bytes(range(32))
_SEED = 20260101
_MIB = 1 << 20

Row = dict[str, float | int | None]


def measure(*, quick: bool = False, count: int | None = None) -> dict[str, Row]:
    """A row for the table, the set, and dnsmasq where it is installed."""
    names = count or (NAMES // 10 if quick else NAMES)
    looked_up = 20_000 if quick else 200_000
    with tempfile.TemporaryDirectory(prefix="bench-lists-") as folder:
        rows: dict[str, Row] = {"gatehouse table": _apart(_table, Path(folder), names, looked_up)}
        rows["Python set"] = _apart(_set, Path(folder), names, looked_up)
        if shutil.which("dnsmasq") is not None:
            row = _dnsmasq(Path(folder), names, looked_up // 4) or _dnsmasq(Path(folder), names // 10, looked_up // 4)
            if row is not None:
                rows["dnsmasq"] = row
    return rows


def made_up(count: int) -> Iterator[str]:
    """Names of two and of three labels, each once."""
    for number in range(count):
        yield made_up_name(number)


def made_up_name(number: int) -> str:
    """The name of this number; of many lengths, as names are, and as dnsmasq sorts them."""
    text = hashlib.blake2b(b"%d" % number, digest_size=12, key=b"%d" % _SEED).hexdigest()[: 13 + number % 12]
    return f"n{text}.example" if number % 5 < 3 else f"w{number % 997}.n{text}.example"


def questions(count: int, names: int) -> tuple[list[str], list[str]]:
    """Names of four labels: those that the list covers, and those that it does not."""
    chance = random.Random(_SEED)  # noqa: S311 - made-up names
    listed, others = [], []
    for _ in range(count):
        name = made_up_name(chance.randrange(names))
        listed.append(f"a.b.{name}" if name.count(".") == 1 else f"a.{name}")
        others.append(f"a.b.{made_up_name(names + chance.randrange(10**9) * 5)}")  # of two labels
    return listed, others


def _apart(work: Callable[[Connection, Path, int, int], None], folder: Path, names: int, looked_up: int) -> Row:
    """Do it in a process of its own, whose memory is nobody else's."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(there, folder, names, looked_up))
    process.start()
    there.close()
    try:
        row: Row = here.recv()
    finally:
        process.join()
    return row


# --- the table -------------------------------------------------------------------------------


def _table(answer: Connection, folder: Path, names: int, looked_up: int) -> None:
    plain, compiled = folder / "list.txt", folder / "list.table"
    with plain.open("w") as file:
        file.writelines(f"{name}\n" for name in made_up(names))
    with plain.open("rb") as source:
        hashed = hashlib.file_digest(source, "sha256").digest()
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    peak = _Peak(before)
    with plain.open("rb") as source:
        tally = compile_table(peak.watch(parse(source, Format.DOMAINS)), compiled, key=_KEY, source=hashed)
    took = time.perf_counter() - began
    assert tally.entries == names, tally  # noqa: S101 - else the measurement is of another list
    began = time.perf_counter()
    lists = Lists([_loaded(compiled)])
    checked = time.perf_counter() - began
    listed, others = questions(looked_up, names)
    found, hits_per_s = _rate(lambda name: any(lists.match(name, ("list",))), listed)
    false, misses_per_s = _rate(lambda name: any(lists.match(name, ("list",))), others)
    assert found == looked_up, found  # noqa: S101 - every listed name is found
    resident = _resident(compiled)
    swap = _swap(lists, compiled, listed[0], others[0])
    answer.send(
        {
            "names": names,
            "load_s": took,
            "peak_MiB": (peak.most - before) / _MIB,
            "file_MiB": compiled.stat().st_size / _MIB,
            "rss_MiB": resident / _MIB,
            "hits_per_s": hits_per_s,
            "misses_per_s": misses_per_s,
            "false": false,
            "check_s": checked,
            **swap,
        }
    )


def _loaded(path: Path, *, checked: bool = False) -> Loaded:
    meta = NameList(id="list", version="1", title="Made up", severity=Severity.INFORMATION, sha256="0" * 64)
    return Loaded(meta=meta, table=open_table(path, _KEY, checked=checked))


class _Peak:
    """The most memory the process had while it compiled."""

    def __init__(self, start: int) -> None:
        self.most = start

    def watch(self, items: Iterator[Item]) -> Iterator[Item]:
        """Look now and then."""
        process = psutil.Process()
        for number, item in enumerate(items):
            if number % 50_000 == 0:
                self.most = max(self.most, process.memory_info().rss)
            yield item
        self.most = max(self.most, process.memory_info().rss)


def _resident(path: Path) -> int:
    """Octets of the file's mappings that are in memory (proc(5), smaps); all pages were read when it was opened."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = line.endswith(path.name)
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


def _swap(lists: Lists, path: Path, listed: str, other: str) -> Row:
    """Open the same list anew and put it in use while a thread asks."""
    done = threading.Event()
    answers = {"asked": 0, "wrong": 0}
    longest = 0.0

    def ask() -> None:
        nonlocal longest
        while not done.is_set():
            began = time.perf_counter()
            right = any(lists.match(listed, ("list",))) and not any(lists.match(other, ("list",)))
            longest = max(longest, time.perf_counter() - began)
            answers["asked"] += 1
            answers["wrong"] += not right

    thread = threading.Thread(target=ask)
    thread.start()
    began = time.perf_counter()
    lists.replace(_loaded(path, checked=True))
    took = time.perf_counter() - began
    done.set()
    thread.join()
    return {
        "swap_s": took,
        "wait_ms": 1e3 * longest,
        "wrong": answers["wrong"],
    }


def _rate(ask: Callable[[str], bool], names: list[str]) -> tuple[int, float]:
    """How many were found, and how many were asked in a second."""
    began = time.perf_counter()
    found = sum(map(ask, names))
    return found, len(names) / (time.perf_counter() - began)


# --- the peers -------------------------------------------------------------------------------


def _set(answer: Connection, folder: Path, names: int, looked_up: int) -> None:
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    with (folder / "list.txt").open() as plain:
        held = set(map(str.rstrip, plain))
    took = time.perf_counter() - began
    grown = psutil.Process().memory_info().rss - before

    def on_it(name: str) -> bool:
        while name:
            if name in held:
                return True
            name = name.partition(".")[2]
        return False

    listed, others = questions(looked_up, names)
    _found, hits_per_s = _rate(on_it, listed)
    false, misses_per_s = _rate(on_it, others)
    answer.send(_peer(names, took=took, grown=grown, hits_per_s=hits_per_s, misses_per_s=misses_per_s, false=false))


def _peer(names: int, *, took: float, grown: int, hits_per_s: float, misses_per_s: float, false: int) -> Row:
    return {
        "names": names,
        "load_s": took,
        "peak_MiB": None,
        "file_MiB": None,
        "rss_MiB": grown / _MIB,
        "hits_per_s": hits_per_s,
        "misses_per_s": misses_per_s,
        "false": false,
    }


def _dnsmasq(folder: Path, names: int, looked_up: int) -> Row | None:
    """The list in dnsmasq, each name refused with its names below; None where it was not ready in time.

    Any other name it answers by itself, so that nothing is asked upstream.
    """
    port = _free_port()
    empty, full = folder / "empty.conf", folder / "dnsmasq.conf"
    common = f"port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\ncache-size=0\naddress=/#/192.0.2.1\n"
    empty.write_text(common)
    with full.open("w") as file, (folder / "list.txt").open() as plain:
        file.write(common)
        file.writelines(f"address=/{name.rstrip()}/\n" for name in islice(plain, names))
    with _running(empty, port) as started:
        assert started is not None, "dnsmasq does not run here"  # noqa: S101
        without = psutil.Process(started[0]).memory_info().rss
    with _running(full, port) as started:
        if started is None:
            return None
        pid, took = started
        grown = psutil.Process(pid).memory_info().rss - without
        listed, others = questions(looked_up, names)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.connect(("127.0.0.1", port))
            _found, hits_per_s = _asked(asking, listed)
            false, misses_per_s = _asked(asking, others)
        return _peer(names, took=took, grown=grown, hits_per_s=hits_per_s, misses_per_s=misses_per_s, false=false)


def _asked(asking: socket.socket, names: list[str]) -> tuple[int, float]:
    """How many were refused as not existing, and how many were asked in a second; `ASK_SECONDS` at most."""
    packets = [dns.message.make_query(name, "A").to_wire() for name in names]
    found = asked = 0
    began = time.perf_counter()
    until = began + ASK_SECONDS
    for packet in packets:
        asking.send(packet)
        found += asking.recv(512)[3] & 0x0F == 3  # NXDOMAIN (RFC 1035 section 4.1.1)
        asked += 1
        if time.perf_counter() > until:
            break
    return found, asked / (time.perf_counter() - began)


@contextmanager
def _running(configuration: Path, port: int) -> Iterator[tuple[int, float] | None]:
    """A dnsmasq; its pid and how long it took until it answered, None where that took too long."""
    command = ["dnsmasq", "--keep-in-foreground", f"--conf-file={configuration}", "--user=root", "--group="]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            ready = _answers(port, process, began + DNSMASQ_SECONDS)
            yield (process.pid, time.perf_counter() - began) if ready else None
        finally:
            process.terminate()


def _answers(port: int, process: subprocess.Popen[bytes], until: float) -> bool:
    packet = dns.message.make_query("ready.example.org", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.05)
        asking.connect(("127.0.0.1", port))
        while time.perf_counter() < until and process.poll() is None:
            try:
                asking.send(packet)
                asking.recv(512)
            except OSError:
                time.sleep(0.02)
                continue
            return True
    return False


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
