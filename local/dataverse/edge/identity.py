"""Who a bearer token stands for. Any token is taken: the simulator listens on this machine only.

A JSON web token whose `appid`, `azp` or `oid` claim is the applicationid or azureactivedirectoryobjectid of a
user makes the caller that user; every other token makes the caller the administrator. Signatures are not
checked.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from local.dataverse.errors import Refusal, user_disabled
from local.dataverse.rows.caller import Caller
from local.dataverse.rows.privileges import Privileges
from local.dataverse.seed import ADMINISTRATOR
from local.dataverse.store.rows import RowStore

_CLAIMS = ("appid", "azp", "oid")
_COLUMNS = ("applicationid", "azureactivedirectoryobjectid")


class Identity:
    """Tokens and impersonation headers to callers."""

    def __init__(self, store: RowStore, privileges: Privileges) -> None:
        self._store = store
        self._privileges = privileges
        self._claims: dict[str, frozenset[str]] = {}

    def caller(self, headers: Mapping[str, str], base_url: str) -> Caller:
        """The caller of a request; Refusal 401 without a token, 403 for a disabled user."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _challenge(base_url)
        real = self._user(self._known_claims(token.strip()))
        self._refuse_disabled(real)
        return Caller(self._impersonated(headers, real) or real, real)

    def _impersonated(self, headers: Mapping[str, str], real: str) -> str | None:
        legacy = headers.get("mscrmcallerid")
        object_id = headers.get("callerobjectid")
        if legacy is None and object_id is None:
            return None
        self._privileges.check_user(real, "prvActOnBehalfOfAnotherUser")
        users = self._store.table("systemuser")
        if object_id is not None:
            wanted = object_id.strip("{}").lower()
            found = next(
                (user for user, row in users.items() if row.get("azureactivedirectoryobjectid") == wanted),
                None,
            )
        else:
            user = str(legacy).strip("{}").lower()
            found = user if user in users else None
        if found is None:
            raise Refusal(
                403, "0x8004A110", "The user to act on behalf of is not a member of the organization."
            )
        self._refuse_disabled(found)
        return found

    def _refuse_disabled(self, user: str) -> None:
        row = self._store.get("systemuser", user)
        if row is not None and row.get("isdisabled"):
            raise user_disabled(user)

    def _user(self, claims: frozenset[str]) -> str:
        if not claims:
            return ADMINISTRATOR
        for user, row in self._store.table("systemuser").items():
            if any(row.get(column) in claims for column in _COLUMNS):
                return user
        return ADMINISTRATOR

    def _known_claims(self, token: str) -> frozenset[str]:
        known = self._claims.get(token)
        if known is None:
            if len(self._claims) > 1000:  # tokens rotate; the cache must not grow with the uptime
                self._claims.clear()
            known = self._claims[token] = frozenset(
                str(value).lower() for value in (_payload(token).get(claim) for claim in _CLAIMS) if value
            )
        return known


def _payload(token: str) -> Mapping[str, Any]:
    """The claims of a JSON web token, unverified; none when it is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        # Not a JSON web token: opaque tokens are welcome too.
        return {}
    return payload if isinstance(payload, dict) else {}


def _challenge(base_url: str) -> Refusal:
    challenge = (
        "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize, "
        f"resource_id={base_url}/"
    )
    return Refusal(401, "0x80072560", "The request has no bearer token.", {"WWW-Authenticate": challenge})
