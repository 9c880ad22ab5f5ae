"""A box that was away for a month: its certificate is long past, its signing key is not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from appliance import clock
from dashboard.broker.render import BrokerMissingError, find_mosquitto, find_plugin
from dashboard.enrol.desk import revoke
from lab.faults.carriage import SITE, Carriage, carriage
from lab.faults.sending import stay


@contextmanager
def rigged(**given: timedelta) -> Iterator[Carriage]:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="gh-"))
    with carriage(folder, **given) as made:
        yield made
    shutil.rmtree(folder)


@pytest.fixture
def rig() -> Iterator[Carriage]:
    with rigged(expired=timedelta(days=30)) as made:
        yield made


@pytest.mark.req("R69", "N3")
def test_a_box_away_for_a_month_renews_and_reconnects(rig: Carriage) -> None:
    rig.keeper.put(stay(1, 1, clock.now()), at=clock.now())
    rig.start("broker", "ingest", "enrol")
    rig.wait_said("ingest", "connected to the broker")
    rig.start("courier")
    assert rig.carry(lambda: not len(rig.keeper.store.outbox), seconds=60)
    assert rig.events() == 1
    assert ("renew-certificate", SITE) in rig.audited()
    kept = rig.folder / "box" / "courier" / "tls.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    certificate = x509.load_pem_x509_certificate(kept.read_bytes())
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=7, hours=1)


@pytest.mark.req("R69", "N3")
def test_a_revoked_box_stays_outside(rig: Carriage) -> None:
    assert revoke(rig.engine, site=SITE, by=None, now=clock.now())
    rig.start("broker", "enrol", "courier")
    rig.wait_said("courier", "the box was revoked", seconds=40)
    assert not rig.keeper.uplink.broker_connected
    assert not (rig.folder / "box" / "courier" / "tls.pem").exists()
    assert ("renew-certificate", f"{SITE}: the box was revoked") in rig.audited()


@pytest.mark.req("R69", "N3")
def test_a_certificate_is_renewed_at_half_of_its_life_and_nothing_is_lost() -> None:
    with rigged(lasts=timedelta(minutes=50)) as rig:  # of an hour and fifty minutes: half is over
        rig.start("broker", "ingest", "enrol")
        rig.wait_said("ingest", "connected to the broker")
        rig.keeper.put(stay(1, 1, clock.now()), at=clock.now())
        rig.start("courier")
        rig.wait_said("courier", "the certificate is renewed")
        rig.keeper.put(stay(2, 1, clock.now()), at=clock.now())
        assert rig.carry(lambda: not len(rig.keeper.store.outbox), seconds=30)
        assert rig.events() == 2
        assert [line for line in rig.audited() if line[0] == "renew-certificate"] == [("renew-certificate", SITE)]
