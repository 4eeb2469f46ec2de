"""What programs may rely on at the local token issuer, asked with the SDKs that they use."""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientSecretCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)

from local.identity.clients import APP_CLIENT_ID, OPERATOR_CLIENT_ID, SENDER_CLIENT_ID
from local.identity.issuer import TENANT

if TYPE_CHECKING:
    from tests.contract.identity.conftest import Stack


@pytest.mark.usefixtures("as_the_app")
@pytest.mark.parametrize("credential_class", [ManagedIdentityCredential, DefaultAzureCredential])
def test_the_app_gets_its_managed_identity_token_with_the_unmodified_sdk(
    stack: Stack, credential_class: type[ManagedIdentityCredential | DefaultAzureCredential]
) -> None:
    with credential_class() as credential:
        token = credential.get_token("https://org.crm.dynamics.com/.default")

    claims = stack.claims(token.token, "https://org.crm.dynamics.com")
    assert {key: claims[key] for key in ("appid", "azp", "oid", "sub", "tid")} == {
        "appid": "7a2d0000-0000-4000-8000-00000000a11e",
        "azp": "7a2d0000-0000-4000-8000-00000000a11e",
        "oid": "7a2d0000-0000-4000-8000-00000000a11e",
        "sub": "7a2d0000-0000-4000-8000-00000000a11e",
        "tid": TENANT,
    }
    assert "roles" not in claims
    assert abs(token.expires_on - claims["exp"]) <= 2


@pytest.mark.usefixtures("as_the_app")
def test_a_user_assigned_identity_is_found_by_the_apps_client_id_alone(stack: Stack) -> None:
    with ManagedIdentityCredential(client_id=APP_CLIENT_ID) as known:
        token = known.get_token("https://vault.azure.net/.default").token
    assert stack.claims(token, "https://vault.azure.net")["azp"] == APP_CLIENT_ID

    with (
        ManagedIdentityCredential(client_id=SENDER_CLIENT_ID) as unknown,
        pytest.raises(CredentialUnavailableError, match="No User Assigned or Delegated Managed Identity"),
    ):
        unknown.get_token("https://vault.azure.net/.default")


@pytest.mark.usefixtures("as_the_app")
def test_a_process_that_was_not_started_as_the_app_gets_no_managed_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "guessed")

    with ManagedIdentityCredential() as credential, pytest.raises(CredentialUnavailableError, match="401"):
        credential.get_token("https://vault.azure.net/.default")


@pytest.mark.usefixtures("as_the_app")
def test_a_program_gets_a_token_with_its_roles_by_the_unmodified_sdk(stack: Stack) -> None:
    with ClientSecretCredential(
        TENANT,
        OPERATOR_CLIENT_ID,
        stack.secret_of(OPERATOR_CLIENT_ID),
        authority=str(stack.http.base_url),
        disable_instance_discovery=True,
    ) as credential:
        token = credential.get_token("api://tandem/.default").token

    claims = stack.claims(token, "api://tandem")
    assert (claims["azp"], claims["roles"]) == (OPERATOR_CLIENT_ID, ["Ops.Read", "Ops.Operate"])


@pytest.mark.usefixtures("as_the_app")
def test_a_wrong_secret_is_refused_as_entra_id_refuses_it(stack: Stack) -> None:
    with (
        ClientSecretCredential(
            TENANT,
            SENDER_CLIENT_ID,
            "wrong",
            authority=str(stack.http.base_url),
            disable_instance_discovery=True,
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215: Invalid client secret provided"),
    ):
        credential.get_token("api://tandem/.default")


def test_secrets_may_come_by_http_basic_too(stack: Stack) -> None:
    answer = stack.http.post(
        f"/{TENANT}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": "api://tandem/.default"},
        auth=(SENDER_CLIENT_ID, stack.secret_of(SENDER_CLIENT_ID)),
    )

    assert answer.status_code == 200
    assert stack.claims(answer.json()["access_token"], "api://tandem")["roles"] == ["Inbound.Write"]


def test_a_person_at_this_machine_gets_a_token_for_dataverse(stack: Stack) -> None:
    answer = stack.ask(client_id="me", client_secret="any", scope="http://127.0.0.1:5000/.default")

    claims = stack.claims(answer.json()["access_token"], "http://127.0.0.1:5000")
    assert (claims["appid"], "roles" in claims) == ("me", False)


@pytest.mark.parametrize(
    "scope",
    [
        "api://tandem/.default",
        "https://vault.azure.net/.default",
        "https://evil.example/?x=.crm.dynamics.com/.default",
        "https://org.crm.dynamics.com.evil.example/.default",
    ],
)
def test_a_person_at_this_machine_gets_a_token_for_nothing_else(stack: Stack, scope: str) -> None:
    answer = stack.ask(client_id="me", client_secret="any", scope=scope)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "scope": "api://tandem/.default"}, "unsupported_grant_type"),
        ({}, "invalid_scope"),
        ({"scope": "api://tandem/.default api://other/.default"}, "invalid_scope"),
    ],
)
def test_a_request_that_oauth2_does_not_allow_names_its_fault(
    stack: Stack, form: dict[str, str], error: str
) -> None:
    answer = stack.ask(client_id=SENDER_CLIENT_ID, client_secret=stack.secret_of(SENDER_CLIENT_ID), **form)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_the_role_tokens_carry_their_roles_and_a_person(stack: Stack) -> None:
    found = {name: stack.claims(token, "api://tandem") for name, token in stack.tokens.items()}

    assert {name: claims["roles"] for name, claims in found.items()} == {
        "inbound": ["Inbound.Write"],
        "ops_read": ["Ops.Read"],
        "ops_operate": ["Ops.Read", "Ops.Operate"],
        "ops_approve": ["Ops.Read", "Ops.Operate", "Ops.Approve"],
    }
    assert len({claims["oid"] for claims in found.values()}) == 4
    assert all(claims["name"] for claims in found.values())
    assert all(claims["exp"] - time.time() > 300 * 86_400 for claims in found.values())


def test_what_opens_something_is_readable_by_its_owner_alone(stack: Stack) -> None:
    modes = {file.name: stat.filemode(file.stat().st_mode) for file in stack.state.iterdir()}

    assert modes == dict.fromkeys(
        ("app-certificate.pem", "clients.json", "identity-header.json", "signing.pem", "tokens.json"),
        "-rw-------",
    )
