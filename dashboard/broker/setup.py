"""The broker's configuration and its access rules, as text: pure functions, and one that writes the files.

What enters: a `BrokerPlan`. What leaves: `mosquitto.conf` and the JSON of Mosquitto's
dynamic-security plugin. Both fit Mosquitto 2.0.11 (Debian 12) and 2.0.21 (Debian 13).

A client is who its certificate says (CN = user name = client id). A box may publish its own
`status`, `event`, `state`, `telemetry`, `result` and hear its own `cmd`; a worker hears what boxes
of its tenant say and publishes `cmd`; all else is denied. The plugin of these versions knows no
patterns with the user's name in them, so each box has a role of its own.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wire.codec import MAX_ENVELOPE
from wire.files import replace
from wire.topics import ROOT, Channel

UP = (Channel.STATUS, Channel.EVENT, Channel.STATE, Channel.TELEMETRY, Channel.RESULT)
MAX_INFLIGHT = 500
"""More than twice the batch of an ingest worker; also what a box may send ahead of the answers."""
MAX_QUEUED = 100_000
"""Messages kept for a worker that is away. Over it the broker drops, and the boxes send again."""
CONTROL = "$CONTROL/dynamic-security"
ADMIN_ROLE = "administrator"
_PLUGIN = "mosquitto_dynamic_security.so"


class BrokerMissingError(RuntimeError):
    """Mosquitto or its plugin is not installed; the text says what to install."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """What a broker shall be. Paths are absolute."""

    folder: Path
    """Where its files go: configuration, access rules, stored messages. Its own folder."""
    bind: str
    """Address to listen at."""
    port: int
    ca: Path
    certificate: Path
    key: Path
    plugin: Path
    """The dynamic-security plugin; see `find_plugin`."""
    tenant: str
    sites: tuple[str, ...] = ()
    """CNs of the boxes' certificates."""
    workers: tuple[str, ...] = ()
    """CNs of the ingest workers' certificates."""
    administrator: str | None = None
    """CN of the certificate that may change the access rules at run time."""
    run_as: str | None = None
    """User to become; `root` to stay root, as in a user namespace where only one uid maps."""


def find_mosquitto() -> Path:
    """The broker's program.

    Raises:
        BrokerMissingError: not installed.
    """
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise BrokerMissingError("Mosquitto is not installed; on Debian: apt-get install mosquitto")
    return Path(found)


def find_plugin(roots: tuple[Path, ...] = (Path("/usr/lib"), Path("/usr/local/lib"))) -> Path:
    """The dynamic-security plugin, wherever this machine's architecture keeps it.

    Raises:
        BrokerMissingError: not there.
    """
    triplet = getattr(sys.implementation, "_multiarch", "")
    for root in roots:
        for folder in (root / triplet, root, *sorted(root.glob("*-linux-*"))):
            if (folder / _PLUGIN).is_file():
                return folder / _PLUGIN
    raise BrokerMissingError(f"{_PLUGIN} is not installed; on Debian it comes with: apt-get install mosquitto")


def configuration(plan: BrokerPlan) -> str:
    """Text of `mosquitto.conf`."""
    user = [f"user {plan.run_as}"] if plan.run_as else []
    lines = [
        *user,
        # Global settings; with one listener its access rules are the broker's.
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {plan.plugin}",
        f"plugin_opt_config_file {plan.folder / 'dynamic-security.json'}",
        "persistence true",
        f"persistence_location {plan.folder}/",
        # A PUBACK is no custody (boxes wait for the server's receipt); this only shortens what is repeated.
        "autosave_on_changes true",
        "autosave_interval 1000",
        "persistent_client_expiration 60d",
        f"max_inflight_messages {MAX_INFLIGHT}",
        f"max_queued_messages {MAX_QUEUED}",
        f"max_packet_size {MAX_ENVELOPE + 4096}",
        "max_keepalive 300",
        "retain_available false",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
        f"listener {plan.port} {plan.bind}",
        f"cafile {plan.ca}",
        f"certfile {plan.certificate}",
        f"keyfile {plan.key}",
        "tls_version tlsv1.2",  # the oldest that is taken; 1.3 is used where both sides can
        "require_certificate true",
        "use_identity_as_username true",
        # Else a box with a certificate of its own could take another's client id and cut it off.
        "use_username_as_clientid true",
    ]
    return "\n".join(lines) + "\n"


def access_rules(plan: BrokerPlan) -> dict[str, Any]:
    """The dynamic-security plugin's file."""
    roles = [box_role(plan.tenant, site) for site in plan.sites]
    clients = [client(site, role_name(site)) for site in plan.sites]
    if plan.workers:
        roles.append(worker_role(plan.tenant))
        clients += [client(worker, worker_role_name(plan.tenant)) for worker in plan.workers]
    if plan.administrator is not None:
        roles.append(administrator_role())
        clients.append(client(plan.administrator, ADMIN_ROLE))
    kinds = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
    return {
        "defaultACLAccess": dict.fromkeys(kinds, False),
        "clients": clients,
        "groups": [],
        "roles": roles,
    }


def role_name(site: str) -> str:
    """Name of a box's role."""
    return f"box-{site}"


def worker_role_name(tenant: str) -> str:
    """Name of the role of a tenant's workers."""
    return f"ingest-{tenant}"


def client(name: str, role: str) -> dict[str, Any]:
    """A client of the plugin: no password, its certificate speaks for it."""
    return {"username": name, "roles": [{"rolename": role, "priority": 0}]}


def box_role(tenant: str, site: str) -> dict[str, Any]:
    """What one box may do."""
    own = f"{ROOT}/{tenant}/{site}"
    rules = [_allow("publishClientSend", f"{own}/{channel}/#") for channel in UP]
    rules += _hear(f"{own}/{Channel.CMD}/#")
    return {"rolename": role_name(site), "acls": rules}


def worker_role(tenant: str) -> dict[str, Any]:
    """What the ingest workers of a tenant may do."""
    rules = [_allow("publishClientSend", f"{ROOT}/{tenant}/+/{Channel.CMD}/#")]
    for channel in UP:
        rules += _hear(f"{ROOT}/{tenant}/+/{channel}/+")
    return {"rolename": worker_role_name(tenant), "acls": rules}


def administrator_role() -> dict[str, Any]:
    """May change the access rules, and nothing else: it hears no household."""
    return {"rolename": ADMIN_ROLE, "acls": [_allow("publishClientSend", f"{CONTROL}/#"), *_hear(f"{CONTROL}/#")]}


def write(plan: BrokerPlan) -> Path:
    """Write both files into the plan's folder; returns the path for `mosquitto -c`.

    Existing access rules stay: the plugin rewrites that file when a box is added or disabled.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    rules = plan.folder / "dynamic-security.json"
    if not rules.exists():
        replace(rules, json.dumps(access_rules(plan), indent=1).encode())
    path = plan.folder / "mosquitto.conf"
    replace(path, configuration(plan).encode())
    return path


def _hear(topic: str) -> list[dict[str, Any]]:
    """Subscribe to exactly this filter, and be sent what fits it."""
    return [
        _allow("subscribeLiteral", topic),
        _allow("unsubscribeLiteral", topic),
        _allow("publishClientReceive", topic),
    ]


def _allow(kind: str, topic: str) -> dict[str, Any]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
