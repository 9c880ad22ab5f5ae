from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from dashboard.cli_boxes import card_of
from dashboard.settings import Boxes, DashboardSettings, SignIn
from lab.pki import CertificateAuthority
from wire.files import FileError, toml_text
from wire.keys import public_text

KEY = public_text(Ed25519PrivateKey.generate())


@pytest.mark.req("R69")
def test_a_card_is_of_public_things_alone_and_says_what_is_missing(
    make_settings: Callable[..., DashboardSettings], tmp_path: Path
) -> None:
    authority = CertificateAuthority(tmp_path / "pki")
    both = tmp_path / "both.pem"
    both.write_bytes(authority.certificate_path.read_bytes() + authority.write_key().read_bytes())
    boxes = Boxes(
        enrol_url="https://desk.example.org:8884", ca=both, server_verify=(KEY,), release_keys=(KEY,), country="GB"
    )
    given = {"boxes": boxes, "sign_in": SignIn(public_url="https://pages.example.org"), "authority_issuers": (KEY,)}
    card = card_of(make_settings(**given))
    assert "PRIVATE" not in card.ca, "a key that lies in the same file stays there"
    assert card.dashboard_url == "https://pages.example.org"
    assert card.resolvers == (), "well-known ones"
    for name, value, said in (
        ("boxes", None, "no \\[boxes\\] section"),
        ("sign_in", SignIn(), "public_url"),
        ("authority_issuers", (), "authority_issuers"),
        ("boxes", boxes.model_copy(update={"ca": tmp_path / "none"}), "is no certificate"),
        ("boxes", boxes.model_copy(update={"release_keys": ("short",)}), "no card can be made"),
    ):
        with pytest.raises(FileError, match=said):
            card_of(make_settings(**(given | {name: value})))


@pytest.mark.req("R69")
def test_whom_boxes_ask_for_names_is_on_the_card_that_they_read(
    make_settings: Callable[..., DashboardSettings], tmp_path: Path
) -> None:
    authority = CertificateAuthority(tmp_path / "pki")

    def boxes(*resolvers: str) -> Boxes:
        given = {
            "ca": authority.certificate_path,
            "server_verify": [KEY],
            "release_keys": [KEY],
            "resolvers": resolvers,
        }
        return Boxes.model_validate({"enrol_url": "https://desk.example.org:8884"} | given)

    given = {"sign_in": SignIn(public_url="https://pages.example.org"), "authority_issuers": (KEY,)}
    text = toml_text(card_of(make_settings(boxes=boxes("192.0.2.53", "2001:db8::53"), **given)), only_set=True)
    assert tomllib.loads(text)["resolvers"] == ["192.0.2.53", "2001:db8::53"]
    with pytest.raises(ValidationError):
        boxes("dns.example.org")
    with pytest.raises(ValidationError):
        boxes(*(f"192.0.2.{number}" for number in range(5)))
    with pytest.raises(FileError, match="an interface behind"):
        card_of(make_settings(boxes=boxes("fe80::1%eth0"), **given))
