"""The stack's own certificate authority, and the one server certificate that its HTTPS parts share.

Both are made at the first start and kept. `bundle.pem` is what programs on this machine are told to trust:
the public authorities that every Python program trusts anyway, and ours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.stack.private_file import write_private

# Some clients refuse a server certificate that is valid for longer than 825 days.
_LIFETIME = timedelta(days=820)
# Renewed this long before its end, so that a running stack never meets it.
_MARGIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are."""

    authority: Path
    certificate: Path
    key: Path
    bundle: Path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # A name of its own per authority: a browser or keychain that met an earlier one must not mix them up.
    name = _name(f"Tandem local stack {x509.random_serial_number():x}"[:60])
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
    return (
        _builder(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return (
        _builder(_name("localhost"), authority.subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _still_good(files: Certificates, now: datetime) -> bool:
    if not all(file.exists() for file in (files.authority, files.certificate, files.key, files.bundle)):
        return False
    server = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return now + _MARGIN < server.not_valid_after_utc


def certificates_in(directory: Path, now: datetime | None = None) -> Certificates:
    """The files in `directory`, made now if any is missing or near its end.

    The authority's private key is not kept: a new server certificate comes with a new authority, so nobody
    can sign another certificate that this machine would trust.
    """
    now = now or datetime.now(tz=UTC)
    files = Certificates(*(directory / name for name in ("ca.pem", "server.pem", "server.key", "bundle.pem")))
    if _still_good(files, now):
        return files
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    key = ec.generate_private_key(ec.SECP256R1())
    server = _server(key, authority, authority_key, now)
    pem = serialization.Encoding.PEM
    write_private(
        files.key,
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    write_private(files.authority, authority.public_bytes(pem))
    write_private(files.certificate, server.public_bytes(pem) + authority.public_bytes(pem))
    write_private(files.bundle, Path(certifi.where()).read_bytes() + b"\n" + authority.public_bytes(pem))
    return files
