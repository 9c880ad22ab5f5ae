from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import netifaces
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import link
from appliance import settings as box_settings
from appliance.cli import checks
from appliance.settings import BoxSettings, Broker
from firmware.household import Household
from lab.pki import CertificateAuthority
from wire.authority import Authority, CollectClause, DataClass, sign
from wire.base import Standing
from wire.keys import public_text, write_private

ISSUER = Ed25519PrivateKey.generate()
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.fixture
def box(box_toml: Callable[..., Path]) -> BoxSettings:
    settings = box_settings.load(box_toml())
    keys = settings.keys.model_copy(
        update={
            "server_verify": (public_text(Ed25519PrivateKey.generate()),),
            "server_seal": public_text(X25519PrivateKey.generate()),
        }
    )
    authority = settings.authority.model_copy(update={"issuers": (public_text(ISSUER),)})
    return settings.model_copy(update={"keys": keys, "authority": authority})


def document(site: str = "site-1") -> Authority:
    return Authority(
        id="a-1",
        number=1,
        kind="order",
        reference="EX-1",
        purpose="prevent",
        tenant="example",
        site=site,
        responsible_officer="officer-1",
        issued_at=NOW,
        not_before=NOW,
        not_after=NOW + dt.timedelta(days=30),
        review_date=NOW + dt.timedelta(days=20),
        clauses=(CollectClause(number="1", standings=(Standing.UNKNOWN,), classes=(DataClass.PRESENCE,)),),
    )


def test_keys_missing_then_open_to_others_then_well(box: BoxSettings) -> None:
    own, pinned = checks.keys(box)
    assert not own.ok
    assert "cannot be read" in own.text
    assert pinned.ok
    write_private(box.keys.signing_key, Ed25519PrivateKey.generate())
    write_private(box.keys.sealing_key, X25519PrivateKey.generate())
    assert next(checks.keys(box)).ok
    box.keys.signing_key.chmod(0o644)
    assert "others may read this private key" in next(checks.keys(box)).text


def test_a_pinned_key_that_is_none(box: BoxSettings) -> None:
    keys = box.keys.model_copy(update={"server_seal": "c2hvcnQ="})
    assert "a public key has 32" in list(checks.keys(box.model_copy(update={"keys": keys})))[1].text


@pytest.mark.req("R53", "R54")
@pytest.mark.parametrize(
    ("days", "ok", "words"), [(1, True, "is in force until"), (-1, False, "not yet valid"), (31, False, "expired on")]
)
def test_authority_by_its_dates(box: BoxSettings, days: int, ok: bool, words: str) -> None:
    box.authority.path.write_text(sign(document(), ISSUER).model_dump_json())
    found = checks.authority(box, now=(NOW + dt.timedelta(days=days)).timestamp())
    assert found.ok is ok
    assert words in found.text


@pytest.mark.req("R53")
def test_authority_missing_forged_or_for_another_box(box: BoxSettings) -> None:
    moment = NOW.timestamp() + 1
    assert "There is no authority" in checks.authority(box, now=moment).text
    box.authority.path.write_text(sign(document(), Ed25519PrivateKey.generate()).model_dump_json())
    assert "the signature does not hold" in checks.authority(box, now=moment).text
    box.authority.path.write_text(sign(document("site-2"), ISSUER).model_dump_json())
    assert "it is for example/site-2" in checks.authority(box, now=moment).text


def test_programs_and_kernel(tmp_path: Path) -> None:
    assert {check.name for check in checks.programs()} == {"nft", "dnsmasq", "unshare", "setpriv"}
    bare = {check.name: check for check in checks.kernel(tmp_path)}
    assert not bare["nflog"].ok
    assert bare["nflog"].fix == "modprobe nfnetlink_log"
    assert next(checks.kernel()).ok


def test_clock_and_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.clock_state(0).ok
    assert not checks.clock_state(5).ok
    assert checks._adjtimex() in range(6)
    monkeypatch.setattr(checks, "ENOUGH_DISK", 1)
    assert checks.disk(tmp_path / "not" / "there" / "yet").ok
    monkeypatch.setattr(checks, "ENOUGH_DISK", 1 << 80)
    assert not checks.disk(tmp_path).ok


def test_interfaces_are_asked_of_the_kernel() -> None:
    def house(name: str, address: str) -> Household:
        lan = {"bridge": name, "address": address, "network": "127.0.0.0/8", "network6": "2001:db8::/64"}
        valid = Household.model_validate(
            {"lan": lan, "wan": {"interface": "wan0"}, "resolver": {"upstream": ["192.0.2.1"]}}
        )
        # No home has one interface for both; here no other is sure to be there.
        return valid.model_copy(update={"wan": valid.wan.model_copy(update={"interface": name})})

    if "127.0.0.1" in checks._addresses("lo"):
        assert [check.ok for check in checks.interfaces(house("lo", "127.0.0.1"))] == [True, True]
    assert next(check.ok for check in checks.interfaces(house("lo", "127.9.9.9"))) is False
    assert [check.ok for check in checks.interfaces(house("nosuch0", "127.0.0.1"))] == [False, False]
    assert "lo" in netifaces.interfaces()


def test_broker_by_tls_and_why_not(tmp_path: Path) -> None:
    ca = CertificateAuthority(tmp_path / "ca")
    server, client = ca.issue("broker", addresses=["127.0.0.1"]), ca.issue("site-1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = Broker(
            host="127.0.0.1", port=port, ca=ca.certificate_path, certificate=client.certificate, key=client.key
        )

        def serve() -> None:
            for _ in range(2):
                plain, _address = listener.accept()
                try:
                    context.wrap_socket(plain, server_side=True).close()
                except OSError:
                    plain.close()

        thread = threading.Thread(target=serve)
        thread.start()
        assert checks.broker(settings).ok
        other = CertificateAuthority(tmp_path / "other")
        wrong = checks.broker(settings.model_copy(update={"ca": other.certificate_path}))
        assert "does not show the right certificate" in wrong.text
        thread.join(20)
    assert "is not reached" in checks.broker(settings).text
    assert "cannot be read" in checks.broker(settings.model_copy(update={"key": tmp_path / "none"})).text


def test_sockets(box: BoxSettings) -> None:
    assert not checks.sockets(box).ok
    paths = (box.keeper_socket("status"), box.warden_socket)
    for path in paths:
        path.parent.mkdir(parents=True)
    with link.listen(paths[0]) as keeper, link.listen(paths[1]) as warden:
        assert checks.sockets(box).ok
        for listener in (keeper, warden):
            assert link.accept(listener, {os.getuid()}) is None, "looking connects to nobody"
    assert not checks.sockets(box).ok, "what a killed process left is nobody"


def test_a_list_that_is_missing(box: BoxSettings, tmp_path: Path) -> None:
    assert list(checks.lists(box, 0.0)) == []
    source = {"id": "l", "version": "1", "title": "L", "severity": "today", "path": tmp_path / "l.txt"}
    listed = BoxSettings.model_validate({**box.model_dump(), "lists": (source,)})
    assert not next(checks.lists(listed, 0.0)).ok
    (tmp_path / "l.txt").touch()
    assert next(checks.lists(listed, 0.0)).ok
