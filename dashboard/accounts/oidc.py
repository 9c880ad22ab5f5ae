"""The operator's own sign-in: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), state and nonce.

In: the settings, and what the browser brings back. Out: who the provider says it is. Accepted is an ID token that is
signed by one of the provider's published keys with an asymmetric algorithm, for this client, with the nonce of this very
sign-in, not over. What the provider answers is bounded (`MOST_ANSWER`, `WAIT_SECONDS`), its description and keys are kept
for `KEPT_SECONDS`; keys are fetched anew for a key id that is not known, at most every `AGAIN_SECONDS`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dashboard.settings import Operator

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Never "none", and none with a shared secret: a token must be the provider's alone."""
LEEWAY = 60
KEPT_SECONDS = 3600.0
AGAIN_SECONDS = 60.0
WAIT_SECONDS = 5.0
MOST_ANSWER = 256 * 1024
SCOPE = "openid profile"


class ProviderError(Exception):
    """The provider's answer cannot be used; the text is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that has begun."""

    address: str
    """Where the browser goes."""
    data: dict[str, Any]
    """State, nonce and verifier, to be kept here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Who the provider says it is."""

    issuer: str
    subject: str
    name: str
    roles: tuple[str, ...]
    auth_time: float | None


@dataclass(slots=True, kw_only=True)
class Provider:
    """One provider, its description and keys."""

    settings: Operator
    now: Callable[[], float]
    lock: Lock = field(default_factory=Lock)
    described: dict[str, Any] = field(default_factory=dict)
    described_at: float = -KEPT_SECONDS
    keys: KeySet | None = None
    keys_at: float = -KEPT_SECONDS

    def begin(self, *, back: str, again: bool) -> Begun:
        """Where to send a browser; with `again` the provider asks anew even who is signed in there.

        Raises:
            ProviderError: the provider cannot be reached or understood.
        """
        data = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24)}
        verifier = secrets.token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": SCOPE,
            **data,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if again:
            query |= {"prompt": "login", "max_age": "0"}
        address = self._endpoint("authorization_endpoint")
        joined = f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"
        return Begun(address=joined, data={**data, "verifier": verifier, "again": again})

    def finish(self, data: dict[str, Any], *, state: str, code: str, back: str) -> Claimed:
        """Trade what the browser brought back for who it is.

        Raises:
            ProviderError: state, token or claims do not hold, or the provider cannot be reached.
        """
        if not secrets.compare_digest(state.encode(), str(data["state"]).encode()):
            raise ProviderError("the state is not that of this sign-in")
        try:
            secret = self.settings.client_secret_file.read_text().strip()
            with OAuth2Session(self.settings.client_id, secret, redirect_uri=back) as client:
                client.verify = str(self.settings.ca) if self.settings.ca else True
                token = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code[:2000],
                    code_verifier=data["verifier"],
                    timeout=WAIT_SECONDS,
                )
        except (requests.RequestException, OSError, ValueError, KeyError) as error:
            raise ProviderError(f"no token: {type(error).__name__}") from error
        except Exception as error:  # Authlib's errors share no class but Exception across its versions
            raise ProviderError(f"no token: {type(error).__name__}") from error
        text = token.get("id_token")
        if not isinstance(text, str) or len(text) > MOST_ANSWER:
            raise ProviderError("there is no ID token in the answer")
        return self._claims(text, nonce=str(data["nonce"]))

    def leave(self, *, after: str) -> str | None:
        """Where to end the session at the provider too; None where it offers no such place."""
        try:
            address = self._describe().get("end_session_endpoint")
        except ProviderError:
            return None
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            return None
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": after})
        return f"{address}{'&' if urlsplit(address).query else '?'}{query}"

    def _claims(self, text: str, *, nonce: str) -> Claimed:
        try:
            claims = self._decode(text).claims
        except (JoseError, ValueError) as error:
            raise ProviderError(f"the ID token does not hold: {type(error).__name__}") from error
        now, one = self.now(), self.settings
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != one.issuer:
            raise ProviderError("the ID token is of another issuer")
        if one.client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != one.client_id):
            raise ProviderError("the ID token is for another client")
        if not isinstance(claims.get("nonce"), str) or not secrets.compare_digest(claims["nonce"], nonce):
            raise ProviderError("the ID token is of another sign-in")
        ends, made = claims.get("exp"), claims.get("iat")
        if not isinstance(ends, int | float) or ends + LEEWAY <= now:
            raise ProviderError("the ID token is over")
        if not isinstance(made, int | float) or made - LEEWAY > now:
            raise ProviderError("the ID token is of the future")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderError("the ID token names nobody")
        roles = claims.get(one.role_claim) if one.role_claim else None
        listed = roles if isinstance(roles, list) else [roles]
        at = claims.get("auth_time")
        name = claims.get("preferred_username") or claims.get("name") or ""
        return Claimed(
            issuer=one.issuer,
            subject=subject,
            name=str(name)[:120],
            roles=tuple(str(item)[:200] for item in listed[:200] if isinstance(item, str)),
            auth_time=float(at) if isinstance(at, int | float) else None,
        )

    def _decode(self, text: str) -> jwt.Token:
        try:
            return jwt.decode(text, self._keys(fresh=False), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            # Perhaps with a key that is newer than those we have; once more with what is published now.
            return jwt.decode(text, self._keys(fresh=True), algorithms=list(ALGORITHMS))

    def _keys(self, *, fresh: bool) -> KeySet:
        with self.lock:
            age = self.now() - self.keys_at
            if self.keys is None or age >= KEPT_SECONDS or (fresh and age >= AGAIN_SECONDS):
                self.keys = KeySet.import_key_set(self._fetch(self._endpoint("jwks_uri")))  # type: ignore[arg-type]
                self.keys_at = self.now()
            return self.keys

    def _endpoint(self, name: str) -> str:
        found = self._describe().get(name)
        if not isinstance(found, str) or not found.startswith(self._schemes()):
            raise ProviderError(f"the provider's description has no {name} that can be used")
        return found

    def _schemes(self) -> tuple[str, ...]:
        # A provider on loopback may be unencrypted; one that is not may not lead to places that are.
        return ("https://",) if self.settings.issuer.startswith("https://") else ("https://", "http://")

    def _describe(self) -> dict[str, Any]:
        if not self.described or self.now() - self.described_at >= KEPT_SECONDS:
            found = self._fetch(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.settings.issuer:
                raise ProviderError("the provider describes another issuer")
            self.described, self.described_at = found, self.now()
        return self.described

    def _fetch(self, address: str) -> dict[str, Any]:
        verify = str(self.settings.ca) if self.settings.ca else True
        try:
            with requests.get(
                address, timeout=WAIT_SECONDS, allow_redirects=False, stream=True, verify=verify
            ) as answer:
                body = answer.raw.read(MOST_ANSWER + 1, decode_content=True)
                if answer.status_code != requests.codes.ok or len(body) > MOST_ANSWER:
                    raise ProviderError("the provider does not answer as it should")
                found = json.loads(body)
        except (requests.RequestException, OSError, ValueError, RecursionError) as error:
            raise ProviderError(f"the provider cannot be reached: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise ProviderError("the provider does not answer as it should")
        return found
