"""What is in a token: the claims of Entra ID's version 2 tokens that an API checks, signed with our key."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from local.identity.clients import APP_CLIENT_ID, Client
from local.identity.signing import SigningKey

TENANT: Final = "7a2d0000-0000-4000-8000-00000000face"
AUDIENCE: Final = "api://tandem"
CLIENT_TOKEN_LIFETIME: Final = timedelta(hours=1)
MANAGED_IDENTITY_LIFETIME: Final = timedelta(hours=24)
# Long enough that a stack left up over a holiday still lets its own tests and its ops page in.
ROLE_TOKEN_LIFETIME: Final = timedelta(days=365)

# name in endpoints.json -> (who it says it is, object id, roles)
ROLE_TOKENS: Final = {
    "inbound": ("External sender", "7a2d0000-0000-4000-8000-00000000f001", ("Inbound.Write",)),
    "ops_read": ("Riley Reader", "7a2d0000-0000-4000-8000-00000000f002", ("Ops.Read",)),
    "ops_operate": ("Oakley Operator", "7a2d0000-0000-4000-8000-00000000f003", ("Ops.Read", "Ops.Operate")),
    "ops_approve": (
        "Avery Approver",
        "7a2d0000-0000-4000-8000-00000000f004",
        ("Ops.Read", "Ops.Operate", "Ops.Approve"),
    ),
}

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_DATAVERSE_HOST = re.compile(r"[a-z0-9-]+\.(?:api\.)?crm[0-9]*\.dynamics\.com")


def resource_of(scope: str) -> str:
    """The resource that a `<resource>/.default` scope asks for; anything else is its own resource."""
    return scope.removesuffix("/.default")


def is_dataverse(resource: str) -> bool:
    """Whether a resource names a Dataverse environment: the simulator's own address, or one in the cloud."""
    parts = urlsplit(resource)
    if parts.scheme not in {"http", "https"}:
        return False
    host = (parts.hostname or "").lower()
    return host in _LOCAL_HOSTS or _DATAVERSE_HOST.fullmatch(host) is not None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Issues tokens in the name of one address (`base`, without a path) at the times that `now` tells."""

    base: str
    key: SigningKey
    now: Callable[[], datetime]

    @property
    def name(self) -> str:
        """The `iss` of every token, and the address that discovery starts from."""
        return f"{self.base}/{TENANT}/v2.0"

    def _issue(self, claims: dict[str, Any], audience: str, lifetime: timedelta) -> str:
        issued = int(self.now().timestamp())
        return self.key.sign(
            {
                "aud": audience,
                "iss": self.name,
                "iat": issued,
                "nbf": issued,
                "exp": issued + int(lifetime.total_seconds()),
                "tid": TENANT,
                "uti": uuid.uuid4().hex,
                "ver": "2.0",
                **claims,
            }
        )

    def program(self, client: Client, audience: str, lifetime: timedelta = CLIENT_TOKEN_LIFETIME) -> str:
        """A token for a program: its id in every claim that names one, its roles if this is our own API."""
        claims: dict[str, Any] = {
            "appid": client.client_id,
            "azp": client.client_id,
            "oid": client.client_id,
            "sub": client.client_id,
            "name": client.name,
            "idtyp": "app",
        }
        if audience == AUDIENCE and client.roles:
            claims["roles"] = list(client.roles)
        return self._issue(claims, audience, lifetime)

    def managed_identity(self, resource: str) -> str:
        """A token for the app itself, as the platform hands it out; `aud` is the resource as asked for."""
        return self.program(Client(APP_CLIENT_ID, "Tandem", ()), resource, MANAGED_IDENTITY_LIFETIME)

    def role_tokens(self) -> dict[str, str]:
        """One long-lived token per role, by its name in `endpoints.json`, for people and tests."""
        return {
            key: self._issue(
                {
                    "azp": "7a2d0000-0000-4000-8000-00000000f000",
                    "oid": object_id,
                    "sub": object_id,
                    "name": name,
                    "preferred_username": f"{key}@tandem.example",
                    "roles": list(roles),
                },
                AUDIENCE,
                ROLE_TOKEN_LIFETIME,
            )
            for key, (name, object_id, roles) in ROLE_TOKENS.items()
        }
