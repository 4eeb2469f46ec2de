"""Whether a caller may use the vault: a token of our issuer, for the vault's own audience, in date."""

import ssl
from pathlib import Path
from typing import Any

import anyio
import httpx
import jwt

RESOURCE = "https://vault.azure.net"


class UnauthenticatedError(Exception):
    """The request carries no token that this vault accepts. The message says why, without the token."""


class TokenCheck:
    """Checks bearer tokens against the issuer's published keys, fetched once and again for an unknown key."""

    def __init__(self, issuer: str, authority: Path) -> None:
        self.issuer = issuer
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=str(authority)), trust_env=False
        )
        self._keys: dict[str, Any] = {}
        self._fetching = anyio.Lock()

    async def close(self) -> None:
        """Gives the connections back."""
        await self._http.aclose()

    async def _key(self, key_id: str) -> Any:
        async with self._fetching:
            if key_id not in self._keys:
                discovery = await self._http.get(f"{self.issuer}/.well-known/openid-configuration")
                key_set = await self._http.get(discovery.raise_for_status().json()["jwks_uri"])
                published = jwt.PyJWKSet.from_dict(key_set.raise_for_status().json())
                self._keys = {key.key_id: key.key for key in published.keys if key.key_id}
        if key_id not in self._keys:
            raise UnauthenticatedError("The token is signed with a key that the issuer does not publish.")
        return self._keys[key_id]

    async def check(self, authorization: str) -> None:
        """Returns if `authorization`, the header's value, carries a good token; raises otherwise."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("Request is missing a Bearer token.")
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._key(key_id)
            jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=[RESOURCE, f"{RESOURCE}/"],
                issuer=self.issuer,
                options={"require": ["exp", "nbf", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as fault:
            raise UnauthenticatedError(f"Error validating token: {type(fault).__name__}.") from fault
        except httpx.HTTPError as fault:
            raise UnauthenticatedError("The issuer's keys cannot be fetched.") from fault
