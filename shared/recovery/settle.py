"""Settling: a person decides a conflict, and the record's lane carries it out like any other change.

Nothing is written from here. The decision is kept, and a message that names it goes through the gate.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from shared.core.change import Json, Message
from shared.core.codes import Code
from shared.core.conflict import TOLD, Told
from shared.core.envelope import SCHEMA_VERSION, SETTLEMENT
from shared.core.errors import Fault, InvalidMessage, one_way
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import read_row
from shared.core.mapping.spec import EntityMap
from shared.core.page import Page
from shared.core.ports import Bus, Clock, Report
from shared.core.seal import Seal
from shared.core.system import LegacySystem
from shared.core.trace import carried_on

TAKES = ("inbound", "outbound", "value")
"""What a person may take: what the legacy system holds, what Dataverse holds, or a value of their own."""

_PAGE = 200

_PATIENCE = timedelta(seconds=30)
"""How long a decision may be on its way before it is sent again."""


class Asked(Protocol):
    """A conflict as it stood when a person decided it."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    @property
    def record(self) -> UUID:
        """The record's lane."""
        ...

    @property
    def key(self) -> RecordKey:
        """The legacy record."""
        ...

    @property
    def systems(self) -> frozenset[str]:
        """The systems of all records of its row: the contested value is that of one of them."""
        ...

    @property
    def column(self) -> str:
        """The contested column."""
        ...

    @property
    def inbound(self) -> Value:
        """What the legacy system holds."""
        ...

    @property
    def outbound(self) -> Value:
        """What Dataverse holds."""
        ...


class Book(Protocol):
    """The conflicts that wait for a person."""

    async def waiting(self, limit: int, *, after: int = 0) -> Page:
        """Those behind number `after` that are not over."""
        ...

    async def one(self, number: int) -> Report | None:
        """One of them, over or not."""
        ...

    async def asked(self, number: int) -> Any:
        """One that is open, as `Asked`; raises NotOpen when it is over."""
        ...

    async def decide(self, seen: Any, value: Value, actor: str, reason: str, told_as: str) -> Told:
        """Keep a decision; `told_as` is the id of the message that tells the lane of it."""
        ...

    async def untold(self, before: datetime, limit: int) -> Sequence[Told]:
        """What was decided before an instant and has not come to its lane."""
        ...


@dataclass(frozen=True, slots=True)
class Settle:
    """Lists open conflicts and takes people's decisions."""

    book: Book
    systems: Mapping[str, LegacySystem]
    bus: Bus
    clock: Clock
    queue: str
    seal: Seal
    new_id: Callable[[], UUID]
    read_only: frozenset[str] = frozenset()
    """The systems to which nothing is written: what they hold can be decided for, and nothing else."""

    async def waiting(self, after: int = 0) -> Report:
        """200 conflicts behind number `after` that wait for a person, or for their record's lane.

        `more` says how many come behind the last one.
        """
        page = await self.book.waiting(_PAGE, after=after)
        return {"conflicts": page.entries, "more": page.more}

    async def one(self, number: int) -> Report | None:
        """One conflict."""
        return await self.book.one(number)

    async def settle(self, number: int, take: str, value: Json, actor: str, reason: str) -> Report:
        """Decide a conflict; the answer says what is on its way.

        Raises InvalidMessage for a value that has no place on one side or cannot be written there, and
        Transient when the queue cannot be reached: the decision is kept then, and the timer sends it.
        """
        asked: Asked = await self.book.asked(number)
        entry = self.systems[asked.key.system].map_of(asked.key.entity)
        if entry is None:
            raise LookupError(f"{asked.key.system} has no map for {asked.key.entity}")
        chosen = {"inbound": asked.inbound, "outbound": asked.outbound}
        decided = chosen[take] if take in chosen else _typed(entry, asked.column, value)
        _check(entry, asked.column, decided)
        if asked.systems <= self.read_only and decided != asked.inbound:
            raise InvalidMessage(Fault("/take", Code.TARGET_ONE_WAY, one_way(asked.key.system)))
        told_as = f"{TOLD}{number}-{self.new_id()}"
        told = await self.book.decide(asked, decided, actor, reason, told_as)
        await self.bus.post(self._message(told))
        return {"conflict": number, "record": str(asked.record), "column": asked.column, "status": "queued"}

    async def run(self) -> int:
        """Send again what was decided and has not come to its lane; returns how many.

        The message is the same one each time, so one that was only slow is a duplicate. Raises Transient when
        the queue cannot be reached.
        """
        untold = await self.book.untold(self.clock.now() - _PATIENCE, _PAGE)
        for told in untold:
            await self.bus.post(self._message(told))
        return len(untold)

    def _message(self, told: Told) -> Message:
        body: dict[str, Json] = {
            "schemaVersion": SCHEMA_VERSION,
            "kind": SETTLEMENT,
            "source": told.key.system,
            "entity": told.key.entity,
            "sourceKey": told.key.id,
            "record": str(told.record),
            "conflict": told.number,
            "decidedOn": told.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        message = Message(
            id=told.message_id,
            queue=self.queue,
            session_id=str(told.record),
            body=json.dumps(body, separators=(",", ":")).encode(),
            sender=told.by,
            properties={"contentType": "application/json"},
            application_properties={"tandem-sender": told.by},
        )
        return self.seal.on(carried_on(message))


def _check(entry: EntityMap, column: str, value: Value) -> None:
    """Refuse now what the lane would refuse later; a lookup was a row before and is one still."""
    faults = () if isinstance(value, RowRef) else entry.to_fields({column: value}).faults
    if faults:
        raise InvalidMessage(*_at("/take", faults))


def _typed(entry: EntityMap, column: str, value: Json) -> Value:
    """A value a person typed, as both sides hold it; raises InvalidMessage when one of them cannot."""
    try:
        found = read_row(entry.table, {column: value})
    except InvalidMessage as refused:
        raise InvalidMessage(*_at("/value", refused.faults)) from refused
    if column not in found:
        raise InvalidMessage(Fault("/value", Code.BAD_FIELD, "take inbound or outbound for a lookup"))
    there = entry.to_fields(found)
    back = entry.to_columns(there.values)
    if faults := there.faults or back.faults:
        raise InvalidMessage(*_at("/value", faults))
    told = back.values.get(column, found[column])
    # As it comes back, unless that is still to be looked up: else the first echo would be news.
    return cast("Value", told) if type(told) in {type(found[column]), type(None)} else found[column]


def _at(pointer: str, faults: Sequence[Fault]) -> Iterator[Fault]:
    """The same faults, where the person who decides has said it."""
    return (replace(fault, field=pointer) for fault in faults)
