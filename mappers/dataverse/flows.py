"""The Power Automate flows that put changes of rows on the outbound queue, rendered from the filters.

A flow is a solution's `Workflows/*.json`: a trigger on the table, one Compose of the payload, one send. Both
services it uses are connection references, so a deployment binds them and nothing is edited by hand.
"""

from typing import Any, TypeAlias

from mappers.dataverse.filters import Filter
from shared.core.mapping.columns import Kind

QUEUE = "outbound"
PUBLISHER = "tandem"

Flow: TypeAlias = dict[str, Any]

_SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
_ORGANIZATION = 4
"""Scope code: rows of the whole organisation, whoever owns them."""
_FLOW_OWNER = 3
"""Run-as code: the flow's own user, whatever the person who made the change may do."""


def flow(filter_: Filter) -> Flow:
    """The definition of the flow that sends one table's changes."""
    return {
        "properties": {
            "connectionReferences": {
                "shared_commondataserviceforapps": _connection(
                    "shared_commondataserviceforapps", "dataverse"
                ),
                "shared_servicebus": _connection("shared_servicebus", "servicebus"),
            },
            "definition": {
                "$schema": _SCHEMA,
                "contentVersion": "1.0.0.0",
                "parameters": {
                    "$connections": {"defaultValue": {}, "type": "Object"},
                    "$authentication": {"defaultValue": {}, "type": "SecureObject"},
                },
                "triggers": {f"When_a_row_of_{filter_.table.name}_changes": _trigger(filter_)},
                "actions": {"Compose_payload": _payload(filter_), "Send_message": _send(filter_)},
            },
        },
        "schemaVersion": "1.0.0.0",
    }


def _trigger(filter_: Filter) -> Flow:
    parameters: dict[str, Any] = {
        "subscriptionRequest/message": filter_.message,
        "subscriptionRequest/entityname": filter_.table.name,
        "subscriptionRequest/scope": _ORGANIZATION,
        "subscriptionRequest/filteringattributes": ",".join(filter_.attributes),
        "subscriptionRequest/runas": _FLOW_OWNER,
    }
    if filter_.expression is not None:
        parameters["subscriptionRequest/filterexpression"] = filter_.expression
    return {
        "type": "OpenApiConnectionWebhook",
        "inputs": _call("shared_commondataserviceforapps", "SubscribeWebhookTrigger", parameters),
    }


def _payload(filter_: Filter) -> Flow:
    """The envelope. A delete's body holds the id alone, so its time is now and its author the run's user."""
    return {
        "type": "Compose",
        "runAfter": {},
        "inputs": {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": filter_.table.name,
            "recordId": _body(filter_.table.primary_key),
            "operation": _body("SdkMessage"),
            "changedOn": "@coalesce(triggerOutputs()?['body/modifiedon'], utcNow())",
            "rowVersion": _body("RowVersion"),
            "initiatedBy": (
                "@coalesce(triggerOutputs()?['body/_modifiedby_value'], "
                "triggerOutputs()?['body/RunAsSystemUserId'])"
            ),
            "data": _columns(filter_),
        },
    }


def _columns(filter_: Filter) -> dict[str, str]:
    """The columns that cross, each by name: a trigger's body leaves out what is null, and a column that a
    person cleared must arrive as one. What does not cross is not sent at all.
    """
    names = [filter_.table.primary_key]
    for attribute in filter_.attributes:
        is_lookup = filter_.table.columns[attribute].kind is Kind.LOOKUP
        names += [f"_{attribute}_value", f"_{attribute}_type"] if is_lookup else [attribute]
    return {name: _body(name) for name in names}


def _send(filter_: Filter) -> Flow:
    parameters = {
        "entityName": QUEUE,
        "message/ContentData": "@{base64(string(outputs('Compose_payload')))}",
        "message/ContentType": "application/json",
        "message/MessageId": "@guid()",
        "message/CorrelationId": "@guid()",
        "message/SessionId": _body(filter_.table.primary_key),
        "message/Label": filter_.table.name,
        "message/Properties": {
            "source": "dataverse",
            "table": filter_.table.name,
            "operation": _body("SdkMessage"),
        },
    }
    # A change that is not sent is lost to the other side, so the send is tried for about a day.
    patience = {"type": "exponential", "interval": "PT10S", "count": 12, "maximumInterval": "PT6H"}
    return {
        "type": "OpenApiConnection",
        "runAfter": {"Compose_payload": ["Succeeded"]},
        "inputs": _call("shared_servicebus", "SendMessage", parameters) | {"retryPolicy": patience},
    }


def _call(api: str, operation: str, parameters: dict[str, Any]) -> Flow:
    return {
        "host": {
            "connectionName": api,
            "operationId": operation,
            "apiId": f"/providers/Microsoft.PowerApps/apis/{api}",
        },
        "parameters": parameters,
        "authentication": "@parameters('$authentication')",
    }


def _connection(api: str, name: str) -> Flow:
    return {
        "runtimeSource": "embedded",
        "connection": {"connectionReferenceLogicalName": f"{PUBLISHER}_{name}"},
        "api": {"name": api},
    }


def _body(name: str) -> str:
    return f"@triggerOutputs()?['body/{name}']"
