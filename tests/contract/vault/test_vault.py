"""What programs may rely on at the local key vault, asked with the unmodified Azure SDKs over HTTPS."""

import json
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from cryptography.hazmat.primitives.asymmetric import rsa

from local.identity.issuer import Issuer
from local.identity.signing import SigningKey
from local.stack.certificates import certificates_in
from local.stack.layout import Layout, this_checkout
from local.stack.lineup import Lineup, copy_key
from local.stack.ports import pick_ports
from local.stack.settings import app_settings

RESOURCE = "https://vault.azure.net"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout(tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def settings(layout: Layout) -> Iterator[dict[str, str]]:
    certificates = certificates_in(layout.certificates)
    ports = pick_ports({}, layout.ports)
    parts = {part.name: part for part in Lineup(layout, ports, certificates).parts()}
    trust = ssl.create_default_context(cafile=str(certificates.authority))
    with ExitStack() as ending, httpx.Client(verify=trust, trust_env=False) as http:
        for part in (parts["identity"], parts["vault"]):
            process = ending.enter_context(
                subprocess.Popen(part.command, cwd=this_checkout().root, stdout=subprocess.DEVNULL)
            )
            ending.callback(process.terminate)
            deadline = time.monotonic() + 60
            while not _answers(http, part.health):
                assert process.poll() is None, f"{part.name} ended before it answered"
                assert time.monotonic() < deadline, f"{part.name} does not answer"
        yield app_settings(layout, ports, certificates)


def _answers(http: httpx.Client, health: str) -> bool:
    try:
        return http.get(health).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def client(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretClient]:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, settings[name])
    with (
        ManagedIdentityCredential() as credential,
        # The SDK compares the vault's address with *.vault.azure.net unless it is told not to.
        SecretClient(settings["KEY_VAULT_URL"], credential, verify_challenge_resource=False) as client,
    ):
        yield client


def test_a_new_vault_holds_a_key_for_allegory(client: SecretClient) -> None:
    secret = client.get_secret("allegory-api-key")

    assert secret.value is not None
    assert len(secret.value) >= 32
    assert secret.properties.enabled is True


def test_setting_a_secret_again_adds_a_version_and_the_newest_answers(client: SecretClient) -> None:
    first = client.set_secret("rotated", "one", tags={"by": "test"}, content_type="text/plain")
    second = client.set_secret("rotated", "two")

    assert client.get_secret("rotated").value == "two"
    assert client.get_secret("ROTATED", first.properties.version).value == "one"
    old, new = client.list_properties_of_secret_versions("rotated")
    assert (old.version, old.tags, old.content_type) == (
        first.properties.version,
        {"by": "test"},
        "text/plain",
    )
    assert new.version == second.properties.version


def test_a_list_is_walked_page_by_page_and_shows_no_value(client: SecretClient) -> None:
    for number in range(5):
        client.set_secret(f"listed-{number}", f"value-{number}")

    pages = [
        [one.name for one in page] for page in client.list_properties_of_secrets(max_page_size=2).by_page()
    ]

    names = [name for page in pages for name in page]
    assert [name for name in names if name and name.startswith("listed-")] == [
        f"listed-{n}" for n in range(5)
    ]
    assert all(len(page) <= 2 for page in pages)


