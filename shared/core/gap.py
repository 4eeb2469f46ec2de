"""A gap: something changed on one side, and no message told of it (N-13).

What is missing is told after all by a message of our own, which goes through the same gate as its original
would have. Should that one come late, it is an echo or stale like any other message that comes twice.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.core.change import Json, Message, Operation
from shared.core.envelope import SCHEMA_VERSION
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.shadow import Shadow

HEALED = "healed-"
"""How the message ids of synthesised messages begin; what follows names the change, not who noticed it."""

ORIGIN = {"tandem-origin": "healed"}
"""The application property that marks such a message on the queue."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change that no message told of so far.

    `changed_at` is when it happened, or for a delete when it was noticed; `version` the row version (0 where
    there is none); `known_at` the moment that names it: the change itself, or for a delete the last moment at
    which its system was known to hold the record.
    """

    subject: RecordKey
    operation: Operation
    changed_at: datetime
    known_at: datetime
    version: int = 0

    @property
    def message_id(self) -> str:
        """The id of the message that heals it: the same one, whoever notices it and however often."""
        moment = self.version or self.known_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
        what = "-gone" if self.operation is Operation.DELETE else ""
        return f"{HEALED}{str(self.subject).replace(':', '-')}-{moment}{what}"


def differs(shadow: Shadow, values: Mapping[str, Value], system: str) -> bool:
    """Whether a system's record holds what nobody knows of it; a blank is none in a column unheard of."""
    return any(
        value != (shadow.marks[name].held_by(system) if name in shadow.marks else None)
        for name, value in values.items()
    )


def left_behind(shadow: Shadow, takers: Mapping[str, Collection[str]]) -> bool:
    """Whether a record has not been told what the row holds, in a column that its system takes (ADR 0031)."""
    return any(
        column in takers.get(system, ()) and system not in shadow.gone
        for column, mark in shadow.marks.items()
        for system in mark.apart
    )


def last_held(shadow: Shadow, system: str) -> datetime:
    """When a system was last known to hold a record, by its own clock.

    Not when something was last agreed: that may be a change of the other side, made after the record's end.
    """
    marks = shadow.marks.values()
    seen = [mark.seen[system].at for mark in marks if system in mark.seen]
    return max(seen, default=max(mark.changed_at for mark in marks))


def message_of_row(found: Suspect, queue: str, master: UUID | None = None) -> Message:
    """The message about a row, in Dataverse's own form for one that is to be read again.

    `master` is the row it was merged into.
    """
    milliseconds = round(found.changed_at.timestamp() * 1000)
    body: dict[str, Json] = {
        "MessageName": "Delete" if found.operation is Operation.DELETE else "Update",
        "PrimaryEntityName": found.subject.entity,
        "PrimaryEntityId": found.subject.id,
        "OperationCreatedOn": f"/Date({milliseconds})/",
    }
    if master is not None:
        pointer: Json = {"__type": "EntityReference:", "Id": str(master), "LogicalName": found.subject.entity}
        target: Json = {"Attributes": [{"key": "masterid", "value": pointer}]}
        body["InputParameters"] = [{"key": "Target", "value": target}]
    return _message(found, queue, found.subject.id, body)


def message_of_record(found: Suspect, queue: str, fields: Mapping[str, Json]) -> Message:
    """The message about a legacy record, as its feed would have told it; `fields` are all it has."""
    body: dict[str, Json] = {
        "schemaVersion": SCHEMA_VERSION,
        "source": found.subject.system,
        "entity": found.subject.entity,
        "sourceKey": found.subject.id,
        "operation": found.operation.value,
        "changedOn": found.changed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    if found.operation is not Operation.DELETE:
        body["data"] = dict(fields)
    return _message(found, queue, str(found.subject), body)


def _message(found: Suspect, queue: str, session: str, body: Mapping[str, Json]) -> Message:
    return Message(
        id=found.message_id,
        queue=queue,
        session_id=session,
        body=json.dumps(body, separators=(",", ":")).encode(),
        properties={"contentType": "application/json"},
        application_properties={"source": found.subject.system, "entity": found.subject.entity, **ORIGIN},
    )
