"""The message contract: what a body on the bus or the HTTP door must look like, and what it means.

Three shapes arrive: the inbound envelope of a legacy or external system, the outbound payload that the cloud
flow composes (E-02), and our own control message. A fourth, Dataverse's service endpoint message, is read by
`execution_context`. A body that fits none of them is refused with every fault at once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from shared.core import execution_context
from shared.core.body import json_object
from shared.core.body_fields import BodyFields
from shared.core.change import Change, Drain, Json, Message, Operation
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import (
    DATAVERSE,
    RecordKey,
    guid,
    master_of,
    normalised_id,
    row_key,
    session_of,
)

SCHEMA_VERSION = "1.0"
"""The one envelope version spoken today."""

_VERSION = f"schema version {SCHEMA_VERSION}"

SETTLEMENT = "settlement"
"""The kind of our own message that carries a person's decision on a conflict to the record's lane.

It names the conflict alone: what was decided, and by whom, is in the state. The gate takes it under
Tandem's seal alone.
"""

JOIN = "join"
"""The kind of our own message that says: two rows are one customer. Under the seal, too."""

SPLIT = "split"
"""The kind of our own message that says: a record gets a row of its own again. Under the seal, too."""

DRAIN = "drain"
"""The kind of our own message that says a record's lane has work to do; under the seal, too."""

_INBOUND_REQUIRED = ("source", "entity", "sourceKey", "operation", "changedOn")
_INBOUND = {
    "schemaVersion",
    *_INBOUND_REQUIRED,
    "changedBy",
    "createdBy",
    "version",
    "data",
    "dataverseId",
    "mergedInto",
}
_OUTBOUND_REQUIRED = ("table", "recordId", "operation", "changedOn", "rowVersion")
_SETTLEMENT_REQUIRED = ("source", "entity", "sourceKey", "record", "conflict", "decidedOn")
_INBOUND_OPERATIONS = {
    "upsert": Operation.UPSERT,
    "delete": Operation.DELETE,
    "merge": Operation.ABSORB,
}
_OUTBOUND_OPERATIONS = {"create": Operation.UPSERT, "update": Operation.UPSERT, "delete": Operation.DELETE}


def read(
    message: Message, now: datetime, skew: timedelta, ourselves: frozenset[str] = frozenset()
) -> Change | Drain:
    """What a message says.

    `skew` is how far a change may lie in the future of `now` before it counts as early: it is then for a
    person to say when it happened. `ourselves` are the names our own writes are made under, in lower case:
    none of those is early, because the far side told us its time when it was made. Raises InvalidMessage with
    every fault found.
    """
    body = json_object(message.body)
    kind = body.get("kind")
    if execution_context.is_one(body):
        change = execution_context.read(message.id, body, _correlation(message))
    elif body.get("schemaVersion", SCHEMA_VERSION) != SCHEMA_VERSION:
        _refuse(Fault("/schemaVersion", Code.SCHEMA_VERSION, _VERSION))
    elif "schemaVersion" not in body and _is_ours(body):
        _refuse(Fault("/schemaVersion", Code.MISSING_FIELD, _VERSION))
    elif kind == DRAIN:
        return _drain(body)
    elif kind == SETTLEMENT:
        change = _settlement(message, body)
    elif kind == JOIN:
        change = _join(message, body)
    elif kind == SPLIT:
        change = _split(message, body)
    elif body.get("source") == DATAVERSE:
        change = _outbound(message, body)
    else:
        change = _inbound(message, body)
    _check_session(message.session_id, change)
    is_own = change.actor is not None and change.actor.lower() in ourselves
    return replace(change, is_own=is_own, is_early=change.changed_at > now + skew and not is_own)


def drain(record: UUID, message_id: UUID, queue: str) -> Message:
    """The message that says: the lane of `record` has work to do. Its session is the record's own.

    Every one has an id of its own, or the queue's duplicate detection would swallow the next wake.
    """
    body = {"schemaVersion": SCHEMA_VERSION, "kind": DRAIN, "record": str(record)}
    return Message(
        id=str(message_id),
        queue=queue,
        session_id=str(record),
        body=json.dumps(body, separators=(",", ":")).encode(),
        properties={"contentType": "application/json"},
        application_properties={"kind": DRAIN},
    )


def session_for(body: bytes) -> str | None:
    """The session id an inbound body belongs to, for doors whose senders know no sessions (HTTP).

    None when the body does not say which record it is about; `read` then names what is missing.
    """
    try:
        fields = json_object(body)
    except InvalidMessage:
        return None
    named = fields.get("dataverseId")
    row_id = guid(named) if isinstance(named, str) else None
    key = _named(fields)
    return session_of(key, row_id) if all((key.system, key.entity, key.id)) else None


def contents(body: bytes) -> tuple[RecordKey, Mapping[str, Json]] | None:
    """The record and the data of a sender's envelope, whatever is wrong with it; None for another body."""
    try:
        fields = json_object(body)
    except InvalidMessage:
        return None
    if fields.get("schemaVersion", SCHEMA_VERSION) != SCHEMA_VERSION or _is_ours(fields):
        return None
    data = fields.get("data")
    return _named(fields), data if isinstance(data, dict) else {}


def _is_ours(fields: Mapping[str, Json]) -> bool:
    """Whether a body is one of our own messages, or the flow's, and no sender's envelope."""
    return "kind" in fields or fields.get("source") == DATAVERSE


def _named(fields: Mapping[str, Json]) -> RecordKey:
    """The record an envelope names; what it does not say is blank."""
    said = (fields.get(name) for name in ("source", "entity", "sourceKey"))
    system, entity, record_id = (part.strip() if isinstance(part, str) else "" for part in said)
    return RecordKey(system.lower(), entity.lower(), normalised_id(record_id))


