"""The broker's configuration and its access rules, as text.

What enters: addresses, paths and `Account`s. What leaves: `mosquitto.conf` and the JSON of Mosquitto's
dynamic-security plugin. Both fit Mosquitto 2.0.11 (Debian 12) and 2.0.21 (Debian 13).

A client is who its certificate says (CN = user name = client id). A box may publish its own
`status`, `event`, `state`, `telemetry`, `result` and hear its own `cmd`; a worker hears what boxes
of its tenant say and publishes `cmd`; all else is denied. The plugin of these versions knows no
patterns with the user's name in them, so each box has a role of its own.
"""

from __future__ import annotations

import json
import shutil
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wire.codec import MAX_ENVELOPE
from wire.topics import ROOT, Channel

UP = (Channel.STATUS, Channel.EVENT, Channel.STATE, Channel.TELEMETRY, Channel.RESULT)
MAX_INFLIGHT = 500
"""More than twice the batch of an ingest worker; also what a box may send ahead of the answers."""
MAX_QUEUED = 100_000
"""Messages kept for a worker that is away. Over it the broker drops, and the boxes send again."""
MAX_QUEUED_OCTETS = 256 * 1024 * 1024
"""The same in octets: a message that carries a batch is fifty times as large as one alone."""
CONTROL = "$CONTROL/dynamic-security"
SHARE = "ingest"
"""Name of the workers' shared subscription."""
RULES_FILE = "dynamic-security.json"
_PLUGIN = "mosquitto_dynamic_security.so"


class BrokerMissingError(RuntimeError):
    """Mosquitto or its plugin is not installed; the text says what to install."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A client of the broker and the one role it has; no password, its certificate speaks for it."""

    name: str
    """CN of its certificate."""
    role: str
    rules: tuple[dict[str, Any], ...]
    """What the role may do, in the plugin's words; all else is denied."""

    @classmethod
    def box(cls, tenant: str, site: str) -> Account:
        """One household's box: its own topics."""
        own = f"{ROOT}/{tenant}/{site}"
        rules = [_allow("publishClientSend", f"{own}/{channel}/#") for channel in UP]
        return cls(name=site, role=f"box-{site}", rules=(*rules, *_hear(f"{own}/{Channel.CMD}/#")))

    @classmethod
    def ingest(cls, tenant: str, worker: str) -> Account:
        """An ingest worker: hears what boxes of its tenant say, publishes commands and receipts."""
        rules = [_allow("publishClientSend", f"{ROOT}/{tenant}/+/{Channel.CMD}/#")]
        for channel in UP:
            heard = f"{ROOT}/{tenant}/+/{channel}/+"
            # Several workers share what comes in: each message goes to one of them (MQTT 5, 4.8.2).
            rules += [
                *_hear(heard),
                _allow("subscribeLiteral", shared(heard)),
                _allow("unsubscribeLiteral", shared(heard)),
            ]
        return cls(name=worker, role=f"ingest-{tenant}", rules=tuple(rules))

    @classmethod
    def administrator(cls, name: str) -> Account:
        """May change the access rules, and nothing else: it hears no household."""
        rules = (_allow("publishClientSend", f"{CONTROL}/#"), *_hear(f"{CONTROL}/#"))
        return cls(name=name, role="administrator", rules=rules)


def find_mosquitto() -> Path:
    """The broker's program.

    Raises:
        BrokerMissingError: not installed.
    """
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise BrokerMissingError("Mosquitto is not installed; on Debian: apt-get install mosquitto")
    return Path(found)


def find_plugin(roots: Sequence[Path] = (Path("/usr/lib"), Path("/usr/local/lib"))) -> Path:
    """The dynamic-security plugin, wherever this machine's architecture keeps it.

    Raises:
        BrokerMissingError: not there.
    """
    triplet = sysconfig.get_config_var("MULTIARCH") or ""
    for root in roots:
        for folder in (root / triplet, root, *sorted(root.glob("*-linux-*"))):
            if (folder / _PLUGIN).is_file():
                return folder / _PLUGIN
    raise BrokerMissingError(f"{_PLUGIN} is not installed; on Debian it comes with: apt-get install mosquitto")


def mosquitto_conf(
    *,
    folder: Path,
    address: str,
    port: int,
    ca: Path,
    certificate: Path,
    key: Path,
    user: str | None = None,
    plugin: Path | None = None,
) -> str:
    """Text of `mosquitto.conf`.

    Args:
        folder: the broker's own folder (absolute): stored messages, and `dynamic-security.json`.
        address: where to listen.
        port: where to listen.
        ca: PEM file; only clients with a certificate of it are let in.
        certificate: the broker's own, PEM.
        key: of that certificate, PEM.
        user: whom to become when started as root; `root` in a user namespace, where only one uid maps.
        plugin: the dynamic-security plugin, if not where `find_plugin` finds it.

    Raises:
        BrokerMissingError: the plugin is not installed.
    """
    lines = [
        # Global settings; with one listener its access rules are the broker's.
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {plugin or find_plugin()}",
        f"plugin_opt_config_file {folder / RULES_FILE}",
        "persistence true",
        f"persistence_location {folder}/",
        # A PUBACK is no custody (boxes wait for the server's receipt); this only shortens what is repeated.
        "autosave_interval 30",
        "persistent_client_expiration 60d",
        f"max_inflight_messages {MAX_INFLIGHT}",
        f"max_queued_messages {MAX_QUEUED}",
        f"max_queued_bytes {MAX_QUEUED_OCTETS}",
        f"max_packet_size {MAX_ENVELOPE + 4096}",
        "max_keepalive 300",
        "retain_available false",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
        f"listener {port} {address}",
        f"cafile {ca}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "tls_version tlsv1.2",  # the oldest that is taken; 1.3 is used where both sides can
        "require_certificate true",
        "use_identity_as_username true",
        # Else a box with a certificate of its own could take another's client id and cut it off.
        "use_username_as_clientid true",
    ]
    return "\n".join([*([f"user {user}"] if user else []), *lines]) + "\n"


def dynamic_security(accounts: Iterable[Account]) -> str:
    """Text of the dynamic-security plugin's file: these accounts, and nothing for anyone else."""
    kinds = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
    known = list(accounts)
    roles = {account.role: {"rolename": account.role, "acls": list(account.rules)} for account in known}
    clients = [{"username": account.name, "roles": [{"rolename": account.role, "priority": 0}]} for account in known]
    document = {
        "defaultACLAccess": dict.fromkeys(kinds, False),
        "clients": clients,
        "groups": [],
        "roles": list(roles.values()),
    }
    return json.dumps(document, indent=1) + "\n"


def shared(topic: str) -> str:
    """The filter by which workers share what fits `topic`."""
    return f"$share/{SHARE}/{topic}"


def _hear(topic: str) -> list[dict[str, Any]]:
    """Subscribe to exactly this filter, and be sent what fits it."""
    return [
        _allow("subscribeLiteral", topic),
        _allow("unsubscribeLiteral", topic),
        _allow("publishClientReceive", topic),
    ]


def _allow(kind: str, topic: str) -> dict[str, Any]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
