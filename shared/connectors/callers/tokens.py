"""Bearer tokens: signature by JWKS, issuer, audience, expiry and roles, checked by us on every door."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt

from shared.core.errors import Unavailable
from shared.core.ports import Clock

_REFRESH = timedelta(minutes=1)
"""An unknown key id makes us read the issuer's keys again, but not more often than this."""


class Unauthenticated(Exception):
    """No acceptable token; the text says what is missing, never what was sent."""


class Forbidden(Exception):
    """The token is good but lacks the role; the text names the role."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: a stable id, a name for people, and roles."""

    id: str
    name: str
    roles: frozenset[str]


class Callers:
    """Turns an Authorization header into a caller."""

    def __init__(self, issuer: str, audience: str, jwks_url: str, clock: Clock, ca_file: str | None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._clock = clock
        self._ca_file = ca_file
        self._keys: Mapping[str, Any] = {}
        self._read_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def identify(self, authorization: str | None, role: str) -> Caller:
        """The caller, if the token is good and carries `role`; raises Unauthenticated or Forbidden."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a bearer token is required")
        claims = await self._claims(token.strip())
        roles = frozenset(str(entry) for entry in claims.get("roles", []))
        caller = Caller(str(claims["sub"]), str(claims.get("name", claims["sub"])), roles)
        if role not in roles:
            raise Forbidden(f"the role {role} is required")
        return caller

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                leeway=30,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired") from error
        except jwt.InvalidAudienceError as error:
            raise Unauthenticated(f"the token is not for {self._audience}") from error
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated("the token is not from our issuer") from error
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("the token is not valid") from error

    async def _key(self, kid: str) -> Any:
        if kid not in self._keys:
            async with self._lock:
                now = self._clock.now()
                if kid not in self._keys and (self._read_at is None or now - self._read_at > _REFRESH):
                    self._keys = await self._published()
                    self._read_at = now
        if kid not in self._keys:
            raise Unauthenticated("the token is signed with an unknown key")
        return self._keys[kid]

    async def _published(self) -> Mapping[str, Any]:
        try:
            verify = await asyncio.to_thread(httpx.create_ssl_context, self._ca_file or True)
            async with httpx.AsyncClient(verify=verify, timeout=10) as client:
                answer = await client.get(self._jwks_url)
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable("the issuer's keys cannot be read") from error
        return {entry["kid"]: jwt.PyJWK(entry).key for entry in answer.json()["keys"] if "kid" in entry}
