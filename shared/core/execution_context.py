"""Dataverse's own message: a RemoteExecutionContext as a service endpoint posts it in JSON.

Only its envelope is taken at its word. An update's Target holds just the columns that were written, and every
column is dropped above 192 KB; so the change is marked to be read again from Dataverse where that matters.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.change import Change, Json, Operation
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import guid, master_of, row_key

_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_one(body: Mapping[str, Json]) -> bool:
    """Whether a body is a RemoteExecutionContext."""
    return "PrimaryEntityName" in body and "MessageName" in body


def read(message_id: str, body: Mapping[str, Json], correlation: str | None = None) -> Change:
    """The change a RemoteExecutionContext tells of; raises InvalidMessage when it lacks what that takes.

    `correlation` is the message's own, for one that names none.
    """
    row_id = guid(str(body.get("PrimaryEntityId")))
    table = body.get("PrimaryEntityName")
    changed_at = instant(body.get("OperationCreatedOn"))
    faults = [
        Fault("/" + name, Code.BAD_FIELD, expected)
        for name, value, expected in (
            ("PrimaryEntityId", row_id, "a GUID"),
            ("PrimaryEntityName", table, "a table"),
            ("OperationCreatedOn", changed_at, "an instant"),
        )
        if not value
    ]
    if faults or row_id is None or changed_at is None:
        raise InvalidMessage(*faults)
    data = _columns(body)
    is_end = body["MessageName"] == "Delete"
    master = None if is_end else master_of(data)
    actor = body.get("InitiatingUserId")
    named = body.get("CorrelationId")
    modified = data.get("modifiedon")
    return Change(
        message_id=message_id,
        subject=row_key(str(table).lower(), row_id),
        operation=Operation.DELETE if is_end else Operation.ABSORB if master else Operation.UPSERT,
        changed_at=(_iso(modified) if isinstance(modified, str) else None) or changed_at,
        data=data,
        row_id=row_id,
        heir=row_key(str(table).lower(), master) if master else None,
        partial=body["MessageName"] != "Create" or not data,
        actor=actor if isinstance(actor, str) else None,
        is_create=body["MessageName"] == "Create",
        correlation_id=named if isinstance(named, str) else correlation,
    )


def instant(text: Any) -> datetime | None:
    """The instant written `/Date(ms)/` or `/Date(ms+hhmm)/`: milliseconds since 1970 in UTC in both forms."""
    match = _DATE.fullmatch(text) if isinstance(text, str) else None
    return _EPOCH + timedelta(milliseconds=int(match[1])) if match else None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _columns(body: Mapping[str, Any]) -> dict[str, Json]:
    """The Target's attributes in the shape of a flow's trigger body, so that one reader serves both."""
    parameters = body.get("InputParameters")
    for parameter in parameters if isinstance(parameters, list) else []:
        value = parameter.get("value")
        if parameter.get("key") == "Target" and isinstance(value, dict):
            columns: dict[str, Json] = {}
            for attribute in value.get("Attributes") or []:
                columns |= _column(attribute["key"], attribute.get("value"))
            return columns
    return {}


def _column(name: str, value: Any) -> dict[str, Json]:
    if isinstance(value, dict):
        kind = str(value.get("__type", "")).partition(":")[0]
        if kind == "EntityReference":
            return {f"_{name}_value": value.get("Id"), f"_{name}_type": value.get("LogicalName")}
        return {name: value.get("Value")}
    at = instant(value)
    return {name: at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else value}
