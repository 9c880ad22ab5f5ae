"""Passkeys (Web Authentication): registered by who is signed in, and then enough to sign in, with no name typed.

In: what a browser answered to a challenge of ours. Out: a stored key, or whose key it was. The authenticator must have
checked that it is its owner (user verification); a sign count that does not grow is taken for a copied key and refused.
Bounded: `MOST_PASSKEYS` for each account, `MOST_ANSWER` characters of an answer; what is wrong with one is never raised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, func, insert, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from dashboard.store.schema import account, passkey

MOST_PASSKEYS = 10
MOST_ANSWER = 16 * 1024
KEY_ID = 32
"""Characters of a key's id by which pages name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPasskey:
    """A passkey as its owner sees it."""

    credential_id: str
    name: str
    made_at: float
    used_at: float | None


def host_of(public_url: str) -> str:
    """Relying party id: the host of this service's address."""
    return urlsplit(public_url).hostname or ""


def passkeys_of(connection: Connection, account_id: str) -> tuple[StoredPasskey, ...]:
    """Passkeys of an account, the oldest first."""
    query = (
        select(passkey.c.credential_id, passkey.c.name, passkey.c.made_at, passkey.c.used_at)
        .where(passkey.c.account_id == account_id)
        .order_by(passkey.c.made_at, passkey.c.credential_id)
        .limit(MOST_PASSKEYS)
    )
    return tuple(StoredPasskey(**row) for row in connection.execute(query).mappings())


def registration(
    connection: Connection, *, account_id: str, name: str, service: str, public_url: str
) -> dict[str, Any]:
    """Options for `navigator.credentials.create`, challenge included; JSON values, octets as base64url."""
    known = [item.credential_id for item in passkeys_of(connection, account_id)]
    options = generate_registration_options(
        rp_id=host_of(public_url),
        rp_name=service,
        user_id=account_id.encode(),
        user_name=name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(item)) for item in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    made: dict[str, Any] = json.loads(options_to_json(options))
    return made


def asking(public_url: str) -> dict[str, Any]:
    """Options for `navigator.credentials.get`: any passkey of this service."""
    options = generate_authentication_options(
        rp_id=host_of(public_url), user_verification=UserVerificationRequirement.REQUIRED
    )
    made: dict[str, Any] = json.loads(options_to_json(options))
    return made


def register(
    connection: Connection, *, account_id: str, answer: str, challenge: str, name: str, public_url: str, now: float
) -> bool:
    """Store a new passkey; False where the answer does not hold, the key is known, or there are too many."""
    read = _read(answer)
    if read is None:
        return False
    try:
        made = verify_registration_response(
            credential=read,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host_of(public_url),
            expected_origin=public_url,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    credential_id = bytes_to_base64url(made.credential_id)
    mine = select(func.count()).select_from(passkey).where(passkey.c.account_id == account_id)
    if connection.execute(mine).scalar_one() >= MOST_PASSKEYS or len(credential_id) > 344:
        return False
    if connection.execute(select(passkey.c.name).where(passkey.c.credential_id == credential_id)).first() is not None:
        return False
    connection.execute(
        insert(passkey).values(
            credential_id=credential_id,
            account_id=account_id,
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            name=name,
            made_at=now,
        )
    )
    return True


def whose(connection: Connection, *, answer: str, challenge: str, public_url: str, now: float) -> str | None:
    """The account whose passkey answered a challenge; None where the answer does not hold."""
    read = _read(answer)
    if read is None:
        return None
    query = (
        select(passkey)
        .join(account, account.c.account_id == passkey.c.account_id)
        .where(passkey.c.credential_id == str(read.get("id", ""))[:400])
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    try:
        found = verify_authentication_response(
            credential=read,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host_of(public_url),
            expected_origin=public_url,
            credential_public_key=base64url_to_bytes(row["public_key"]),
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    response = read.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if handle and base64url_to_bytes(str(handle)) != row["account_id"].encode():
        return None
    connection.execute(
        update(passkey)
        .where(passkey.c.credential_id == row["credential_id"])
        .values(sign_count=found.new_sign_count, used_at=now)
    )
    return str(row["account_id"])


def remove(connection: Connection, *, account_id: str, key_id: str) -> bool:
    """Take a passkey away, by the beginning of its id; False where there is none."""
    which = (passkey.c.account_id == account_id) & (func.substr(passkey.c.credential_id, 1, KEY_ID) == key_id)
    return connection.execute(delete(passkey).where(which)).rowcount > 0


def remove_all(connection: Connection, *, account_id: str) -> int:
    """Take all passkeys of an account away; how many."""
    return connection.execute(delete(passkey).where(passkey.c.account_id == account_id)).rowcount


def _read(answer: str) -> dict[str, Any] | None:
    if len(answer) > MOST_ANSWER:
        return None
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
