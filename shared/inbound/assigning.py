"""Whose a row is to be: the owner a legacy record names, found among Dataverse's users (P-05, ADR 0034).

A new record whose owner is unmatched waits or goes through under the fallback owner. A row that is there
keeps whom it has, and everything else about it crosses. Such a row is *owed* to the owner, who is told again
once there is a user.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.core.change import Change
from shared.core.errors import OwnerUnmatched
from shared.core.mapping.columns import Unresolved
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.mapping.spec import EntityMap, Owner
from shared.core.merge import Side
from shared.core.owner_lookup import OwnerLookup
from shared.core.ownership import Ownership
from shared.core.record_owner import OWNER, OnUnmatched, Unmatched, owner_key
from shared.core.shadow import Moment, Owed, Shadow
from shared.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a change says, its owner found or left out; and what the row owes to its record from now on.

    With `stands_in` the owner is one for a new row alone: a row that turns out to be there keeps its own.
    """

    values: Mapping[str, Unresolved]
    owed: Owed | None = None
    unmatched: Unmatched | None = None
    stands_in: bool = False

    def told(self, result: Verdict) -> Verdict:
        """The same verdict, noting what is owed."""
        if result.shadow is None or result.shadow.deleted_at is not None:
            return result
        return replace(result, shadow=replace(result.shadow, owed=self.owed), unmatched=self.unmatched)


@dataclass(frozen=True, slots=True)
class Assigning:
    """Finds the owner of what a change is about."""

    owners: OwnerLookup

    async def assigned(
        self,
        change: Change,
        entry: EntityMap,
        shadow: Shadow,
        values: Mapping[str, Unresolved],
        owned: Ownership,
    ) -> Assigned:
        """The change with its owner; raises OwnerUnmatched where the record is to wait."""
        if all(line.column.name != OWNER for line in entry.fields):
            return Assigned(values)
        said = values.get(OWNER)
        if not isinstance(said, DirectoryRef):
            return await self._nobody(change, entry, shadow, values)
        rest = {column: value for column, value in values.items() if column != OWNER}
        system, moment = change.subject.system, Moment(change.changed_at, change.version)
        is_owed = shadow.owed is not None and shadow.owed.key == owner_key(system, said.value)
        others = _of_another(shadow, system)
        if _is_outdated(shadow, moment, is_owed=is_owed or others is not None):
            return Assigned(rest, shadow.owed)
        found = await self.owners.find(system, said)
        if isinstance(found, RowRef):
            # What waited for its user is no new word of the legacy system: over, where Dataverse decides.
            given_up = is_owed and owned.of(OWNER) is Owner.DATAVERSE
            return Assigned(rest if given_up else {**rest, OWNER: found}, others)
        if _was_seen(shadow, moment, system):
            return Assigned(rest, shadow.owed)
        if not shadow.marks:
            if self.owners.policy.of(system, entry.entity, entry.table.name) is OnUnmatched.WAIT:
                raise OwnerUnmatched(entry.field_of(OWNER), found)
            rest[OWNER] = await self.owners.fallback(system, entry.entity)
        if is_owed:
            return Assigned(rest, shadow.owed)
        return Assigned(rest, Owed(found.key, change.subject, moment), found, stands_in=OWNER in rest)

    async def _nobody(
        self, change: Change, entry: EntityMap, shadow: Shadow, values: Mapping[str, Unresolved]
    ) -> Assigned:
        """The change names no owner: a new row goes to the fallback owner, and a blank owes nothing."""
        blank = any(line.column.name == OWNER and line.legacy in change.data for line in entry.fields)
        owed = _of_another(shadow, change.subject.system) if blank else shadow.owed
        if shadow.marks or OWNER in values:
            return Assigned(values, owed)
        fallback = await self.owners.laid_down(change.subject.system, entry.entity)
        return (
            Assigned({**values, OWNER: fallback}, owed, stands_in=True)
            if fallback
            else Assigned(values, owed)
        )


def _is_outdated(shadow: Shadow, moment: Moment, *, is_owed: bool) -> bool:
    """Whether the record has named another owner since, who is no user yet."""
    return shadow.owed is not None and moment < shadow.owed.moment and not is_owed


def _of_another(shadow: Shadow, system: str) -> Owed | None:
    """What is owed to the record of another system that is the same row."""
    return shadow.owed if shadow.owed is not None and shadow.owed.subject.system != system else None


def _was_seen(shadow: Shadow, moment: Moment, system: str) -> bool:
    """Whether the record named an owner later than this who was found."""
    mark = shadow.marks.get(OWNER)
    return mark is not None and moment < mark.seen.get(system, moment)


def ownerless(said: Side) -> Side:
    """What is said without the owner that stood in for a new row: the row is there, and has one."""
    return replace(said, values={column: value for column, value in said.values.items() if column != OWNER})
