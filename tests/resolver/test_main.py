"""The room between a keeper that is played and dnsmasqs that are real, in a network of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.enter import sealed

pytestmark = pytest.mark.lab

EXAMPLES = Path(__file__).parents[1] / "examples"

SCRIPT = r"""
import os, shutil, signal, sys, time
from pathlib import Path
import dns.message, dns.query
from appliance import link
from appliance.messages import FilterPlan, ResolverState
from appliance.plan import FilterPlan as Filter, Plan, Rule, pack
from appliance.resolver.main import Room
from appliance.settings import load

settings = load(Path(sys.argv[1]))
socket = settings.keeper_socket("resolver")
socket.parent.mkdir(parents=True, exist_ok=True)
listener = link.listen(socket)
room = Room(settings, time.monotonic())
keeper, heard = None, []

def until(wanted, what, seconds=20):
    global keeper
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        room.step()
        if keeper is None:
            keeper = link.accept(listener, {0, os.getuid()})
        else:
            heard.extend(keeper.receive())
        if wanted():
            return
    sys.exit(f"not: {what}; heard {heard[-3:]}")

def tell(generation, *filters):
    path = settings.run_dir / "plan"
    path.write_bytes(pack(Plan(generation=generation, filters=filters)))
    heard.clear()
    keeper.send(FilterPlan(generation=generation, path=str(path)))

def made(number, name, **more):
    rules = (Rule(name=name, itself=True, below=True),)
    return Filter(number=number, refuse_all=False, rules=rules, safe_search=more.get("safe", False), refuse=(), closed=False)

def last():
    return next((m for m in reversed(heard) if isinstance(m, ResolverState)), None)

def ask(name, port):
    answer = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=3)
    return [r.to_text() for rrset in answer.answer for r in rrset]

until(lambda: keeper is not None, "connected")
assert last() is None, "it says nothing before it is told"
tell(5, made(1, "a.example"), made(2, "b.example"))
until(lambda: last() and last().ready == (1, 2) and last().generation == 5, "both ready")
assert ask("x.a.example", 5311) == ["192.0.2.1"]
assert ask("b.example", 5312) == ["192.0.2.1"]

before = room._children[1]._process.pid
room._children[1].restart()
until(lambda: room._children[1]._process and room._children[1]._process.pid != before, "started again")
heard.clear()
until(lambda: last() and last().ready == (1, 2), "and ready")
os.kill(room._children[2]._process.pid, signal.SIGSTOP)
heard.clear()
until(lambda: last() and last().ready == (1,), "one that hangs is not ready")
until(lambda: last() and last().ready == (1, 2), "and is started again")

tell(6, made(2, "c.example", safe=True))
until(lambda: last() and last().generation == 6 and last().ready == (2,), "the first filter has ended", 40)
assert "strict mode cannot be had of Google" in last().detail, last()
assert ask("c.example", 5312) == ["192.0.2.1"]

slow = settings.run_dir / "slow"
slow.mkdir()
(slow / "dnsmasq").write_text("#!/bin/sh\ncase \"$*\" in *--test*) [ ! -e $0.broken ] || exit 1;; *) sleep 5;; esac\n"
    f"exec {shutil.which('dnsmasq')} \"$@\"\n")
(slow / "dnsmasq").chmod(0o755)
os.environ["PATH"] = f"{slow}:{os.environ['PATH']}"
tell(6, made(2, "e.example"))
until(lambda: room._children[2]._text and "e.example" in room._children[2]._text, "taken")
assert room._ready == ()
first = room._children[2]._process.pid
until(lambda: last() and last().ready == (2,), "one that takes its time to begin is waited for")
assert room._children[2]._process.pid == first

(slow / "dnsmasq.broken").touch()
tell(6, made(2, "f.example"))
until(lambda: last() and "not in force" in last().detail, "it cannot be checked")
(slow / "dnsmasq.broken").unlink()
room._apply_due = min(room._apply_due, time.monotonic() + 1)
until(lambda: last() and last().ready == (2,) and not last().detail, "and is tried again", 40)

heard.clear()
Path(settings.run_dir / "plan").write_bytes(b"nonsense")
keeper.send(FilterPlan(generation=7, path=str(settings.run_dir / "plan")))
until(lambda: last() and "cannot be read" in last().detail, "said")
assert last().generation == 6, "what was in force is what it speaks of"

keeper.close()
keeper = None
until(lambda: keeper is not None, "connected again")
heard.clear()
keeper.send(FilterPlan(generation=8, path=None))
until(lambda: last() and last().generation == 8 and last().ready == (), "nothing to filter")
assert not list((settings.run_dir / "resolver").glob("*.conf"))
room.close()
listener.close()
print("done")
"""


@pytest.mark.req("R22", "R57")
def test_plans_are_carried_out_and_told(tmp_path: Path) -> None:
    if not sealed():
        pytest.skip("the tests are not in the sealed place: run `make test`")
    for name in ("household.toml", "box.toml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    inside = (
        "ip link set lo up && ip link add br0 type bridge && ip link set br0 up && "
        "ip addr add 192.0.2.1/24 dev br0 && ip addr add 2001:db8:1::1/64 dev br0 nodad && "
        f'exec {sys.executable} -c "$SCRIPT" {tmp_path}/box.toml'
    )
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", inside],
        env=os.environ | {"SCRIPT": SCRIPT},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout.endswith("done\n"), done.stdout + done.stderr
