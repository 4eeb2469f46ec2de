"""The app's one Azure credential and what is made of it: tokens for HTTP clients, faces for Azure SDKs."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from shared.connectors.credentials.secret import Held, KeptSecret
from shared.core.errors import Unavailable
from shared.core.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

_EARLY = timedelta(minutes=5)
# Any claims make the SDK pass its own cache by; nothing is asked for in them.
_NO_CLAIMS = '{"access_token":{}}'


class AzureCredentials:
    """The app's identity: `DefaultAzureCredential`, built once, on first use, from any thread.

    In Azure that is the managed identity; `client_id` names it when the app has several. Locally it is the
    same protocol served by the local stack, else whatever the developer is signed in with.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        client_id: str | None = None,
        build: "Callable[[str | None], TokenCredential] | None" = None,
    ) -> None:
        self._clock = clock
        self._client_id = client_id
        self._build = build or _default_credential
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._tokens: dict[str, KeptSecret] = {}

    def credential(self) -> "TokenCredential":
        """The credential itself, for SDK clients that work on threads."""
        with self._lock:
            if self._credential is None:
                self._credential = self._build(self._client_id)
            return self._credential

    def asynchronous(self) -> "AsyncCredential":
        """The same credential for SDK clients that work on an event loop."""
        return AsyncCredential(self)

    def token(self, scope: str) -> KeptSecret:
        """The bearer token for a scope (`https://org.crm4.dynamics.com/.default`); one per scope."""
        with self._lock:
            if scope not in self._tokens:
                self._tokens[scope] = KeptSecret(self._clock, lambda renew: self._fetch(scope, renew=renew))
            return self._tokens[scope]

    def _fetch(self, scope: str, *, renew: bool) -> Held:
        from azure.core.exceptions import AzureError  # noqa: PLC0415  # paid by the first call

        credential = self.credential()
        try:
            token = self._renew(credential, scope) if renew else credential.get_token(scope)
        except AzureError as error:
            # Whether the identity endpoint is down or the identity is missing cannot be told apart here;
            # neither is the message's fault, so it is tried again rather than kept for a person.
            raise Unavailable("no token could be had for the app's identity") from error
        now, ends = self._clock.now(), datetime.fromtimestamp(token.expires_on, UTC)
        return Held(token.token, fresh_until=ends - min(_EARLY, (ends - now) / 2), usable_until=ends)

    def _renew(self, credential: "TokenCredential", scope: str) -> "AccessToken":
        from azure.core.exceptions import AzureError  # noqa: PLC0415  # paid by the first call

        try:
            return credential.get_token(scope, claims=_NO_CLAIMS)
        except AzureError:
            # A developer's credential (a signed-in tool) takes no claims, but has no cache to pass by either.
            return credential.get_token(scope)

    def close(self) -> None:
        """End the threads that fetch tokens."""
        for token in self._tokens.values():
            token.close()


class AsyncCredential:
    """An Azure credential's asynchronous face: the same tokens, fetched on a thread."""

    def __init__(self, credentials: AzureCredentials) -> None:
        self._credentials = credentials

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """A token for the scopes; raises what azure-identity raises, for the SDK that asked."""
        return await asyncio.to_thread(lambda: self._credentials.credential().get_token(*scopes, **options))

    async def close(self) -> None:
        """Nothing: the credential outlives the client that was given it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _default_credential(client_id: str | None) -> "TokenCredential":
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # 56 ms that a start need not pay

    named = {} if client_id is None else {"managed_identity_client_id": client_id}
    return DefaultAzureCredential(**named)
