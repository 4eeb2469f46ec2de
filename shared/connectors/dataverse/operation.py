"""One guarded write: what it asks, under which condition, and what an answer makes of it.

The same operation travels alone or as a part of a batch, and its answers mean the same either way.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.refusal import WHO, Asked, is_absent, refusal
from shared.core.errors import Refused
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.rows import encode, write_row
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx

PROTOCOL: Mapping[str, str] = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
"""The headers of every request to the Web API."""

ACTIONS = "Microsoft.Dynamics.CRM."
"""What the names of types, and of actions bound to a row, begin with."""

MASTER = "masterid"
"""The column that names the row another one was merged into."""

MODIFIED = "modifiedon"
"""The column that tells when a row last changed."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A write with its condition: everything a request or a part of a batch needs.

    `message_id` is the message at hand: service endpoint messages carry it as `tandem:<id>`, so that an echo
    can be told by it.
    """

    method: str
    asked: Asked
    condition: Mapping[str, str]
    content: bytes | None = None
    message_id: str | None = None
    headers: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        if not all(value.isprintable() and value.isascii() for value in self.condition.values()):
            raise ValueError("a row version is printable ASCII")
        # A write asks for the new version back, so that knowing it costs no second request.
        prefer = {"Prefer": "return=representation"} if self.content is not None else {}
        object.__setattr__(self, "headers", {**PROTOCOL, **prefer, **self.condition})

    @property
    def path(self) -> str:
        """The row's address below the root of the Web API."""
        return address(self.asked.table, self.asked.row_id)

    @property
    def params(self) -> dict[str, str]:
        """The query options."""
        params = {}
        if self.content is not None:
            params["$select"] = f"{self.asked.table.primary_key},{MODIFIED}"
        if self.message_id is not None:
            params["tag"] = f"tandem:{self.message_id}"
        return params

    def written(self, response: "httpx.Response") -> Row:
        """The row as it is after a write, without values; raises what a refusal means."""
        if not response.is_success:
            raise refusal(self.asked, response)
        return row(response, body_of(response), {})

    def deleted(self, response: "httpx.Response") -> None:
        """Nothing, also when the row was gone already; raises what a refusal means."""
        if not response.is_success and not is_absent(response):
            raise refusal(self.asked, response)


def create(table: Table, row_id: UUID, values: Mapping[str, Value], message_id: str | None) -> Operation:
    """Create under a GUID we chose, if no such row is there."""
    asked = Asked(table, row_id, values, creating=True)
    content = encode(write_row(table, values))
    return Operation("PATCH", asked, {"If-None-Match": "*"}, content, message_id)


def update(
    table: Table, row_id: UUID, values: Mapping[str, Value], version: str, message_id: str | None
) -> Operation:
    """Write columns if the row is still at `version`."""
    content = encode(write_row(table, values))
    return Operation("PATCH", Asked(table, row_id, values), {"If-Match": version}, content, message_id)


def delete(table: Table, row_id: UUID, version: str, message_id: str | None) -> Operation:
    """Delete if the row is still at `version`."""
    return Operation("DELETE", Asked(table, row_id), {"If-Match": version}, None, message_id)


def merge_body(table: Table, heir: UUID, loser: UUID) -> dict[str, Any]:
    """What the Merge action is asked: no column is named, so only what the heir lacks is filled."""
    target, subordinate = typed(table.name, heir), typed(table.name, loser)
    return {"Target": target, "Subordinate": subordinate, "PerformParentingChecks": False}


def typed(table: str, row_id: UUID) -> dict[str, str]:
    """A row as actions are told of it; not for activities, whose key has another name."""
    return {f"{table}id": str(row_id), "@odata.type": f"{ACTIONS}{table}"}


def address(table: Table, row_id: UUID) -> str:
    """A row's address below the root of the Web API."""
    return f"{table.entity_set}({row_id})"


def body_of(response: "httpx.Response") -> dict[str, Any]:
    """The JSON object in an answer; raises Refused when there is none."""
    # A detour through float would change amounts of more than 15 digits.
    body = json.loads(response.content or b"null", parse_float=Decimal)
    if not isinstance(body, dict):
        raise _unreadable(response)
    return body


def row(response: "httpx.Response", body: Mapping[str, Any], values: Mapping[str, Value]) -> Row:
    """The row an answer speaks of, with the values read from it; raises Refused when it speaks of none."""
    version = response.headers.get("ETag") or body.get("@odata.etag")
    modified = body.get(MODIFIED)
    if not isinstance(version, str) or not isinstance(modified, str):
        raise _unreadable(response)
    return Row(values, version, datetime.fromisoformat(modified).astimezone(UTC))


def _unreadable(response: "httpx.Response") -> Refused:
    return Refused(f"{WHO} answered something that is not a row", answer=str(response.status_code))
