"""What a decision about a legacy record's own change writes back into it, where that is done by import.

A value that was not for that side to change is handed back, and a conflict that a person decided is carried
out: like every write by import it is pending until it is acknowledged, and the change waits for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core.acknowledging import folded, refused, still_awaiting
from shared.core.change import Change, Json
from shared.core.legacy import LegacySide
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.pending import (
    Acknowledged,
    Answer,
    Asked,
    PendingWrite,
    PendingWrites,
    Posted,
    acknowledgement_of,
)
from shared.core.ports import LegacyRecord
from shared.core.shadow import NEVER, Shadow
from shared.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ByImport:
    """Writes back by import, to the systems with a place for them."""

    lookups: Mapping[str, Lookups]
    writes: PendingWrites
    places: frozenset[str]

    def takes(self, system: str) -> bool:
        """Whether a system is written to in this way."""
        return system in self.places

    async def back(
        self, change: Change, entry: EntityMap, record: UUID, back: Mapping[str, Value], result: Verdict
    ) -> Verdict:
        """The verdict on a change with values to be put `back` in its record, as far as that has come.

        What the record is given back replaces what the change itself said, and nothing later.
        """
        posted = await self.writes.of(record)
        if posted is not None and posted.answered is None:
            waits = still_awaiting(change, entry, posted.write, self.latency(change))
            return replace(waits, shadow=result.shadow, pairs=result.pairs)
        if posted is not None and posted.answered is not None and _is_about(posted, back):
            if posted.answered.answer is Answer.REFUSED:
                return replace(refused(change, entry, posted, posted.answered), shadow=result.shadow)
            after = folded(result.shadow or Shadow(), posted)
            return replace(result, shadow=after, collisions=(), concludes=posted.number)
        write = await self.write(change, entry, record, back, change.data)
        handed = replace(
            result,
            outcome=Outcome.PARKED,
            reason=f"{result.reason}; handed back with the next import ({self.latency(change)})",
            waits_for=acknowledgement_of(write.system, record),
            posts=write,
            concludes=posted.number if posted else None,
        )
        return replace(handed, shadow=folded(result.shadow, posted)) if result.shadow else handed

    async def write(
        self,
        change: Change,
        entry: EntityMap,
        record: UUID,
        values: Mapping[str, Value],
        was: Mapping[str, Json],
    ) -> PendingWrite:
        """A write of agreed values over what the record is told to hold, in its own words."""
        subject = change.subject
        fields = await self.side(change).fields(entry, values)
        replaced = {name: was.get(name, "") for name in fields}
        return PendingWrite(
            subject.system,
            subject.entity,
            record,
            Asked.UPDATE,
            subject.id,
            fields,
            replaced,
            dict(values),
            NEVER,
        )

    def side(self, change: Change) -> LegacySide:
        """The system of a change."""
        return LegacySide(self.lookups[change.subject.system])

    async def told(self, change: Change, entry: EntityMap, answered: Acknowledged) -> Mapping[str, Value]:
        """What a record was told to hold, in columns."""
        at = answered.changed_at or answered.at
        found = LegacyRecord(change.subject.id, answered.held, "", at)
        return (await self.side(change).held(entry, found)).values

    def latency(self, change: Change) -> str:
        """How long an acknowledgement may take, in one word."""
        return self.lookups[change.subject.system].system.latency


def _is_about(posted: Posted, values: Mapping[str, Value]) -> bool:
    """Whether a write was meant to bring just these values."""
    return dict(posted.write.values) == dict(values)
