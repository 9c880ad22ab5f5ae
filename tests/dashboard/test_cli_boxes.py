from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboard.cli_boxes import card_of
from dashboard.settings import Boxes, DashboardSettings, SignIn
from lab.pki import CertificateAuthority
from wire.files import FileError
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
    for name, value, said in (
        ("boxes", None, "no \\[boxes\\] section"),
        ("sign_in", SignIn(), "public_url"),
        ("authority_issuers", (), "authority_issuers"),
        ("boxes", boxes.model_copy(update={"ca": tmp_path / "none"}), "is no certificate"),
        ("boxes", boxes.model_copy(update={"release_keys": ("short",)}), "no card can be made"),
    ):
        with pytest.raises(FileError, match=said):
            card_of(make_settings(**(given | {name: value})))
