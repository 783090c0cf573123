"""A certificate authority of one's own, as a small office has it, and certificates of its servers."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """`path` is its certificate, in PEM."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, itertools.count(1)
        self._key, self._name = ec.generate_private_key(ec.SECP256R1()), _named("Our own authority")
        self._certificate = self._signed(
            self._name, self._key, x509.BasicConstraints(ca=True, path_length=None), timedelta(days=30)
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def certificate(self, host: str, days: int = 1) -> tuple[Path, Path]:
        """For a server of this name or number, and its key; valid for so many days, or until so many days ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = self._signed(_named(host), key, x509.SubjectAlternativeName([name]), timedelta(days=days))
        stem = f"server{next(self._numbers)}"
        paths = self._folder / f"{stem}.pem", self._folder / f"{stem}-key.pem"
        paths[0].write_bytes(made.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, more: x509.ExtensionType, lasts: timedelta
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(next(self._numbers))
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + lasts)
            .add_extension(more, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
