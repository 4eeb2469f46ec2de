"""The messages of the benchmarks: changes of companies in Allegory, and of accounts in Dataverse."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from azure.servicebus import ServiceBusClient, ServiceBusMessage

_EPOCH = datetime(2026, 2, 1, 9, tzinfo=UTC)
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as its sender makes it."""

    id: str
    session: str
    body: bytes


def companies(tag: str, records: int, each: int, owner: str) -> list[Sent]:
    """`each` changes of each of `records` companies, every one with another phone number."""
    return [_company(tag, record, change, owner) for change in range(each) for record in range(records)]


def _company(tag: str, record: int, change: int, owner: str) -> Sent:
    key = f"{tag}-C{record}"
    at = (_EPOCH + timedelta(seconds=change)).isoformat().replace("+00:00", "Z")
    data = {
        "company_id": key,
        "name": f"Company {key}",
        "domain": f"company-{key}.example".lower(),
        "country": "Germany",
        "city": "Leipzig",
        "street": "Hafenweg 12",
        "postal_code": "04109",
        "phone": f"+49 341 555 {change:04d}",
        "employees": "120",
        "annual_revenue_musd": "1.5",
        "industry": "software",
        "owner_email": owner,
        "created_at": "2025-11-03T08:15:00Z",
        "updated_at": at,
    }
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": key,
        "operation": "upsert",
        "changedOn": at,
        "data": data,
    }
    return Sent(f"{tag}-{uuid4()}", f"allegory:company:{key}", json.dumps(body).encode())


def edits(
    tag: str, rows: Iterable[Mapping[str, Any]], columns: Iterable[str], each: int, first: int = 1
) -> list[Sent]:
    """What the flow sends when a person changes the phone number of each row `each` times.

    `first` counts the changes made so far, and one more: no two of a row may be equal.
    """
    chosen, known = list(columns), list(rows)
    return [_edit(tag, row, chosen, change) for change in range(first, first + each) for row in known]


def _edit(tag: str, row: Mapping[str, Any], columns: list[str], change: int) -> Sent:
    version = int(row["@odata.etag"].strip('W/"')) + change
    at = datetime.fromisoformat(row["modifiedon"]) + timedelta(milliseconds=change)
    data = {name: row.get(name) for name in columns} | {"telephone1": f"+49 30 777 {change:04d}"}
    body = {
        "schemaVersion": "1.0",
        "source": "dataverse",
        "table": "account",
        "recordId": row["accountid"],
        "operation": "Update",
        "changedOn": at.isoformat().replace("+00:00", "Z"),
        "rowVersion": version,
        "initiatedBy": row["_modifiedby_value"],
        "data": data,
    }
    return Sent(f"{tag}-{uuid4()}", row["accountid"], json.dumps(body).encode())


def send(connection: str, queue: str, messages: list[Sent], at: datetime) -> None:
    """Put messages on a queue, all to appear there at `at`, so that no sender's pace is measured."""
    send_paced(connection, queue, messages, at, timedelta())


def send_paced(connection: str, queue: str, messages: list[Sent], first: datetime, apart: timedelta) -> None:
    """Put messages on a queue, each to appear there so long after the one before."""
    with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_sender(queue) as sender,
    ):
        for start in range(0, len(messages), _BATCH):
            batch = [
                ServiceBusMessage(
                    sent.body,
                    message_id=sent.id,
                    session_id=sent.session,
                    content_type="application/json",
                    scheduled_enqueue_time_utc=first + at * apart,
                )
                for at, sent in enumerate(messages[start : start + _BATCH], start)
            ]
            sender.send_messages(batch)