def _refuse(*faults: Fault) -> NoReturn:
    raise InvalidMessage(*faults)


def _drain(body: Mapping[str, Json]) -> Drain:
    record = guid(str(body.get("record")))
    if record is None:
        _refuse(Fault("/record", Code.BAD_FIELD, "the GUID of a record"))
    return Drain(record)


def _inbound(message: Message, body: Mapping[str, Json]) -> Change:
    reader = BodyFields(body)
    if "schemaVersion" not in body:
        # Read as the version there is, so that its sender is told everything else as well.
        reader.fault("schemaVersion", Code.MISSING_FIELD, _VERSION)
    reader.require(_INBOUND_REQUIRED)
    if not _INBOUND.issuperset(body):
        for name in sorted(body.keys() - _INBOUND):
            reader.fault(name, Code.UNKNOWN_FIELD, "a field of the envelope")
    key = RecordKey(
        reader.text("source").lower(), reader.text("entity").lower(), normalised_id(reader.text("sourceKey"))
    )
    operation = reader.operation(_INBOUND_OPERATIONS)
    changed_at = reader.instant("changedOn")
    data = reader.mapping("data", required=operation is Operation.UPSERT)
    row_id = reader.guid("dataverseId") if body.get("dataverseId") is not None else None
    version = reader.whole("version") if body.get("version") is not None else 0
    heir = reader.heir(key, operation)
    created_by, changed_by = reader.author("createdBy"), reader.author("changedBy")
    reader.finish()
    return Change(
        message.id,
        key,
        operation,
        changed_at,
        data,
        version,
        row_id,
        heir=heir,
        actor=changed_by or message.sender,
        created_by=created_by,
        changed_by=changed_by,
        correlation_id=_correlation(message),
    )


def _outbound(message: Message, body: Mapping[str, Json]) -> Change:
    reader = BodyFields(body)
    reader.require(_OUTBOUND_REQUIRED)
    table = reader.text("table").lower()
    row_id = reader.guid("recordId")
    operation = reader.operation(_OUTBOUND_OPERATIONS)
    changed_at = reader.instant("changedOn")
    version = reader.whole("rowVersion")
    data = reader.mapping("data", required=operation is not Operation.DELETE)
    reader.finish()
    heir = None
    if operation is Operation.UPSERT and (master := master_of(data)) is not None:
        operation, heir = Operation.ABSORB, row_key(table, master)
    return Change(
        message_id=message.id,
        subject=row_key(table, row_id),
        heir=heir,
        operation=operation,
        changed_at=changed_at,
        version=version,
        data=data,
        row_id=row_id,
        actor=_optional_text(body.get("initiatedBy")),
        is_create=str(body.get("operation")).lower() == "create",
        correlation_id=_correlation(message),
    )


def _settlement(message: Message, body: Mapping[str, Json]) -> Change:
    reader = BodyFields(body)
    reader.require(_SETTLEMENT_REQUIRED)
    key = RecordKey(reader.text("source"), reader.text("entity"), reader.text("sourceKey"))
    record, conflict = reader.guid("record"), reader.whole("conflict")
    decided_at = reader.instant("decidedOn")
    reader.finish()
    return Change(
        message_id=message.id,
        subject=key,
        operation=Operation.SETTLE,
        changed_at=decided_at,
        data={},
        row_id=record,
        actor=message.sender,
        settles=conflict,
        correlation_id=_correlation(message),
    )


def _join(message: Message, body: Mapping[str, Json]) -> Change:
    reader = BodyFields(body)
    reader.require(("table", "heir", "loser", "case", "decidedOn"))
    table = reader.text("table")
    heir, loser = reader.guid("heir"), reader.guid("loser")
    case, decided_at = reader.whole("case"), reader.instant("decidedOn")
    reader.finish()
    return Change(
        message_id=message.id,
        subject=row_key(table, loser),
        operation=Operation.ABSORB,
        changed_at=decided_at,
        data={},
        row_id=heir,
        partial=True,
        actor=message.sender,
        heir=row_key(table, heir),
        case=case,
        correlation_id=_correlation(message),
    )


def _split(message: Message, body: Mapping[str, Json]) -> Change:
    reader = BodyFields(body)
    reader.require((*_SETTLEMENT_REQUIRED[:4], "case", "decidedOn"))
    key = RecordKey(reader.text("source"), reader.text("entity"), reader.text("sourceKey"))
    record, case = reader.guid("record"), reader.whole("case")
    decided_at = reader.instant("decidedOn")
    reader.finish()
    return Change(
        message_id=message.id,
        subject=key,
        operation=Operation.SPLIT,
        changed_at=decided_at,
        data={},
        row_id=record,
        actor=message.sender,
        case=case,
        correlation_id=_correlation(message),
    )


def _correlation(message: Message) -> str | None:
    return _optional_text(message.properties.get("correlationId"))


def _check_session(session_id: str | None, change: Change) -> None:
    """A session must name the record of the body, or order would be kept for the wrong one (E-03, E-17).

    A GUID that is not in the body may be the record's row in the crosswalk; the gate checks that.
    """
    if session_id == str(change.subject):
        return
    if not session_id:
        _refuse(Fault("", Code.SESSION_MISSING, "the record's id as session id"))
    named = guid(session_id)
    fits = (
        named == change.row_id or (change.row_id is None and named is not None)
        if named
        else session_id.strip().lower() == str(change.subject).lower()
    )
    if not fits:
        _refuse(Fault("", Code.SESSION_MISMATCH, "the session id of the record in the body"))


def _optional_text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


Parse = Callable[[Message], Change | Drain]
"""`read` with clock and skew filled in."""
