"""Certificates made at run time: one CA, one certificate per server, box and ingest worker.

Keys are EC P-256, certificates valid for a week; everything lives in the run's own folder.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate and its private key lie (PEM)."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """A CA in a folder; made on first use."""

    def __init__(self, folder: Path, name: str = "Gatehouse lab CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate_path = folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def write_key(self) -> Path:
        """Put the authority's own key beside its certificate, for a process that issues; its path."""
        path = self._folder / "ca.key"
        path.touch(mode=0o600)
        path.write_bytes(
            self._key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path

    def issue(
        self,
        name: str,
        *,
        dns: Sequence[str] = (),
        addresses: Sequence[str] = (),
        ended: dt.timedelta | None = None,
        lasts: dt.timedelta = WEEK,
    ) -> CertificateFiles:
        """Make a key and a certificate for `name` (its CN), good for TLS servers and clients.

        It began an hour ago and is good for `lasts` from now; with `ended`, for a week that ended so long ago.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [x509.DNSName(item) for item in dns]
        alternatives += [x509.IPAddress(ipaddress.ip_address(item)) for item in addresses]
        builder = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), ended, lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        files = CertificateFiles(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.touch(mode=0o600)
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def _builder(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        ended: dt.timedelta | None = None,
        lasts: dt.timedelta = WEEK,
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        begins, ends = now - dt.timedelta(hours=1), now + lasts
        if ended is not None:
            begins, ends = now - ended - WEEK, now - ended
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )
