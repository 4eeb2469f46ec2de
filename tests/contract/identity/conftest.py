"""The issuer as the stack starts it, asked over HTTPS."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from local.identity.clients import clients_kept_in
from local.identity.issuer import TENANT
from local.stack.certificates import certificates_in
from local.stack.endpoints import endpoints
from local.stack.layout import Layout, this_checkout
from local.stack.lineup import Lineup
from local.stack.ports import pick_ports
from local.stack.settings import app_settings


@dataclass(frozen=True, slots=True)
class Stack:
    state: Path
    settings: dict[str, str]
    tokens: dict[str, str]
    http: httpx.Client

    def secret_of(self, client_id: str) -> str:
        return clients_kept_in(self.state)[client_id].secret

    def claims(self, token: str, audience: str) -> dict[str, Any]:
        """Validated exactly as the app does it: issuer, audience, signature by the published keys."""
        published = self.http.get(self.settings["AUTH_JWKS_URL"]).raise_for_status().json()
        keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(published).keys}
        return jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=["RS256"],
            audience=audience,
            issuer=self.settings["AUTH_ISSUER"],
        )

    def ask(self, **form: str) -> httpx.Response:
        return self.http.post(
            f"/{TENANT}/oauth2/v2.0/token", data={"grant_type": "client_credentials", **form}
        )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    layout = Layout(tmp_path_factory.mktemp("identity"))
    certificates = certificates_in(layout.certificates)
    ports = pick_ports({}, layout.ports)
    part = next(part for part in Lineup(layout, ports, certificates).parts() if part.name == "identity")
    trust = ssl.create_default_context(cafile=str(certificates.authority))
    with (
        subprocess.Popen(part.command, cwd=this_checkout().root, stdout=subprocess.DEVNULL) as process,
        httpx.Client(base_url=part.address, verify=trust, trust_env=False) as http,
    ):
        try:
            deadline = time.monotonic() + 60
            while not _answers(http, part.health):
                assert process.poll() is None, "the issuer ended before it answered"
                assert time.monotonic() < deadline, "the issuer does not answer"
            yield Stack(
                layout.state / "identity",
                app_settings(layout, ports, certificates),
                endpoints(layout, ports, certificates)["tokens"],
                http,
            )
        finally:
            process.terminate()


def _answers(http: httpx.Client, health: str) -> bool:
    try:
        return http.get(health).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def as_the_app(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, stack.settings[name])
