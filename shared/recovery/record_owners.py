"""Owners who are no user yet: noticed when they are, and then whatever waited for them goes on (P-05, P-07).

A new record that waits is let go, and its lane woken. A row that belongs to somebody else meanwhile is told
its owner again, by a message of our own that says nothing but that, with the moment at which the record said
it: whatever either side decided since is newer, and stands.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.core.change import Direction, Message
from shared.core.crosswalk import Crosswalk
from shared.core.envelope import SCHEMA_VERSION
from shared.core.errors import SyncError
from shared.core.identity import RecordKey
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.mapping.spec import EntityMap, ToDirectory
from shared.core.owner_lookup import ADDRESS, USER, OwnerLookup
from shared.core.ports import Bus, Clock, Jobs, Report, Telemetry
from shared.core.record_owner import (
    OWNER,
    Named,
    OnUnmatched,
    Unfound,
    Unmatched,
    names_of,
    owner_key,
    spelled,
)
from shared.core.shadow import Owed
from shared.core.system import LegacySystem
from shared.core.trace import carried_on

ORIGIN = {"tandem-origin": "owner"}
"""The application property that marks a message which tells an owner again."""

_IN_THE_WAY = {
    Unfound.UNKNOWN: "no user has that address",
    Unfound.DISABLED: "the user with that address is disabled",
    Unfound.AMBIGUOUS: "several users have that address",
}

_JOB = "owners"
_LEASE_SECONDS = 60.0

_OVERLAP = timedelta(minutes=2)
"""A change of a user may be seen this late: longer than a miss is believed anywhere."""

_ON_ITS_WAY = timedelta(minutes=1)
"""How long what was told may be on its way before it is told again."""


class Roster(Protocol):
    """What changes among Dataverse's users."""

    async def changed(self, since: datetime | None) -> Sequence[Named]:
        """Enabled users that are new or changed since an instant of Dataverse's own clock; all for None."""
        ...


class Book(Protocol):
    """Unmatched owners, what waits for them, and the aliases people gave."""

    async def unmatched(self) -> Sequence[Report]:
        """Every unmatched owner with the records that wait and the rows that are owed, by entity."""
        ...

    async def correct(self, unmatched: Unmatched) -> None:
        """Write down that something else is in the way now."""
        ...

    async def release(self, owner: RecordKey) -> Sequence[UUID]:
        """Let go of everything that waits for an owner; returns the records, whose lanes are to be woken."""
        ...

    async def owed(self, owner: RecordKey) -> Sequence[tuple[UUID, Owed]]:
        """The rows that are owed to an owner, and have nothing to do in their lane."""
        ...

    async def forget(self) -> None:
        """Forget owners nobody waits for any more."""
        ...

    async def aliases(self) -> Sequence[Report]:
        """Every alias."""
        ...

    async def set_alias(self, owner: RecordKey, name: str, address: str, actor: str, reason: str) -> None:
        """Say which user an owner is."""
        ...

    async def remove_alias(self, owner: RecordKey, actor: str, reason: str) -> bool:
        """Take an alias away; False when there is none."""
        ...


class NotAnAlias(ValueError):
    """What was asked for cannot be; the text says why."""


