"""A program that proves itself to the local issuer with a certificate, by the unmodified SDK and by hand."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local.identity.application import application
from local.identity.assertion import TYPE
from local.identity.clients import APP_CERTIFICATE, APP_CLIENT_ID, Client, clients_kept_in
from local.identity.issuer import TENANT, Issuer
from local.identity.signing import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.identity.conftest import Stack

BASE = "https://127.0.0.1:1"
TOKEN_ADDRESS = f"{BASE}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.usefixtures("as_the_app")
def test_the_app_gets_a_token_with_its_certificate_by_the_unmodified_sdk(stack: Stack) -> None:
    with CertificateCredential(
        TENANT,
        APP_CLIENT_ID,
        str(stack.state / APP_CERTIFICATE),
        authority=str(stack.http.base_url),
        disable_instance_discovery=True,
    ) as credential:
        token = credential.get_token("https://org.crm.dynamics.com/.default").token

    assert stack.claims(token, "https://org.crm.dynamics.com")["azp"] == APP_CLIENT_ID


@pytest.mark.usefixtures("as_the_app")
def test_a_certificate_that_nobody_registered_is_refused_as_entra_id_refuses_it(stack: Stack) -> None:
    strange = Certificate.made()
    with (
        CertificateCredential(
            TENANT,
            APP_CLIENT_ID,
            certificate_data=strange.with_key,
            authority=str(stack.http.base_url),
            disable_instance_discovery=True,
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
    ):
        credential.get_token("https://org.crm.dynamics.com/.default")


@dataclass(frozen=True, slots=True)
class Certificate:
    key: rsa.RSAPrivateKey
    public: x509.Certificate

    @classmethod
    def made(cls, *, ends: timedelta = timedelta(days=1)) -> Certificate:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A program")])
        public = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=2))
            .not_valid_after(datetime.now(UTC) + ends)
            .sign(key, hashes.SHA256())
        )
        return cls(key, public)

    @property
    def pem(self) -> str:
        return self.public.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def with_key(self) -> bytes:
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + self.pem.encode()

    def thumbprint(self, digest: str) -> str:
        der = self.public.public_bytes(serialization.Encoding.DER)
        return base64.urlsafe_b64encode(hashlib.new(digest, der).digest()).rstrip(b"=").decode()


OURS = Certificate.made()
ANOTHER = Certificate.made()
EXPIRED = Certificate.made(ends=-timedelta(days=1))
X5T = {"x5t": OURS.thumbprint("sha1")}
X5T_S256 = {"x5t#S256": OURS.thumbprint("sha256")}


@pytest.fixture
def issuer(tmp_path: Path) -> httpx.AsyncClient:
    clients = {
        "ours": Client("ours", "A program", (), "a-secret", (OURS.pem, EXPIRED.pem)),
        "other": Client("other", "Another program", (), "a-secret", (ANOTHER.pem,)),
    }
    made = Issuer(BASE, SigningKey.kept_in(tmp_path), lambda: datetime.now(UTC))
    served = httpx.ASGITransport(application(made, clients, "a-header"))
    return httpx.AsyncClient(transport=served, base_url=BASE)


async def asked(
    issuer: httpx.AsyncClient,
    headers: dict[str, str],
    *,
    signed_by: Certificate = OURS,
    algorithm: str = "RS256",
    form: dict[str, str] | None = None,
    **claims: Any,
) -> tuple[int, list[int]]:
    now = int(time.time())
    body = {"iss": "ours", "sub": "ours", "aud": TOKEN_ADDRESS, "nbf": now, "exp": now + 60}
    body |= {"jti": uuid4().hex, **claims}
    assertion = jwt.encode(body, signed_by.key, algorithm=algorithm, headers=headers)
    answer = await issuer.post(
        f"/{TENANT}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "scope": "https://org.crm.dynamics.com/.default",
            "client_id": "ours",
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
            **(form or {}),
        },
    )
    return answer.status_code, answer.json().get("error_codes", [])


@pytest.mark.parametrize(
    ("headers", "algorithm"),
    [(X5T, "RS256"), (X5T_S256, "PS256"), ({**X5T, **X5T_S256}, "RS256")],
    ids=["sha-1", "sha-256", "both"],
)
async def test_a_registered_certificate_is_known_by_either_thumbprint(
    issuer: httpx.AsyncClient, headers: dict[str, str], algorithm: str
) -> None:
    assert await asked(issuer, headers, algorithm=algorithm) == (200, [])


async def test_the_client_may_be_named_by_the_assertion_alone(issuer: httpx.AsyncClient) -> None:
    assert await asked(issuer, X5T, form={"client_id": ""}) == (200, [])


@pytest.mark.parametrize(
    ("headers", "changes", "code"),
    [
        ({}, {}, 700027),
        ({"x5t": ANOTHER.thumbprint("sha1")}, {"signed_by": ANOTHER}, 700027),
        ({**X5T, "x5t#S256": ANOTHER.thumbprint("sha256")}, {}, 700027),
        (X5T, {"signed_by": ANOTHER}, 700027),
        ({"x5t": EXPIRED.thumbprint("sha1")}, {"signed_by": EXPIRED}, 1000502),
        (X5T, {"exp": 1_700_000_000}, 700024),
        (X5T, {"nbf": 4_000_000_000}, 700024),
        (X5T, {"aud": "https://elsewhere.example/token"}, 700023),
        (X5T, {"iss": "other"}, 50027),
        (X5T, {"sub": "other"}, 700021),
        (X5T, {"jti": None}, 50027),
        (X5T, {"form": {"client_assertion": "not.a.token"}}, 50027),
    ],
    ids=[
        "no-thumbprint",
        "certificate-of-another-client",
        "thumbprints-that-disagree",
        "signed-with-another-key",
        "certificate-out-of-date",
        "expired",
        "not-yet-valid",
        "another-audience",
        "another-issuer",
        "another-subject",
        "no-id",
        "no-token",
    ],
)
async def test_an_assertion_that_proves_nothing_is_refused(
    issuer: httpx.AsyncClient, headers: dict[str, str], changes: dict[str, Any], code: int
) -> None:
    assert await asked(issuer, headers, **changes) == (401, [code])


async def test_another_kind_of_assertion_is_refused(issuer: httpx.AsyncClient) -> None:
    form = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}

    assert await asked(issuer, X5T, form=form) == (400, [900144])


def test_the_apps_certificate_is_made_once_and_a_second_one_may_be_registered(tmp_path: Path) -> None:
    first = clients_kept_in(tmp_path)[APP_CLIENT_ID]
    again = clients_kept_in(tmp_path)[APP_CLIENT_ID]
    (tmp_path / APP_CERTIFICATE).unlink()
    renewed = clients_kept_in(tmp_path)[APP_CLIENT_ID]

    assert first == again
    assert len(first.certificates) == 1
    assert renewed.certificates[:1] == first.certificates
    assert len(renewed.certificates) == 2