def test_a_disabled_version_is_not_given_out(client: SecretClient) -> None:
    secret = client.set_secret("switched-off", "value", expires_on=datetime(2030, 1, 1, tzinfo=UTC))
    changed = client.update_secret_properties("switched-off", secret.properties.version, enabled=False)

    assert (changed.enabled, changed.expires_on) == (False, datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(HttpResponseError, match="disabled") as refused:
        client.get_secret("switched-off")
    assert refused.value.status_code == 403


def test_a_deleted_secret_is_gone_until_it_is_recovered(client: SecretClient) -> None:
    client.set_secret("deleted", "value")
    deleted = client.begin_delete_secret("deleted").result()

    assert (deleted.name, [one.name for one in client.list_deleted_secrets()]) == ("deleted", ["deleted"])
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("deleted")
    with pytest.raises(ResourceExistsError):
        client.set_secret("deleted", "another")

    client.begin_recover_deleted_secret("deleted").wait()
    assert client.get_secret("deleted").value == "value"


def test_a_purged_secret_is_forgotten(client: SecretClient) -> None:
    client.set_secret("purged", "value")
    client.begin_delete_secret("purged").wait()
    client.purge_deleted_secret("purged")

    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("purged")
    assert client.set_secret("purged", "fresh").value == "fresh"


def test_an_unknown_secret_is_named_in_the_refusal(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError, match=r"\(SecretNotFound\) .*nowhere"):
        client.get_secret("nowhere")


def test_a_name_that_azure_would_not_take_is_refused(client: SecretClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.set_secret("no_underscores", "value")

    assert refused.value.status_code == 400


def test_a_rotated_key_reaches_allegory_too(client: SecretClient, layout: Layout) -> None:
    client.set_secret("allegory-api-key", "the-new-key")

    copy_key(layout, "allegory")

    assert layout.key_of("allegory").read_text() == "the-new-key"
    assert stat.filemode(layout.key_of("allegory").stat().st_mode) == "-rw-------"


def test_the_secrets_are_on_disk_for_their_owner_alone(client: SecretClient, layout: Layout) -> None:
    client.set_secret("kept", "value")

    file = layout.state / "vault" / "secrets.json"
    assert stat.filemode(file.stat().st_mode) == "-rw-------"
    assert "kept" in {secret["name"] for secret in json.loads(file.read_text())}


def _signed(settings: dict[str, str], layout: Layout, **claims: Any) -> str:
    key = SigningKey.kept_in(layout.state / "identity")
    now = int(time.time())
    good = {"aud": RESOURCE, "iss": settings["AUTH_ISSUER"], "nbf": now, "exp": now + 60}
    return key.sign(good | claims)


def _status(settings: dict[str, str], authorization: str | None) -> tuple[int, str]:
    trust = ssl.create_default_context(cafile=settings["SSL_CERT_FILE"])
    headers = {} if authorization is None else {"Authorization": authorization}
    with httpx.Client(verify=trust, trust_env=False) as http:
        answer = http.get(f"{settings['KEY_VAULT_URL']}/secrets?api-version=7.6", headers=headers)
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


def test_a_caller_without_a_token_is_told_where_to_get_one(settings: dict[str, str]) -> None:
    tenant = settings["AUTH_ISSUER"].removesuffix("/v2.0")

    assert _status(settings, None) == (401, f'Bearer authorization="{tenant}", resource="{RESOURCE}"')


def test_a_good_token_opens_the_vault(settings: dict[str, str], layout: Layout) -> None:
    assert _status(settings, f"Bearer {_signed(settings, layout)}")[0] == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api://tandem"},
        {"iss": "https://elsewhere.example/v2.0"},
        {"exp": 1_700_000_000},
        {"nbf": 4_000_000_000},
    ],
    ids=["another-audience", "another-issuer", "expired", "not-yet-valid"],
)
def test_a_token_that_is_not_for_this_vault_and_now_is_refused(
    settings: dict[str, str], layout: Layout, claims: dict[str, Any]
) -> None:
    assert _status(settings, f"Bearer {_signed(settings, layout, **claims)}")[0] == 401


def test_a_token_signed_by_somebody_else_is_refused(settings: dict[str, str], layout: Layout) -> None:
    real = SigningKey.kept_in(layout.state / "identity")
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    base = settings["IDENTITY_ENDPOINT"].removesuffix("/msi/token")
    forged = [
        Issuer(base, SigningKey(forger, key_id), lambda: datetime.now(tz=UTC)).managed_identity(RESOURCE)
        for key_id in (real.key_id, "another")
    ]
    unsigned = jwt.encode(jwt.decode(forged[0], options={"verify_signature": False}), "", algorithm="none")

    assert [_status(settings, f"Bearer {token}")[0] for token in (*forged, unsigned, "not.a.token")] == [
        401
    ] * 4


def test_the_state_outlives_the_process(tmp_path: Path) -> None:
    assert SigningKey.kept_in(tmp_path).key_id == SigningKey.kept_in(tmp_path).key_id
