from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard.broker.render import (
    UP,
    Account,
    BrokerMissingError,
    dynamic_security,
    find_mosquitto,
    find_plugin,
    mosquitto_conf,
    shared,
)
from dashboard.ingest.session import RECEIVE_MAXIMUM
from dashboard.ingest.worker import BATCH
from wire.codec import MAX_ENVELOPE
from wire.topics import ROOT


def _lines(user: str | None = None) -> list[str]:
    folder = Path("/var/lib/gatehouse/broker")
    text = mosquitto_conf(
        folder=folder,
        address="192.0.2.1",
        port=8883,
        ca=folder / "ca.pem",
        certificate=folder / "broker.pem",
        key=folder / "broker.key",
        user=user,
        plugin=Path("/plugin.so"),
    )
    return text.splitlines()


def test_only_certificates_get_in_and_name_the_client() -> None:
    lines = _lines()
    for wanted in (
        "listener 8883 192.0.2.1",
        "allow_anonymous false",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "tls_version tlsv1.2",
        "retain_available false",
        "plugin /plugin.so",
        "plugin_opt_config_file /var/lib/gatehouse/broker/dynamic-security.json",
    ):
        assert wanted in lines
    assert [line for line in lines if line.startswith("listener")] == ["listener 8883 192.0.2.1"]


def test_the_unprivileged_lab_may_stay_root() -> None:
    assert "user root" in _lines(user="root")
    assert not [line for line in _lines() if line.startswith("user ")]


def test_bounds_fit_what_the_workers_and_the_codec_do() -> None:
    numbers = {line.split()[0]: line.split()[1] for line in _lines()}
    assert int(numbers["max_inflight_messages"]) >= 2 * BATCH
    assert int(numbers["max_inflight_messages"]) >= RECEIVE_MAXIMUM
    assert int(numbers["max_packet_size"]) > MAX_ENVELOPE
    assert int(numbers["max_queued_messages"]) > 0
    assert int(numbers["max_queued_bytes"]) > 0


@pytest.mark.req("R69")
def test_everything_is_denied_but_a_clients_own() -> None:
    accounts = [
        Account.box("example", "site-1"),
        Account.ingest("example", "ingest-1"),
        Account.ingest("example", "ingest-2"),
        Account.administrator("administrator-1"),
    ]
    document = json.loads(dynamic_security(accounts))
    assert set(document["defaultACLAccess"].values()) == {False}
    roles = {role["rolename"]: role["acls"] for role in document["roles"]}
    assert set(roles) == {"box-site-1", "ingest-example", "administrator"}
    assert {client["username"] for client in document["clients"]} == {
        "site-1",
        "ingest-1",
        "ingest-2",
        "administrator-1",
    }
    assert all("password" not in client for client in document["clients"])
    box = {(acl["acltype"], acl["topic"]) for acl in roles["box-site-1"]}
    own = "gatehouse/v1/example/site-1"
    assert {topic for kind, topic in box if kind == "publishClientSend"} == {
        f"{own}/{channel}/#" for channel in ("status", "event", "state", "telemetry", "result")
    }
    assert {topic for kind, topic in box if kind != "publishClientSend"} == {f"{own}/cmd/#"}
    worker = {(acl["acltype"], acl["topic"]) for acl in roles["ingest-example"]}
    assert {topic for kind, topic in worker if kind == "publishClientSend"} == {"gatehouse/v1/example/+/cmd/#"}
    assert not [topic for kind, topic in worker if kind != "publishClientSend" and "cmd" in topic]
    assert all("gatehouse" not in acl["topic"] for acl in roles["administrator"])
    assert all(acl["allow"] for acls in roles.values() for acl in acls)


def test_the_plugin_is_found_for_any_architecture(tmp_path: Path) -> None:
    with pytest.raises(BrokerMissingError, match="apt-get install mosquitto"):
        find_plugin((tmp_path,))
    folder = tmp_path / "aarch64-linux-gnu"
    folder.mkdir()
    (folder / "mosquitto_dynamic_security.so").touch()
    assert find_plugin((tmp_path,)).parent == folder


def test_no_mosquitto_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_named: None)
    with pytest.raises(BrokerMissingError, match="apt-get install mosquitto"):
        find_mosquitto()


@pytest.mark.req("R69")
def test_workers_of_a_tenant_share_one_role_and_may_share_what_comes_in() -> None:
    accounts = [Account.ingest("example", name) for name in ("ingest-1", "ingest-2")]
    rules = json.loads(dynamic_security(accounts))
    assert [role["rolename"] for role in rules["roles"]] == ["ingest-example"]
    assert {client["username"] for client in rules["clients"]} == {"ingest-1", "ingest-2"}
    acls = rules["roles"][0]["acls"]
    shared_ones = {rule["topic"] for rule in acls if rule["topic"].startswith("$share/ingest/")}
    assert shared_ones == {shared(f"{ROOT}/example/+/{channel}/+") for channel in UP}
    assert {rule["acltype"] for rule in acls if rule["topic"] in shared_ones} == {
        "subscribeLiteral",
        "unsubscribeLiteral",
    }
