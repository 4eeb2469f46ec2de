"""A key vault whose secrets are kept for a while and fetched again when refused."""

import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.connectors.credentials.azure import AzureCredentials
from shared.connectors.credentials.secret import Held, KeptSecret
from shared.core.codes import Code
from shared.core.errors import Refused, SyncError, Throttled, Unavailable
from shared.core.ports import Clock

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
    from azure.keyvault.secrets import SecretClient

_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


class Vault:
    """The secrets of one vault, by name; the newest version counts.

    A secret is believed for `cached_for`. While the vault cannot be reached the last value goes on being
    used: a rotated key shows itself by a refusal, and then the vault is asked whatever the age.
    `verify_challenge_resource` makes the SDK insist that the vault asks for tokens of its own domain; None
    means always, but for a vault on this machine (the local stack), which has no such domain.
    """

    def __init__(
        self,
        url: str,
        credentials: AzureCredentials,
        clock: Clock,
        *,
        cached_for: timedelta = timedelta(minutes=15),
        verify_challenge_resource: bool | None = None,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._clock = clock
        self._cached_for = cached_for
        self._verify_challenge_resource = (
            urlsplit(url).hostname not in _THIS_MACHINE
            if verify_challenge_resource is None
            else verify_challenge_resource
        )
        self._lock = threading.Lock()
        self._client: SecretClient | None = None
        self._secrets: dict[str, KeptSecret] = {}

    def secret(self, name: str) -> KeptSecret:
        """The secret of that name; nothing is fetched before it is needed."""
        with self._lock:
            if name not in self._secrets:
                self._secrets[name] = KeptSecret(self._clock, lambda _renew: self._fetch(name))
            return self._secrets[name]

    def _fetch(self, name: str) -> Held:
        from azure.core.exceptions import AzureError  # noqa: PLC0415  # paid by the first call

        try:
            value = self._opened().get_secret(name).value
        except AzureError as error:
            raise _failure(error, name) from error
        if not value:
            raise Refused(
                f"the vault's secret {name} is blank", answer="blank", code=Code.TARGET_UNAUTHORISED
            )
        return Held(value, fresh_until=self._clock.now() + self._cached_for)

    def _opened(self) -> "SecretClient":
        from azure.keyvault.secrets import SecretClient  # noqa: PLC0415  # 54 ms that a start need not pay

        with self._lock:
            if self._client is None:
                # The SDK's own patience (ten tries over minutes) would hold a lane for nothing.
                self._client = SecretClient(
                    self._url,
                    self._credentials.credential(),
                    verify_challenge_resource=self._verify_challenge_resource,
                    retry_total=2,
                    retry_backoff_factor=0.2,
                    retry_backoff_max=2,
                    connection_timeout=5,
                    read_timeout=10,
                )
            return self._client

    def close(self) -> None:
        """Give connections and threads back."""
        with self._lock:
            for secret in self._secrets.values():
                secret.close()
            if self._client is not None:
                self._client.close()
                self._client = None


def _failure(error: "AzureError", name: str) -> SyncError:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415  # paid by the first call

    # Without a status nobody answered: the vault, or the identity whose token it wants.
    status = error.status_code if isinstance(error, HttpResponseError) else None
    match status:
        case None:
            return Unavailable("the key vault, or our identity, cannot be reached")
        case 429:
            return Throttled("the key vault asked us to slow down")
        case 408:
            return Unavailable("the key vault did not answer in time")
        case 401 | 403:
            rule = f"the key vault does not give us the secret {name}"
        case 404:
            rule = f"the key vault has no secret {name}"
        case _ if status >= 500:
            return Unavailable(f"the key vault answered {status}")
        case _:
            rule = f"the key vault refused the secret {name}"
    return Refused(rule, answer=str(status), code=Code.TARGET_UNAUTHORISED)
