"""A provider of the operator's on loopback, with real signatures, that can be told to answer wrongly; a passkey."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cbor2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, BACK = "gatehouse", "http://localhost/sign-in/operator/back"


@dataclass
class FakeProvider:
    """OpenID Connect as a provider speaks it: description, keys, a code for a browser, a token for the code."""

    clock: Any
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    claims: dict[str, Any] = field(default_factory=dict)
    """Put over the right ones."""
    algorithm: str = "RS256"
    other_key: bool = False
    """Sign with a key that is not published."""
    subject: str = "person-1"
    begun: dict[str, dict[str, str]] = field(default_factory=dict)
    address: str = ""
    logged_out: int = 0

    def describe(self) -> dict[str, Any]:
        at = self.address
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "end_session_endpoint": f"{at}/logout",
        }

    def allow(self, query: str) -> str:
        """What the browser is sent back with, after the person has agreed."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(16)
        self.begun[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.begun.pop(form.get("code", ""), None)
        if asked is None or create_s256_code_challenge(form["code_verifier"]) != asked["code_challenge"]:
            return None
        now = int(self.clock.at)
        claims = {
            "iss": self.address,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": asked["nonce"],
            "preferred_username": "Person One",
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": self.sign(claims)}

    def sign(self, claims: dict[str, Any]) -> str:
        if self.algorithm == "none":
            parts = ({"alg": "none"}, claims)
            return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
        key = RSAKey.generate_key(2048, {"kid": "one"}) if self.other_key else self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


class _Handler(BaseHTTPRequestHandler):
    provider: FakeProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            self._send(302, b"", location=self.provider.allow(parts.query))
        elif parts.path == "/keys":
            self._json(KeySet([self.provider.key]).as_dict(private=False))
        elif parts.path == "/logout":
            self.provider.logged_out += 1
            self._send(302, b"", location=parse_qs(parts.query)["post_logout_redirect_uri"][0])
        elif parts.path == "/.well-known/openid-configuration":
            self._json(self.provider.describe())
        else:
            self._send(404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        made = self.provider.token(form)
        if made is None:
            self._json({"error": "invalid_grant"}, 400)
        else:
            self._json(made)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), kind="application/json")

    def _send(self, status: int, body: bytes, *, kind: str = "text/plain", location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider(clock: Any) -> Iterator[FakeProvider]:
    """A running provider."""
    made = FakeProvider(clock)
    handler = type("Handler", (_Handler,), {"provider": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


@dataclass
class Passkey:
    """A security key in software: what a browser and its authenticator answer."""

    rp_id: str = "localhost"
    origin: str = "http://localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0
    verified: bool = True
    owner: bytes = b""

    def create(self, options: dict[str, Any], **client: Any) -> str:
        self.owner = options["user"]["id"].encode()
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(0x40) + held})
        said = self._client("webauthn.create", options["challenge"], client)
        return self._answer({"attestationObject": text(whole), "clientDataJSON": text(said)})

    def get(self, options: dict[str, Any], **client: Any) -> str:
        self.count += 1
        data, said = self._data(0), self._client("webauthn.get", options["challenge"], client)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "authenticatorData": text(data),
                "clientDataJSON": text(said),
                "signature": text(signature),
                "userHandle": self.owner.decode(),
            }
        )

    def _data(self, flags: int) -> bytes:
        flags |= 0x01 | (0x04 if self.verified else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, over: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin} | over).encode()

    def _answer(self, response: dict[str, str]) -> str:
        one = text(self.credential_id)
        return json.dumps({"id": one, "rawId": one, "type": "public-key", "response": response})


@pytest.fixture
def new_passkey() -> Callable[..., Passkey]:
    return Passkey
