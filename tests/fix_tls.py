"""A certificate authority of the tests' own, and what it signs."""

from __future__ import annotations

import ipaddress
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

    Key = ec.EllipticCurvePrivateKey
    Signer = tuple[x509.Name, Key]

HOSTS: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: what the server has, what a client trusts, and an authority that signed nothing here."""

    ca_file: Path
    other_ca_file: Path
    server_certificate: Path
    server_key: Path
    wrong_name_certificate: Path  # signed by ca_file, for another host; its key is server_key
    renewed_certificate: Path  # as server_certificate, and good for a month longer


def make_certificates(directory: Path) -> Certificates:
    """Write a fresh set; the keys belong to the unprivileged user when we are root."""
    directory.mkdir(mode=0o755)
    (ca_file, signer), (other_ca_file, _) = authority(directory, "ca"), authority(directory, "other-ca")
    key = ec.generate_private_key(ec.SECP256R1())
    return Certificates(
        ca_file=ca_file,
        other_ca_file=other_ca_file,
        server_certificate=signed(directory / "server.pem", key, signer, HOSTS),
        server_key=written_key(directory / "server.key", key),
        wrong_name_certificate=signed(directory / "wrong.pem", key, signer, [x509.DNSName("elsewhere.test")]),
        renewed_certificate=signed(directory / "renewed.pem", key, signer, HOSTS, days=32),
    )


def authority(directory: Path, name: str) -> tuple[Path, Signer]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"dbwatch tests {name}")])
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
    builder = certificate(subject, key, (subject, key)).add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return written(directory / f"{name}.pem", builder.sign(key, hashes.SHA256())), (subject, key)


def signed(
    path: Path, key: Key, signer: Signer, hosts: tuple[x509.GeneralName, ...] | list[x509.DNSName], *, days: int = 2
) -> Path:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = certificate(subject, key, signer, days=days)
    builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return written(path, builder.sign(signer[1], hashes.SHA256()))


def certificate(subject: x509.Name, key: Key, signer: Signer, *, days: int = 2) -> x509.CertificateBuilder:
    issuer, issuer_key = signer
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
    )


def written(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def written_key(path: Path, key: Key) -> Path:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    path.chmod(0o600)
    if os.getuid() == 0:
        shutil.chown(path, "nobody")
    return path
