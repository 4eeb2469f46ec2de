"""Stands in for the package of the same name in Microsoft's repository, as far as the Service Bus tests use
it.
"""

import time
from typing import Any, Self

from azure.core.credentials import AccessToken


class AzureRecordedTestCase:
    """The tests inherit from it, and let it wrap the asynchronous ones."""

    @staticmethod
    def await_prepared_test(test: Any) -> Any:
        """Nothing to prepare."""
        return test


class AzureMgmtRecordedTestCase(AzureRecordedTestCase):
    """The tests only inherit from it."""


class _Credential:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)


class _AsyncCredential:
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        """Nothing to close."""


def get_credential(*, is_async: bool = False, **options: Any) -> _Credential | _AsyncCredential:
    """A credential whose token the broker accepts, as it accepts any."""
    return _AsyncCredential() if is_async else _Credential()
