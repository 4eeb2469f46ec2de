"""A program that proves itself with a certificate instead of a secret (RFC 7523, as Entra ID does it).

The program signs a short token with the certificate's key. Its header names the certificate by thumbprint,
`x5t` (SHA-1) or `x5t#S256` (SHA-256); only a certificate registered for the client counts. The chain in
`x5c` is not looked at: trust by subject name and issuer is not offered here.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = ("RS256", "PS256")


class AssertionRefusedError(Exception):
    """The assertion proves nothing. Carries Entra ID's number for the reason."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


def claimed_client(assertion: str) -> str:
    """The client an assertion speaks for, unproven; raises AssertionRefusedError when it is no token."""
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("sub", ""))
    except jwt.InvalidTokenError as fault:
        raise AssertionRefusedError(50027, "JWT token is invalid or malformed.") from fault


def check(
    assertion: str, client_id: str, certificates: Iterable[str], audiences: Collection[str], now: datetime
) -> None:
    """Returns when the assertion proves the client; raises AssertionRefusedError when it does not.

    `certificates` are the client's own, as PEM; `audiences` the addresses that may stand in `aud`.
    """
    certificate = _named(assertion, [x509.load_pem_x509_certificate(pem.encode()) for pem in certificates])
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise AssertionRefusedError(
            1000502, "The provided certificate is not within its specified validity period."
        )
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise AssertionRefusedError(700027, "The certificate does not hold an RSA key.")
    try:
        claims = jwt.decode(
            assertion,
            key,
            algorithms=_ALGORITHMS,
            audience=audiences,
            issuer=client_id,
            options={"require": ["exp", "aud", "iss", "sub", "jti"]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as fault:
        raise AssertionRefusedError(700024, "Client assertion is not within its valid time range.") from fault
    except jwt.InvalidAudienceError as fault:
        raise AssertionRefusedError(700023, "Client assertion audience claim does not match.") from fault
    except jwt.InvalidSignatureError as fault:
        raise AssertionRefusedError(700027, "Client assertion failed signature validation.") from fault
    except jwt.InvalidTokenError as fault:
        raise AssertionRefusedError(50027, "JWT token is invalid or malformed.") from fault
    if claims["sub"] != client_id:
        raise AssertionRefusedError(700021, "Client assertion application identifier doesn't match.")


def _named(assertion: str, certificates: Iterable[x509.Certificate]) -> x509.Certificate:
    """The certificate whose thumbprint the assertion's header names."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as fault:
        raise AssertionRefusedError(50027, "JWT token is invalid or malformed.") from fault
    # Microsoft's library leaves the padding on, which RFC 7515 takes off.
    short, long = (str(header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256"))
    for certificate in certificates:
        der = certificate.public_bytes(serialization.Encoding.DER)
        # Each that is there must fit, and one must be there.
        fits = {
            _text(hashlib.sha1(der).digest()): short,  # noqa: S324 - `x5t` is SHA-1 by its definition
            _text(hashlib.sha256(der).digest()): long,
        }
        if (short or long) and all(said in {"", thumbprint} for thumbprint, said in fits.items()):
            return certificate
    raise AssertionRefusedError(
        700027, "The certificate with identifier used to sign the client assertion is not registered."
    )


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
