"""Two real dnsmasqs on loopback: one that filters, and before it one that plays the household's own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from appliance.plan import FilterPlan
from appliance.resolver.config import PORTS, config
from firmware import household

UPSTREAM_PORT, FILTER_PORT = 15330, 15331
OUTSIDE, BOX = "203.0.113.9", "192.0.2.1"
HOME = household.Household.model_validate(
    {
        "lan": {"bridge": "lo", "address": BOX, "network": "192.0.2.0/24", "network6": "2001:db8:1::/64"},
        "wan": {"interface": "wan0"},
        "resolver": {"upstream": ["198.51.100.1"]},
    }
)
UPSTREAM = f"""
port={UPSTREAM_PORT}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
address=/#/{OUTSIDE}
local=/#/
"""

Ask = Callable[..., tuple[str, list[str]]]


def ask(name: str, type_: str = "A", port: int = FILTER_PORT) -> tuple[str, list[str]]:
    """The answer's code and the texts of its records."""
    answer = dns.query.udp(dns.message.make_query(name, type_), "127.0.0.1", port=port, timeout=5)
    return dns.rcode.to_text(answer.rcode()), sorted(record.to_text() for rrset in answer.answer for record in rrset)


@pytest.fixture
def home() -> household.Household:
    return HOME


@pytest.fixture
def filtering(tmp_path: Path) -> Iterator[Callable[..., Ask]]:
    """Start a filter by a plan (and the addresses of strict modes); gives what asks it."""
    if shutil.which("dnsmasq") is None:
        pytest.skip("dnsmasq is not installed")
    with ExitStack() as stack:

        def start(text: str, name: str, port: int) -> None:
            path = tmp_path / name
            path.write_text(text)
            command = [
                "dnsmasq",
                f"--conf-file={path}",
                "--pid-file=",
                "--keep-in-foreground",
                "--user=root",
                "--group=",
            ]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.kill)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    dns.query.udp(dns.message.make_query("ready.example", "A"), "127.0.0.1", port=port, timeout=0.2)
                except (OSError, dns.exception.Timeout):
                    continue
                return
            pytest.fail(f"dnsmasq of {name} did not answer")

        def begin(plan: FilterPlan, targets: dict[str, tuple[object, ...]] | None = None) -> Ask:
            text, _ = config(HOME, plan, targets or {})  # type: ignore[arg-type]
            text = text.replace(f"port={PORTS[plan.number]}\n", f"port={FILTER_PORT}\n")
            text = text.replace(f"\nserver={BOX}\n", f"\nserver=127.0.0.1#{UPSTREAM_PORT}\n")
            text = text.replace("bind-dynamic\n", "listen-address=127.0.0.1\nbind-interfaces\n").replace(
                "interface=lo\n", ""
            )
            start(UPSTREAM, "upstream.conf", UPSTREAM_PORT)
            start(text, "filter.conf", FILTER_PORT)
            return ask

        yield begin
