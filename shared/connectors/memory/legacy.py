"""`LegacyRecords`, `LegacyFeed` and `LegacySnapshot` without a legacy system."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.connectors.memory.trouble import Trouble
from shared.core.change import Json, Operation
from shared.core.errors import Gone, MovedOn, Refused
from shared.core.feed import FeedPage, LegacyChange, LegacyPage
from shared.core.ports import Clock, LegacyRecord
from shared.core.system import LegacySystem

_REFERENCES = {
    "company": ("primary_company_id", "company_id", "parent_company_id"),
    "contact": ("primary_contact_id", "converted_contact_id"),
}
"""The fields that name a record of each kind, as the systems this stands for call them."""

PERSON = "person"
"""Who makes the changes that are not ours."""


@dataclass(frozen=True, slots=True)
class _Place:
    entity: str
    id: str


class MemoryRecords:
    """A twin of one system's REST interface. `trouble` arranges failures.

    It assigns ids, counts versions and stamps `changed_field` with the clock on every write, as the system
    does; it takes any field. `put` and `remove` are what the system's own users do. Every write is in its
    feed, told as made by `ourselves` or by `PERSON`.
    """

    def __init__(
        self,
        system: LegacySystem,
        clock: Clock,
        *,
        changed_field: str = "updated_at",
        ourselves: str = "integration",
    ) -> None:
        self._system = system
        self._clock = clock
        self._changed_field = changed_field
        self._ourselves = ourselves
        self._records: dict[_Place, LegacyRecord] = {}
        self._by_key: dict[tuple[str, str], str] = {}
        self._merged: dict[_Place, str] = {}
        self._numbers = 0
        self._log: list[LegacyChange] = []
        self.trouble = Trouble()

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        """The record, or None."""
        self._check(entity)
        return self._records.get(_Place(entity, record_id))

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        """Create a record; the same key again gives the same record, or Gone once it was deleted."""
        self._check(entity)
        known = self._by_key.get((entity, idempotency_key))
        if known is not None:
            return self._present(_Place(entity, known))
        self._numbers += 1
        record_id = f"{entity}-{self._numbers}"
        self._by_key[entity, idempotency_key] = record_id
        return self._put(entity, record_id, fields, self._ourselves)

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        """Write fields if the record is still at `version`; raises MovedOn, or Gone when deleted."""
        self._check(entity)
        before = self._present(_Place(entity, record_id))
        if before.version != version:
            raise MovedOn(f"{self._system.name} has the record at another version")
        return self._put(entity, record_id, {**before.fields, **fields}, self._ourselves)

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        """Delete the record if still at `version`; raises MovedOn when not; one already gone is fine."""
        self._check(entity)
        held = self._records.get(_Place(entity, record_id))
        if held is not None and held.version != version:
            raise MovedOn(f"{self._system.name} has the record at another version")
        self._remove(entity, record_id, self._ourselves)

    async def changes(self, since: str, limit: int) -> FeedPage:
        """The changes after a position, at most `limit`; none left: an empty page."""
        self.trouble.strike()
        start = int(since or "0")
        found = self._log[start : start + limit]
        return FeedPage(found, found[-1].cursor if found else since)

    async def page(self, entity: str, position: str, limit: int) -> LegacyPage:
        """At most `limit` records after a position, by their ids; a list tells no versions."""
        self._check(entity)
        after = sorted(record_id for record_id in self.of(entity) if record_id > position)
        found = [replace(self._records[_Place(entity, record_id)], version="") for record_id in after[:limit]]
        return LegacyPage(found, found[-1].id if len(after) > limit else None)

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        """Merge a record into its heir; one merged so already is fine. Raises Gone when one is not there."""
        self._check(entity)
        if self._merged.get(_Place(entity, loser)) == heir:
            return
        self._unite(entity, heir, loser, self._ourselves)

    def unite(self, entity: str, heir: str, loser: str) -> dict[_Place, LegacyRecord]:
        """Merge two records as people do: the heir's blanks are filled, what named the loser names the heir.

        Returns every record that changed by it. Raises Gone when one is not there.
        """
        return self._unite(entity, heir, loser, PERSON)

    def _unite(self, entity: str, heir: str, loser: str, by: str) -> dict[_Place, LegacyRecord]:
        kept, lost = self._present(_Place(entity, heir)), self._present(_Place(entity, loser))
        self._merged[_Place(entity, loser)] = heir
        del self._records[_Place(entity, loser)]
        self._note(entity, loser, None, by, heir)
        changed: dict[_Place, LegacyRecord] = {}
        for place, record in list(self._records.items()):
            named = {
                name: "" if place.id == heir and place.entity == entity else heir
                for name, value in record.fields.items()
                if value == loser and name in _REFERENCES.get(entity, ())
            }
            if named:
                changed[place] = self._put(place.entity, place.id, {**record.fields, **named}, by)
        held = self._present(_Place(entity, heir)).fields
        lacking = {
            name: value
            for name, value in lost.fields.items()
            if value and not held.get(name) and not name.startswith("cf_") and value not in (heir, loser)
        }
        if lacking:
            changed[_Place(entity, heir)] = self._put(entity, heir, {**kept.fields, **held, **lacking}, by)
        return changed

    def put(self, entity: str, record_id: str, fields: Mapping[str, Json]) -> LegacyRecord:
        """Create or replace a record under an id, whatever its version."""
        return self._put(entity, record_id, fields, PERSON)

    def remove(self, entity: str, record_id: str) -> None:
        """Delete a record, if it is there."""
        self._remove(entity, record_id, PERSON)

    def _put(self, entity: str, record_id: str, fields: Mapping[str, Json], by: str) -> LegacyRecord:
        place, now = _Place(entity, record_id), self._clock.now()
        entity_map = self._system.map_of(entity)
        key = entity_map.key if entity_map is not None else "id"
        stamped = {**fields, key: record_id, self._changed_field: now.isoformat()}
        self._numbers += 1
        record = LegacyRecord(record_id, stamped, f'"{self._numbers}"', now)
        is_create = place not in self._records
        self._records[place] = record
        self._note(entity, record_id, record, by, is_create=is_create)
        return record

    def _remove(self, entity: str, record_id: str, by: str) -> None:
        if self._records.pop(_Place(entity, record_id), None) is not None:
            self._note(entity, record_id, None, by)

    def _note(
        self,
        entity: str,
        record_id: str,
        record: LegacyRecord | None,
        by: str,
        heir: str = "",
        *,
        is_create: bool = False,
    ) -> None:
        cursor = str(len(self._log) + 1)
        gone = Operation.ABSORB if heir else Operation.DELETE
        operation = gone if record is None else Operation.UPSERT
        at = self._clock.now() if record is None else record.changed_at
        fields = {} if record is None else record.fields
        told = LegacyChange(cursor, entity, record_id, operation, at, fields, by, is_create, heir)
        self._log.append(told)

    def of(self, entity: str) -> dict[str, Mapping[str, Json]]:
        """Every record of an entity: its fields by id."""
        return {
            place.id: dict(record.fields) for place, record in self._records.items() if place.entity == entity
        }

    def _check(self, entity: str) -> None:
        self.trouble.strike()
        if entity not in self._system.collections:
            raise Refused(f"{self._system.name} takes no {entity} over REST", answer="no_collection")

    def _present(self, place: _Place) -> LegacyRecord:
        record = self._records.get(place)
        if record is None:
            raise Gone(f"the record no longer exists in {self._system.name}")
        return record
