"""After a long random day the journal alone tells what both sides hold of every record (N-03)."""

import os
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory.companies import COMPANY
from shared.connectors.sqlstore.tables import conflict, journal
from shared.core.identity import RecordKey
from shared.core.mapping.spec import Flow
from tests.unit.flows.test_rings import rows as kept_in

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

EVENTS = 10_000 if os.environ.get("TANDEM_FULL_SIZE") == "1" else 1_000
COMPANIES = 20
FIELDS = {"phone": "telephone1", "city": "address1_city", "tags": "tandem_tags"}
CROSSING = [line.column.name for line in COMPANY.fields if line.flow is Flow.BOTH]

Tell = Callable[[], Awaitable[object]]


class Day:
    """People at work in both systems; what they do is told at once, late, twice, and in any order."""

    def __init__(self, desk: "Desk") -> None:
        self.desk = desk
        self.chance = random.Random(3)  # noqa: S311  # a repeatable day
        self.rows: dict[str, UUID] = {}
        self.untold: list[Tell] = []

    async def act(self, number: int) -> None:
        """One thing happens to one company, and something is told."""
        name = self.chance.choice(sorted(self.rows))
        value = self.chance.choice([str(number), str(number), ""])
        if self.chance.random() < 0.02:
            # Nothing is untold of it by then: an edit on the other side would make it a person's to see.
            await self.end()
            await self._end(name)()
            await self._make(f"N-{number}")
        elif self.chance.random() < 0.5:
            self.untold.append(self._edit_record(name, {self.chance.choice(list(FIELDS)): value}))
        else:
            column = self.chance.choice(list(FIELDS.values()))
            self.untold.append(self._edit_row(self.rows[name], {column: value or None}))
        while len(self.untold) > self.chance.randrange(40):
            await self._tell_one()

    async def end(self) -> None:
        """Everything is told."""
        while self.untold:
            await self._tell_one()

    async def _tell_one(self) -> None:
        self.desk.clock.advance(timedelta(seconds=1))
        tell = self.untold.pop(self.chance.randrange(len(self.untold)))
        await tell()
        if self.chance.random() < 0.05:
            self.untold.append(tell)

    async def _make(self, name: str) -> None:
        self.rows[name] = await self.desk.company(name, name=name, phone="0")

    def _edit_record(self, name: str, changed: Mapping[str, str]) -> Tell:
        held = self.desk.records.of("company")
        record = self.desk.records.put("company", name, {**held[name], **changed})
        return partial(self.desk.record_changed, name, record.fields, at=self.desk.clock.now())

    def _edit_row(self, row: UUID, changed: Mapping[str, str | None]) -> Tell:
        self.desk.rows.put("account", row, changed)

        async def tell() -> None:
            if row in self.desk.rows.of("account"):
                await self.desk.tell_row(row)

        return tell

    def _end(self, name: str) -> Tell:
        """A person deletes the company on one side; nobody works on it any more."""
        row = self.rows.pop(name)
        if self.chance.random() < 0.5:
            self.desk.records.remove("company", name)
            return partial(self.desk.record_changed, name, None, at=self.desk.clock.now())
        self.desk.rows.remove("account", row)
        return partial(self.desk.row_changed, row, operation="Delete", at=self.desk.clock.now())


async def rebuilt(desk: "Desk", row: UUID) -> dict[str, Any]:
    """What the journal tells of a record now, column by column."""
    (told,) = await desk.store.operations.history.as_of(str(row), desk.clock.now())
    columns = told["believed"]["columns"]
    return {name: columns[name]["value"] for name in CROSSING if name in columns}


def crossing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in CROSSING if values.get(name) is not None}


@pytest.mark.timeout(900)
async def test_both_sides_are_rebuilt_from_the_history_alone(desk: "Desk") -> None:
    day = Day(desk)
    for number in range(COMPANIES):
        await day._make(f"C-{number}")

    for number in range(EVENTS):
        desk.clock.advance(timedelta(seconds=20))
        await day.act(number)
    await day.end()

    records, held = desk.records.of("company"), desk.rows.of("account")
    in_allegory = {
        await desk.store.crosswalk.row_of(RecordKey("allegory", "company", name)): crossing(
            COMPANY.to_columns(fields).values
        )
        for name, fields in records.items()
    }
    in_dataverse = {row: crossing(values) for row, values in held.items()}
    told = {row["record"] for row in kept_in(desk, journal)}
    history = {row: found for row in told if (found := await rebuilt(desk, row))}

    assert (await desk.store.operations.failures.page(10)).entries == []
    assert len(kept_in(desk, conflict)) > EVENTS / 100, "the day was one of contradictions"
    assert history == in_dataverse
    assert history == in_allegory
