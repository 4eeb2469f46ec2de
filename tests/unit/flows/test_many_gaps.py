"""One in a hundred messages of either side is lost, whatever it told: one look tells it all, once (N-13)."""

import os
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.dataverse import TABLES
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.core.feed import LegacyPage
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Table
from shared.core.row_changes import ChangedRow, RowPage
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

EVENTS = 10_000 if os.environ.get("TANDEM_FULL_SIZE") == "1" else 1_000
COMPANIES = 60
GRACE = timedelta(minutes=2)
FIELDS = {"phone": "telephone1", "city": "address1_city", "postal_code": "address1_postalcode"}


@dataclass
class Tracked:
    """`RowChanges` over the twin: the rows whose number is higher, and those that are there no more."""

    twin: MemoryRows
    known: set[UUID] = field(default_factory=set)

    async def changes(self, table: Table, since: str) -> RowPage:
        rows = [(row, await self.twin.read(table, row)) for row in self.twin.of(table.name)]
        numbered = [(int(kept.version.strip('W/"')), row, kept) for row, kept in rows if kept is not None]
        changed = [
            ChangedRow(row, kept.values, kept.version, kept.modified_at)
            for number, row, kept in numbered
            if number > int(since or 0)
        ]
        there = {row for _, row, _ in numbered}
        removed, self.known = sorted(self.known - there), there
        return RowPage(changed, removed, str(max((number for number, _, _ in numbered), default=0)))


@dataclass(frozen=True)
class Whole:
    """`LegacySnapshot` over the twin, in one page."""

    twin: MemoryRecords

    async def page(self, entity: str, position: str, limit: int) -> LegacyPage:
        del position, limit
        found = [await self.twin.read(entity, record) for record in sorted(self.twin.of(entity))]
        return LegacyPage([record for record in found if record is not None], None)


def detector(desk: "Desk") -> GapDetector:
    store = desk.store
    kept = (store.gaps, store.cursors, desk.clock)
    lookups = Lookups(ALLEGORY, TABLES, store.crosswalk, MemoryDirectory(desk.rows), store.record_owners)
    rows = RowGaps(COMPANY, Tracked(desk.rows), desk.rows, store.shadows, *kept, queue="outbound")
    records = RecordGaps(
        ALLEGORY,
        COMPANY,
        Whole(desk.records),
        desk.records,
        lookups,
        store.shadows,
        store.crosswalk,
        *kept,
        queue="inbound",
    )
    telemetry = desk.gate.telemetry
    return GapDetector(
        [rows, records], store.gaps, store.jobs, desk.bus, desk.gate, desk.clock, telemetry, GRACE, "w"
    )


Told = Callable[[], Awaitable[object]]


@dataclass
class Town:
    """The companies of both systems under names that are the same in both, and the people at work there."""

    desk: "Desk"
    chance: random.Random
    known: dict[str, UUID] = field(default_factory=dict)
    """By record, the rows that are worked on: nothing about them was lost."""
    writes: int = 0
    """How often Tandem wrote."""

    def count(self, twin: MemoryRows | MemoryRecords, patch: pytest.MonkeyPatch) -> None:
        """Count what is written to a side by Tandem."""
        for name in ("create", "update", "delete"):
            call = getattr(twin, name)

            async def counted(*given: Any, _call: Any = call) -> Any:
                result = await _call(*given)
                self.writes += 1
                return result

            patch.setattr(twin, name, counted)

    def _pick(self) -> tuple[str, UUID]:
        return self.chance.choice(sorted(self.known.items()))

    def edit_record(self, number: int) -> tuple[str, Told]:
        name, _ = self._pick()
        held = self.desk.records.of("company")[name]
        changed = {self.chance.choice(list(FIELDS)): str(number)}
        record = self.desk.records.put("company", name, {**held, **changed})
        return name, lambda: self.desk.record_changed(name, record.fields)

    def edit_row(self, number: int) -> tuple[str, Told]:
        name, row = self._pick()
        self.desk.rows.put("account", row, {self.chance.choice(list(FIELDS.values())): str(number)})
        return name, lambda: self.desk.tell_row(row)

    def make_record(self, number: int) -> tuple[str, Told]:
        name = f"A-{number}"
        record = self.desk.records.put("company", name, {"name": name, "phone": str(number)})
        return name, lambda: self.desk.record_changed(name, record.fields)

    def make_row(self, number: int) -> tuple[str, Told]:
        row = UUID(int=number + 1)
        self.desk.rows.put("account", row, {"name": f"D-{number}", "telephone1": str(number)})
        return f"D-{number}", lambda: self.desk.tell_row(row)

    def end_record(self, _number: int) -> tuple[str, Told]:
        name, _ = self._pick()
        self.desk.records.remove("company", name)
        return name, lambda: self.desk.record_changed(name, None)

    def end_row(self, _number: int) -> tuple[str, Told]:
        name, row = self._pick()
        self.desk.rows.remove("account", row)
        return name, lambda: self.desk.row_changed(row, operation="Delete")

    def held(self) -> tuple[list[Any], list[Any]]:
        """What either side holds, by name."""
        return (
            _listed(self.desk.records.of("company"), ("name", *FIELDS)),
            _listed(self.desk.rows.of("account"), ("name", *FIELDS.values())),
        )


def _listed(kept: Mapping[Any, Mapping[str, Any]], columns: tuple[str, ...]) -> list[Any]:
    return sorted([str(one.get(column) or "") for column in columns] for one in kept.values())


@pytest.mark.timeout(900)
async def test_what_one_in_a_hundred_lost_messages_told_is_healed_after_its_grace_and_nothing_happens_twice(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(desk, random.Random(13))  # noqa: S311  # a repeatable day
    for number in range(COMPANIES):
        town.known[f"C-{number}"] = await desk.company(f"C-{number}", name=f"C-{number}")
    gaps = detector(desk)
    assert await gaps.run() == 0
    town.count(desk.rows, monkeypatch)
    town.count(desk.records, monkeypatch)
    edits = (town.edit_record, town.edit_row)
    # Of what is lost, each kind is lost once; the others are edits.
    special = [town.make_record, town.make_row, town.end_record, town.end_row]
    losses = set(town.chance.sample(range(EVENTS), EVENTS // 100))
    late: list[Told] = []

    for number in range(EVENTS):
        desk.clock.advance(timedelta(seconds=30))
        is_lost = number in losses
        act = special.pop() if is_lost and special else town.chance.choice(edits)
        name, tell = act(number)
        if is_lost:
            late.append(tell)
            town.known.pop(name, None)
        else:
            await tell()

    before, told = town.held(), town.writes
    assert before[0] != before[1]
    assert told == EVENTS - len(losses)
    desk.clock.advance(GRACE)
    await gaps.run()
    desk.clock.advance(GRACE)
    assert await gaps.run() == len(losses)
    await desk.delivered()

    in_allegory, in_dataverse = town.held()
    assert in_allegory == in_dataverse
    assert town.writes == EVENTS
    desk.clock.advance(GRACE)
    assert await gaps.run() == 0
    for tell in late:
        await tell()
    assert town.writes == EVENTS
    assert town.held() == (in_allegory, in_dataverse)
    assert (await desk.store.operations.counts.take())["unexplained"] == 0
    assert (await desk.store.operations.failures.page(10)).entries == []
