"""What the box says of itself in a bundle: who it is, its software, the documents it followed, its lists.

In: the parts that know. Out: a `Setting`, as they are at that moment. A document is given as the verifier reads it:
canonical JSON, with what was signed unchanged. Bounded by `store.bundles.MAX_AUTHORITIES` and the lists there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.keeper.ledger.bundle import Setting
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from wire.authority import AuthorityError, parse_signed
from wire.box import ListHealth
from wire.keys import public_text
from wire.ledger import canonical


def setting(
    store: Store, identity: Identity, *, issuers: Iterable[Ed25519PublicKey], lists: Iterable[ListHealth]
) -> Setting:
    """Who the box is, as of now."""
    return Setting(
        tenant=identity.tenant,
        site=identity.site,
        software=metadata.version("gatehouse"),
        signer=identity.signer,
        server_keys=tuple(public_text(key) for key in identity.server_verify),
        issuers=tuple(public_text(key) for key in issuers),
        authorities=tuple(text for raw in store.bundles.authorities() if (text := _canonical(raw)) is not None),
        lists=tuple(told.model_dump(mode="json", exclude_none=True) for told in lists),
    )


def _canonical(raw: str) -> str | None:
    try:
        signed = parse_signed(raw.encode())
    except AuthorityError:  # of a later version, before the box was set back to this one
        return None
    return canonical(signed.model_dump(mode="json", exclude_none=True)).decode()
