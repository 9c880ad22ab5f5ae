"""`box.toml` of a lab's box: where its files are and whom it knows in, text out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the box's files are, as its settings say it; what is no absolute path lies beside them."""

    state: Path | str
    run: Path | str
    household: Path | str
    authority: Path | str
    ca: Path | str
    certificate: Path | str
    certificate_key: Path | str
    signing_key: Path | str
    sealing_key: Path | str


def settings_text(
    places: Places,
    uids: Mapping[str, int],
    *,
    tenant: str,
    site: str,
    broker: tuple[str, int],
    server_verify: str,
    server_seal: str,
    issuer: str,
    lists: Iterable[str],
) -> str:
    """The text.

    Args:
        places: of the box's files.
        uids: user of each process; none where all share one.
        tenant: whose box it is.
        site: which box it is.
        broker: address and port.
        server_verify: Ed25519 key of the server, raw base64.
        server_seal: X25519 key of the server, raw base64.
        issuer: Ed25519 key of the authority's issuer, raw base64.
        lists: ids of further lists, each a file `ID.txt` beside the settings, of domains or, where the id ends so,
            of addresses.
    """
    text = f"""
tenant = "{tenant}"
site = "{site}"
state_dir = "{places.state}"
run_dir = "{places.run}"
household = "{places.household}"
heartbeat_seconds = 10

[broker]
host = "{broker[0]}"
port = {broker[1]}
ca = "{places.ca}"
certificate = "{places.certificate}"
key = "{places.certificate_key}"

[keys]
signing_key = "{places.signing_key}"
sealing_key = "{places.sealing_key}"
server_verify = ["{server_verify}"]
server_seal = "{server_seal}"

[authority]
path = "{places.authority}"
issuers = ["{issuer}"]

[notice]
operator = "Demonstration Constabulary"
contact = "Ask the officer in charge: 01632 960000"
complaints = "Write to the operator's data protection officer: 01632 960001"
help_lines = ["Confidential help: 0808 157 0000"]

[uids]
{"".join(f"{name} = {uid}" + chr(10) for name, uid in uids.items())}
[[lists]]
id = "demo-list"
version = "1"
title = "Demonstration list"
severity = "today"
path = "demo-list.txt"
"""
    for list_id in lists:
        kind = "addresses" if list_id.endswith("-addresses") else "domains"
        text += f"""
[[lists]]
id = "{list_id}"
version = "1"
title = "Made-up list"
severity = "information"
format = "{kind}"
path = "{list_id}.txt"
"""
    return text