@dataclass(slots=True)
class RecordOwners:
    """Looks for owners who are users by now, and takes people's word for who somebody is. `owner` is us."""

    book: Book
    roster: Roster
    lookup: OwnerLookup
    systems: Mapping[str, LegacySystem]
    crosswalk: Crosswalk
    bus: Bus
    jobs: Jobs
    clock: Clock
    telemetry: Telemetry
    queue: str
    owner: str
    _seen_until: datetime | None = field(default=None, init=False)
    _found: set[RecordKey] = field(default_factory=set, init=False)
    _told: dict[UUID, datetime] = field(default_factory=dict, init=False)

    async def run(self) -> int:
        """Look once; returns how many owners were found. By one instance at a time."""
        if not await self.jobs.lease(_JOB, self.owner, _LEASE_SECONDS):
            return 0
        try:
            await self.book.forget()
            unmatched = await self.book.unmatched()
            found = await self._look(unmatched) if unmatched else 0
        except SyncError as error:
            self.telemetry.event("tandem.owners_stopped", {"code": error.code.value}, error=True)
            return 0
        return found

    async def told(self, *, plain: bool) -> Report:
        """Unmatched owners with counts, aliases, and what is laid down; without names unless `plain`."""
        hidden = {} if plain else {"name": None}
        nobody = {} if plain else {"name": None, "user": None}
        policy = self.lookup.policy
        return {
            "unmatched": [{**entry, **hidden} for entry in await self.book.unmatched()],
            "aliases": [{**entry, **nobody} for entry in await self.book.aliases()],
            "policies": [
                {
                    "system": system.name,
                    "entity": entry.entity,
                    "new_records": policy.of(system.name, entry.entity, entry.table.name).value,
                    "fallback": policy.fallback(system.name, entry.entity),
                }
                for system in self.systems.values()
                for entry in system.maps
                if _named_by(entry) is not None
            ],
        }

    async def alias(self, asked: Mapping[str, str], actor: str) -> Report:
        """Say which user an owner is, or with a blank `user` that nobody says so any more.

        Raises NotAnAlias. What waited for that owner goes on at once.
        """
        system, name, user, reason = (
            asked.get(part, "").strip() for part in ("system", "name", "user", "reason")
        )
        if system not in self.systems or not name or not reason:
            raise NotAnAlias("name a system, an owner as that system writes them, and why")
        owner = owner_key(system, name)
        if not user:
            if not await self.book.remove_alias(owner, actor, reason):
                raise NotAnAlias("there is no such alias")
            return {"owner": str(owner), "system": system, "set": False, "records": 0}
        await self._check(system, name, user)
        await self.book.set_alias(owner, name, user, actor, reason)
        records = await self._go_on(owner, name)
        return {"owner": str(owner), "system": system, "set": True, "records": records}

    async def _check(self, system: str, name: str, user: str) -> None:
        """Refuse an alias that says nothing, or that would take somebody's own name away."""
        meant = await self.lookup.find(system, DirectoryRef(USER, ADDRESS, user, required=False), fresh=True)
        if not isinstance(meant, RowRef):
            raise NotAnAlias(_IN_THE_WAY[meant.why])
        own = await self.lookup.own(self._ref(system, name))
        if isinstance(own, UUID):
            raise NotAnAlias("that name is a user's own")

    async def _look(self, unmatched: Sequence[Report]) -> int:
        """Ask again for those who may be somebody by now; whoever was found, until all is done."""
        changed = await self.roster.changed(self._seen_until - _OVERLAP if self._seen_until else None)
        self._seen_until = max((user.changed_at for user in changed), default=self._seen_until)
        names = frozenset[str]().union(*(user.names for user in changed))
        aliases = {entry["owner"] for entry in await self.book.aliases()}
        keys = {owner_key(entry["system"], entry["name"]): entry for entry in unmatched}
        self._found &= keys.keys()
        for key, entry in keys.items():
            known = any(spelled(name) in names for name in names_of(entry["name"]))
            again = bool(changed) and entry["why"] == Unfound.AMBIGUOUS
            if known or again or key in self._found or entry["owner"] in aliases:
                await self._ask(key, entry)
            elif self._waits_no_more(entry):
                await self._release(key)
        return len(self._found)

    async def _ask(self, key: RecordKey, entry: Report) -> None:
        answer = await self.lookup.find(key.system, self._ref(key.system, entry["name"]), fresh=True)
        if isinstance(answer, RowRef):
            self._found.add(key)
            await self._go_on(key, entry["name"])
            return
        self._found.discard(key)
        if answer.why != entry["why"]:
            await self.book.correct(answer)

    def _waits_no_more(self, entry: Report) -> bool:
        """Whether somebody laid down meanwhile that a record that waits need not."""
        system = self.systems.get(entry["system"])
        maps = [each for name in entry["waiting"] if system and (each := system.map_of(name)) is not None]
        policy = self.lookup.policy
        return any(
            policy.of(entry["system"], each.entity, each.table.name) is OnUnmatched.FALLBACK for each in maps
        )

    async def _go_on(self, owner: RecordKey, name: str) -> int:
        """Let go of what waits for an owner, and tell the rows that are owed to them; returns how many."""
        waited = await self._release(owner)
        told = 0
        for record, owed in await self.book.owed(owner):
            told += await self._tell(record, owed, name)
        if waited or told:
            counts = {"lanes": str(waited), "messages": str(told)}
            self.telemetry.event("tandem.owner_found", {"subject": str(owner), **counts})
        return waited + told

    async def _release(self, owner: RecordKey) -> int:
        records = await self.book.release(owner)
        now = self.clock.now()
        for record in records:
            await self.bus.wake(Direction.INBOUND, record, now)
        return len(records)

    async def _tell(self, record: UUID, owed: Owed, name: str) -> bool:
        """Tell a row its owner again, unless that was just done and is on its way."""
        now = self.clock.now()
        self._told = {each: at for each, at in self._told.items() if now - at < _ON_ITS_WAY}
        system = self.systems.get(owed.subject.system)
        entry = system.map_of(owed.subject.entity) if system else None
        row = await self.crosswalk.row_of(owed.subject)
        if record in self._told or entry is None or row is None:
            return False
        told = _message(row, owed, {entry.field_of(OWNER): name}, now, self.queue)
        await self.bus.post(carried_on(told))
        self._told[record] = now
        return True

    def _ref(self, system: str, name: str) -> DirectoryRef:
        """An owner as the maps of a system look for one: by address, or by name."""
        named_by = (_named_by(entry) for entry in self.systems[system].maps)
        column = next((column for column in named_by if column is not None), ADDRESS)
        return DirectoryRef(USER, column, name, required=False)


def _named_by(entry: EntityMap) -> str | None:
    """The column of a user that a map's owners are looked for in; None for a map without owners."""
    lines = (line.via.refers for line in entry.fields if line.column.name == OWNER)
    return next((refers.column for refers in lines if isinstance(refers, ToDirectory)), None)


def _message(row: UUID, owed: Owed, data: Mapping[str, str], now: datetime, queue: str) -> Message:
    """The record's own word about its owner, told again as of when it was said."""
    subject, moment = owed.subject, owed.moment
    body = {
        "schemaVersion": SCHEMA_VERSION,
        "source": subject.system,
        "entity": subject.entity,
        "sourceKey": subject.id,
        "operation": "upsert",
        "changedOn": moment.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "version": moment.version,
        "data": data,
    }
    return Message(
        id=f"owner-{row}-{owed.key.id}-{now.astimezone(UTC).strftime('%Y%m%dT%H%M%S%f')}",
        queue=queue,
        session_id=str(row),
        body=json.dumps(body, separators=(",", ":")).encode(),
        properties={"contentType": "application/json"},
        application_properties={"source": subject.system, "entity": subject.entity, **ORIGIN},
    )
