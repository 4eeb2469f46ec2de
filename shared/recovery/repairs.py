"""Repairs: what a person does about one message that holds its lane, or was set aside, or was refused.

Nothing is thrown away: a skipped message stays with its reason, an edited one stays as it arrived beside the
copy that took its place. An edit passes the gate's examination first; a bad one changes nothing. What is told
of an edit names fields and kinds of values, never the values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.core.change import Change, Json, Message
from shared.core.codes import Code
from shared.core.editing import CHANGED_ON, differences, edited, rewritten
from shared.core.errors import Fault, InvalidMessage
from shared.core.gate import Gate
from shared.core.ports import Bus, Clock, Report
from shared.core.repair import Done, Edited, FieldEdit, Repaired

Draft = Callable[[Message], tuple[Message, Mapping[str, FieldEdit]]]
"""Makes an edited copy, and says what was edited."""


class Lanes(Protocol):
    """What the state lets a person do about one message."""

    async def skip(self, message_id: str, reason: str, actor: str, *, number: int | None = None) -> Repaired:
        """Let the lane go on without a message."""
        ...

    async def release(self, message_id: str, reason: str, actor: str) -> Repaired:
        """Let a message that was set aside go on with the time it claims."""
        ...

    async def supersede(self, message_id: str, by: str, reason: str, actor: str) -> Repaired:
        """Let another message stand for this one."""
        ...

    async def original(self, message_id: str) -> tuple[int, Message] | Repaired:
        """A message that may be edited, with its number."""
        ...

    async def put_in_place(self, edited: Edited, reason: str, actor: str) -> Repaired:
        """Let an edited copy take its original's place."""
        ...


@dataclass(frozen=True, slots=True)
class Repairs:
    """Repairs of single messages.

    Each raises Transient when the lane cannot be woken afterwards; the timer does it then.
    """

    lanes: Lanes
    gate: Gate
    bus: Bus
    clock: Clock

    async def skip(self, message_id: str, reason: str, actor: str) -> Report:
        """Let the lane go on without a message; one refused at the gate is acknowledged."""
        return await self._told(message_id, await self.lanes.skip(message_id, reason, actor))

    async def release(self, message_id: str, reason: str, actor: str) -> Report:
        """Let a message from the future be applied as it is."""
        return await self._told(message_id, await self.lanes.release(message_id, reason, actor))

    async def supersede(self, message_id: str, by: str, reason: str, actor: str) -> Report:
        """Let another message of the same record stand for this one."""
        return await self._told(message_id, await self.lanes.supersede(message_id, by, reason, actor))

    async def edit(
        self, message_id: str, settings: Mapping[str, str | None], reason: str, actor: str
    ) -> Report:
        """Put an edited copy in a message's place; raises InvalidMessage with every fault of the edit."""
        return await self._replace(message_id, reason, actor, lambda original: edited(original, settings))

    async def rewrite(self, message_id: str, body: bytes, reason: str, actor: str) -> Report:
        """Put a copy with another body in a message's place; raises InvalidMessage with every fault of it."""

        def draft(original: Message) -> tuple[Message, Mapping[str, FieldEdit]]:
            return rewritten(original, body), differences(original.body, body)

        return await self._replace(message_id, reason, actor, draft)

    async def _replace(self, message_id: str, reason: str, actor: str, draft: Draft) -> Report:
        found = await self.lanes.original(message_id)
        if isinstance(found, Repaired):
            return await self._told(message_id, found)
        number, original = found
        copy, fields = draft(original)
        change = self._examined(original, copy)
        record = await self.gate.record_of(copy, change)
        stands = Edited(number, copy, change, record, fields)
        repaired = await self.lanes.put_in_place(stands, reason, actor)
        shown = {pointer: _shown(pointer, field) for pointer, field in fields.items()}
        return {**await self._told(message_id, repaired), "fields": shown}

    def _examined(self, original: Message, copy: Message) -> Change:
        """What the copy says, if the gate would admit it, for the same record, at a time that has come."""
        change = self.gate.examine(copy)
        if not isinstance(change, Change):
            raise InvalidMessage(Fault("", Code.BAD_FIELD, "a change of a record"))
        if change.is_early:
            raise InvalidMessage(Fault(f"/{CHANGED_ON}", Code.FROM_THE_FUTURE, "a time that has come"))
        try:
            before = self.gate.parse(original)
        except InvalidMessage:
            return change
        if isinstance(before, Change) and before.subject != change.subject:
            raise InvalidMessage(Fault("", Code.IDENTITY_MISMATCH, f"a change of {before.subject}"))
        return change

    async def _told(self, message_id: str, repaired: Repaired) -> Report:
        moves = repaired.done in {Done.QUEUED, Done.SKIPPED, Done.REPLACED}
        if moves and repaired.record and repaired.direction:
            await self.bus.wake(repaired.direction, repaired.record, self.clock.now())
        return {
            "messageId": message_id,
            "done": repaired.done.value,
            "outcome": repaired.outcome.value if repaired.outcome else None,
            "record": str(repaired.record) if repaired.record else None,
            "replacedBy": repaired.message.id if repaired.message else None,
        }


def _shown(pointer: str, edit: FieldEdit) -> dict[str, Json]:
    if pointer == f"/{CHANGED_ON}":
        return {"before": edit.before, "after": edit.after}
    return {"before": _masked(edit.before), "after": _masked(edit.after)}


def _masked(value: Json) -> str:
    """A value without what it says."""
    if value is None or value == "":
        return "blank"
    if isinstance(value, str):
        return f"text of {len(value)}"
    if isinstance(value, bool):
        return "yes or no"
    return "a number" if isinstance(value, int | float) else "a list or an object"
