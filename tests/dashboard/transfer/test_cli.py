"""The operator's commands about transfers: public keys printed, files described, nothing of a private key shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine

from dashboard.transfer.cli import transfer_keys, transfer_run, transfer_show
from dashboard.transfer.pack import Pack, write
from wire.keys import key_id, public_text, write_private

pytestmark = pytest.mark.req("R46")
SIGNS, SEALS = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


@pytest.fixture
def given(make_settings: Callable[..., Any], tmp_path: Path) -> Any:
    write_private(tmp_path / "signing.pem", SIGNS)
    write_private(tmp_path / "sealing.pem", SEALS)
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "certificate", "key")}
    keys = {"signing_key": tmp_path / "signing.pem", "sealing_key": tmp_path / "sealing.pem"}
    return make_settings(ingest={"host": "127.0.0.1", **paths, **keys})


def test_public_keys_are_printed_with_their_short_names(given: Any) -> None:
    found = CliRunner().invoke(transfer_keys, obj=given)
    assert found.exit_code == 0
    for key in (SIGNS, SEALS):
        assert f"{public_text(key)} ({key_id(public_text(key))})" in found.output
    assert "PRIVATE" not in found.output


def test_without_keys_it_says_what_is_missing(make_settings: Callable[..., Any]) -> None:
    for command in (transfer_keys, transfer_run):
        found = CliRunner().invoke(command, obj=make_settings())
        assert found.exit_code == 2
        assert "[ingest]" in found.output


@pytest.mark.usefixtures("engine")
def test_nothing_agreed_to_is_nothing_done(given: Any) -> None:
    found = CliRunner().invoke(transfer_run, obj=given)
    assert found.exit_code == 0
    assert "0 done" in found.output


def test_a_file_says_whose_it_is_and_no_more(tmp_path: Path, engine: Engine) -> None:
    del engine
    pack = Pack(operator="Northmoor", tenant="northmoor", title="NM-1", since=0.0, devices=(), history=())
    file = tmp_path / "household.transfer"
    file.write_bytes(write(pack, pack_id="ab" * 16, at=1.0, signer=SIGNS, recipient=SEALS.public_key()))
    found = CliRunner().invoke(transfer_show, [str(file)])
    assert found.exit_code == 0
    assert key_id(public_text(SIGNS)) in found.output
    assert "NM-1" not in found.output
    file.write_bytes(b"something else")
    assert CliRunner().invoke(transfer_show, [str(file)]).exit_code == 2
