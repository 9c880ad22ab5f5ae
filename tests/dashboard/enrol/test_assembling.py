from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dashboard.enrol.assembling import broker_of, enroller_of, offer_of
from dashboard.enrol.following import Broker
from dashboard.settings import BoxBroker, DashboardSettings, Enrol, EnrolBox
from wire.files import FileError
from wire.keys import public_text, write_private

BROKER = Broker(let_in=lambda _site: None, cut_off=lambda _site: None)


def _settings(tmp_path: Path, **values: Any) -> DashboardSettings:
    box = EnrolBox(
        broker=BoxBroker(host="broker.example.org"),
        server_seal=public_text(X25519PrivateKey.generate()),
        signing_key=tmp_path / "signing.pem",
    )
    paths = {name: tmp_path / name for name in ("ca", "ca_key", "certificate", "key")}
    return DashboardSettings(
        database_url="sqlite://",
        tenant="example",
        operator="the Example Service",
        secret_key_file=tmp_path / "secret",
        enrol=Enrol(host="127.0.0.1", box=box.model_copy(update=values), **paths),
    )


def test_a_desk_that_only_renews_has_no_enroller(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.enrol is not None
    renews = settings.model_copy(update={"enrol": settings.enrol.model_copy(update={"box": None})})
    assert enroller_of(renews, None, None, None) is None  # type: ignore[arg-type] # nothing of them is used
    assert broker_of(renews) is None


@pytest.mark.req("R69")
def test_a_desk_that_enrols_needs_a_way_to_the_broker_and_its_keys(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    with pytest.raises(FileError, match="no \\[control\\] section"):
        enroller_of(settings, None, None, None)  # type: ignore[arg-type] # as above
    with pytest.raises(FileError, match="signing"):
        enroller_of(settings, None, None, BROKER)  # type: ignore[arg-type] # as above
    write_private(tmp_path / "signing.pem", Ed25519PrivateKey.generate())
    assert enroller_of(settings, None, None, BROKER) is not None  # type: ignore[arg-type] # as above
    with pytest.raises(FileError, match="cannot be given to a box"):
        enroller_of(_settings(tmp_path, server_seal="A" * 44), None, None, BROKER)  # type: ignore[arg-type] # as above


def test_the_household_is_told_whom_to_ask_even_where_no_help_is_entered(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.enrol is not None
    assert settings.enrol.box is not None
    notice = offer_of(settings, settings.enrol.box).notice
    assert (notice.contact, notice.complaints, notice.help_lines) == (
        "the Example Service",
        "the Example Service",
        (),
    )
