"""The native service endpoint: a change as RemoteExecutionContext, the way Dataverse posts it to a queue."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.dataverse.odata.predicate import Source
from local.dataverse.odata.rendering import formatted
from local.dataverse.schema.column import DETACHED, OPTION, Column, Kind
from local.dataverse.schema.table import Table
from local.dataverse.seed import BUSINESS_UNIT, ORGANISATION
from local.dataverse.store.row import Row
from local.dataverse.store.transaction import Change, Operation

_CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
_CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
_NOBODY = "00000000-0000-0000-0000-000000000000"
ORGANISATION_NAME = "contoso"
# Above this the context loses its rows; a message that is still too big is not sent at all.
SIZE_LIMIT = 192 * 1024
_SHED = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")


@dataclass(frozen=True, slots=True)
class ServiceEndpoint:
    """Where contexts go, and of which tables; the real one never sets a session id, a forwarder would."""

    queue: str
    tables: frozenset[str] = frozenset()
    sessions: bool = False

    def messages(
        self, change: Change, source: Source, now: datetime, new_id: Callable[[], str]
    ) -> Iterable[tuple[str, str]]:
        """The context of a change, if its table is subscribed."""
        if self.tables and change.table not in self.tables:
            return ()
        context = execution_context(change, source, now, new_id)
        properties: dict[str, Any] = {
            f"{_CLAIMS}Organization": f"{ORGANISATION_NAME}.crm.example",
            f"{_CLAIMS}User": change.origin.caller.user,
            f"{_CLAIMS}InitiatingUser": change.origin.caller.real,
            f"{_CLAIMS}EntityLogicalName": change.table,
            f"{_CLAIMS}RequestName": context["MessageName"],
        }
        body = _encoded(context)
        if len(body) > SIZE_LIMIT:
            properties["MessageMaxSizeExceeded"] = True
            body = _encoded({name: value for name, value in context.items() if name not in _SHED})
        message = {
            "messageId": new_id(),
            "correlationId": f"{{{context['CorrelationId']}}}",
            "contentType": "application/json",
            "applicationProperties": properties,
            "body": base64.b64encode(body).decode(),
        }
        if self.sessions:
            message["sessionId"] = change.id
        return ((self.queue, json.dumps(message)),)


def execution_context(
    change: Change, source: Source, now: datetime, new_id: Callable[[], str]
) -> dict[str, Any]:
    """The RemoteExecutionContext of a change, as the JSON the service posts."""
    table = source.catalog.tables[change.table]
    caller = change.origin.caller
    shared = [{"key": "tag", "value": change.origin.tag}] if change.origin.tag else []
    created = change.operation is Operation.CREATE
    entra = _entra(source, caller.user)
    return {
        "BusinessUnitId": BUSINESS_UNIT,
        "CorrelationId": change.origin.correlation or new_id(),
        "Depth": 1,
        "InitiatingUserAzureActiveDirectoryObjectId": _entra(source, caller.real),
        "InitiatingUserId": caller.real,
        "InputParameters": [{"key": "Target", "value": _target(change, table, source)}],
        "IsExecutingOffline": False,
        "IsInTransaction": False,
        "IsOfflinePlayback": False,
        "IsolationMode": 1,
        "MessageName": change.message or str(change.operation),
        "Mode": 1,
        "OperationCreatedOn": f"/Date({_milliseconds(now)}+0000)/",
        "OperationId": new_id(),
        "OrganizationId": ORGANISATION,
        "OrganizationName": ORGANISATION_NAME,
        "OutputParameters": [{"key": "id", "value": change.id}] if created else [],
        "OwningExtension": {**_pointer("sdkmessageprocessingstep", new_id()), "Name": None},
        "ParentContext": None,
        "PostEntityImages": [],
        "PreEntityImages": _pre_image(change, table, source),
        "PrimaryEntityId": change.id,
        "PrimaryEntityName": change.table,
        "RequestId": None,
        "SecondaryEntityName": "none",
        "SharedVariables": shared,
        "Stage": 40,
        "UserId": caller.user,
        "UserAzureActiveDirectoryObjectId": entra,
    }


def _target(change: Change, table: Table, source: Source) -> dict[str, Any]:
    if change.after is None:
        return {"__type": f"EntityReference:{_CONTRACTS}", **_pointer(change.table, change.id)}
    if change.operation is Operation.CREATE:
        names = set(change.after) - {"versionnumber"}
    else:
        names = set(change.columns) | {table.id_column, "modifiedon", "modifiedby"}
    return {"__type": f"Entity:{_CONTRACTS}", **_entity(table, change.after, names, source)}


def _pre_image(change: Change, table: Table, source: Source) -> list[dict[str, Any]]:
    if change.before is None or change.operation is not Operation.UPDATE:
        return []
    return [{"key": "PreImage", "value": _entity(table, change.before, set(change.columns), source)}]


def _entity(table: Table, row: Row, names: set[str], source: Source) -> dict[str, Any]:
    columns = [column for column in table.columns.values() if column.name in names]
    columns = [column for column in columns if column.kind not in DETACHED]
    labels = [
        {"key": column.name, "value": formatted(source, column, row)}
        for column in columns
        if column.kind in OPTION and row.get(column.name) is not None
    ]
    return {
        "Attributes": [
            {"key": column.name, "value": _value(column, row.get(column.name))} for column in columns
        ],
        "EntityState": None,
        "FormattedValues": labels,
        "Id": row[table.id_column],
        "KeyAttributes": [],
        "LogicalName": table.name,
        "RelatedEntities": [],
        "RowVersion": None,
    }


def _value(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.kind in OPTION:
        return {"__type": f"OptionSetValue:{_CONTRACTS}", "Value": value}
    match column.kind:
        case Kind.MONEY:
            return {"__type": f"Money:{_CONTRACTS}", "Value": value}
        case Kind.LOOKUP:
            return {"__type": f"EntityReference:{_CONTRACTS}", **_pointer(value[0], value[1])}
        case Kind.DATETIME:
            return f"/Date({_milliseconds(datetime.fromisoformat(value))})/"
        case Kind.DATE:
            return f"/Date({_milliseconds(datetime.fromisoformat(value).replace(tzinfo=UTC))})/"
    return value


def _pointer(table: str, row_id: str) -> dict[str, Any]:
    return {"Id": row_id, "KeyAttributes": [], "LogicalName": table, "Name": None, "RowVersion": None}


def _entra(source: Source, user: str) -> str:
    row = source.get("systemuser", user) or {}
    return str(row.get("azureactivedirectoryobjectid", _NOBODY))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _encoded(context: dict[str, Any]) -> bytes:
    return json.dumps(context, ensure_ascii=False, separators=(",", ":")).encode()
