"""What every connector may rely on when it needs a token or a secret (E-10, X-01)."""

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from local.identity.clients import identity_header_kept_in
from local.stack.certificates import certificates_in
from local.stack.ports import pick_ports
from local.stack.settings import issuer
from shared.connectors.credentials.azure import AzureCredentials
from shared.connectors.memory.clock import SettableClock
from shared.connectors.vault import Vault
from shared.core.codes import Code
from shared.core.errors import Refused, Unavailable

ROOT = Path(__file__).parents[3]
RESOURCE = "https://dataverse.example"


@dataclass(frozen=True)
class House:
    """The local issuer and vault, with the environment the app would have."""

    environment: dict[str, str]
    authority: Path

    @property
    def vault_url(self) -> str:
        return self.environment["KEY_VAULT_URL"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    state = tmp_path_factory.mktemp("house")
    files = certificates_in(state / "ca")
    ports = pick_ports({}, state / "ports.json")
    pair = ["--cert", str(files.certificate), "--key", str(files.key)]
    programs = {
        "identity": [*pair, "--state", str(state / "identity")],
        "vault": [
            *pair,
            *("--state", str(state / "vault")),
            *("--issuer", issuer(ports)),
            *("--ca", str(files.authority)),
        ],
    }
    trust = ssl.create_default_context(cafile=str(files.authority))
    with ExitStack() as ending, httpx.Client(verify=trust, trust_env=False) as http:
        for name, arguments in programs.items():
            command = [sys.executable, "-m", f"local.{name}", "--port", str(ports[name]), *arguments]
            process = ending.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
            ending.callback(process.terminate)
            deadline = time.monotonic() + 60
            while not _answers(http, f"https://127.0.0.1:{ports[name]}/health"):
                assert process.poll() is None, f"{name} ended before it answered"
                assert time.monotonic() < deadline, f"{name} does not answer"
        yield House(
            {
                "IDENTITY_ENDPOINT": f"https://127.0.0.1:{ports['identity']}/msi/token",
                "IDENTITY_HEADER": identity_header_kept_in(state / "identity"),
                "REQUESTS_CA_BUNDLE": str(files.bundle),
                "SSL_CERT_FILE": str(files.bundle),
                "KEY_VAULT_URL": f"https://127.0.0.1:{ports['vault']}",
            },
            files.authority,
        )


def _answers(http: httpx.Client, health: str) -> bool:
    try:
        return http.get(health).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def credentials(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureCredentials]:
    for name, value in house.environment.items():
        monkeypatch.setenv(name, value)
    made = AzureCredentials(SettableClock(datetime.now(UTC)))
    yield made
    made.close()


def claims(token: str) -> dict[str, object]:
    decoded: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return decoded


async def test_the_apps_identity_gives_tokens_for_the_resource_asked_for(
    credentials: AzureCredentials,
) -> None:
    token = await credentials.token(f"{RESOURCE}/.default").current()

    assert claims(token)["aud"] == RESOURCE


async def test_a_token_is_kept_until_it_is_old_or_refused(credentials: AzureCredentials) -> None:
    source = credentials.token(f"{RESOURCE}/.default")

    first = await source.current()
    kept = await asyncio.gather(*(source.current() for _ in range(5)))
    renewed = await asyncio.gather(*(source.renewed(first) for _ in range(5)))

    assert kept == [first] * 5
    assert len(set(renewed)) == 1
    assert renewed[0] != first
    assert await source.current() == renewed[0]


async def test_azures_own_asynchronous_clients_get_the_same_identity(credentials: AzureCredentials) -> None:
    async with credentials.asynchronous() as asynchronous:
        token = await asynchronous.get_token(f"{RESOURCE}/.default")

    assert claims(token.token)["aud"] == RESOURCE
    assert token.expires_on > time.time()


async def test_an_identity_that_does_not_answer_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    credentials = AzureCredentials(SettableClock())

    started = time.monotonic()
    with pytest.raises(Unavailable):
        await credentials.token(f"{RESOURCE}/.default").current()

    assert time.monotonic() - started < 60
    credentials.close()


async def test_a_rotated_secret_is_seen_when_the_old_one_is_refused_and_when_it_is_old(
    house: House, credentials: AzureCredentials
) -> None:
    clock = SettableClock()
    vault = Vault(
        house.vault_url,
        credentials,
        clock,
        cached_for=timedelta(minutes=15),
    )
    secret = vault.secret("allegory-api-key")
    writer = vault._opened()

    await asyncio.to_thread(writer.set_secret, "allegory-api-key", "one")
    first = await secret.current()
    await asyncio.to_thread(writer.set_secret, "allegory-api-key", "two")
    kept = await secret.current()
    renewed = await secret.renewed("one")
    await asyncio.to_thread(writer.set_secret, "allegory-api-key", "three")
    clock.advance(timedelta(minutes=16))
    later = await secret.current()

    assert (first, kept, renewed, later) == ("one", "one", "two", "three")
    vault.close()


async def test_a_secret_the_vault_does_not_have_is_refused_by_name(
    house: House, credentials: AzureCredentials
) -> None:
    vault = Vault(house.vault_url, credentials, SettableClock())

    with pytest.raises(Refused) as refused:
        await vault.secret("no-such-secret").current()

    assert (refused.value.code, refused.value.answer, refused.value.rule) == (
        Code.TARGET_UNAUTHORISED,
        "404",
        "the key vault has no secret no-such-secret",
    )
    vault.close()


async def test_a_vault_that_is_not_there_is_unavailable_soon(credentials: AzureCredentials) -> None:
    vault = Vault("https://127.0.0.1:1", credentials, SettableClock())

    started = time.monotonic()
    with pytest.raises(Unavailable):
        await vault.secret("allegory-api-key").current()

    assert time.monotonic() - started < 60
    vault.close()
