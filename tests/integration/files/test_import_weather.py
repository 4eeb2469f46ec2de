"""People edit on both sides while imports are late, partial, lost or refused: both sides end alike."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from tests.integration.files.office import LOST_AFTER, Office, office_at

COLUMNS = {"address1_city": "City", "telephone1": "Phone", "fax": "Fax"}
QUIRKS = ("late", "partly", "mute", "loses", "shuffled", "half_written")
STEPS = 25
COMPANIES = ("CMP1", "CMP2")


class Weather:
    """One seed's day: what people wrote, and the chance that decides what happens next."""

    def __init__(self, seed: int, office: Office) -> None:
        self.chance = Random(seed)  # noqa: S311  # a seed, no secret
        self.office = office
        self.rows: dict[str, UUID] = {}
        self.written: dict[tuple[str, str], list[str]] = {}
        self.drops = 0

    async def begin(self) -> None:
        for record in COMPANIES:
            self.office.put("companies", record, Company_Name=record)
        await self._drop()
        for record in COMPANIES:
            self.rows[record] = await self.office.row_of(f"legrand:company:{record}")
            await self.office.tell("account", self.rows[record])

    async def step(self) -> None:
        """Something happens."""
        what: list[Callable[[], object]] = [
            self._there,
            self._here,
            self._hand_over,
            self._import,
            self._drop,
        ]
        done = self.chance.choices(what, weights=(3, 4, 3, 3, 2))[0]()
        if done is not None:
            await done  # type: ignore[misc]  # the others return nothing
        self.office.clock.advance(timedelta(minutes=self.chance.choice((1, 7, 60, 60 * 26))))

    def _value(self) -> tuple[str, str, str]:
        record, column = self.chance.choice(COMPANIES), self.chance.choice(list(COLUMNS))
        value = f"{column[0]}{len(self.written.setdefault((record, column), []))}"
        self.written[record, column].append(value)
        return record, column, value

    def _there(self) -> None:
        record, column, value = self._value()
        self.office.edit("companies", record, {COLUMNS[column]: value})

    async def _here(self) -> None:
        record, column, value = self._value()
        await self.office.save("account", self.rows[record], **{column: value})

    async def _hand_over(self) -> None:
        await self.office.hand_over()

    def _import(self) -> None:
        self.office.run_import(*([self.chance.choice(QUIRKS)] if self.chance.random() < 0.5 else []))

    async def _drop(self) -> None:
        self.drops += 1
        await self.office.drop(f"drop-{self.drops}")

    async def calm(self) -> None:
        """Everybody rests, and what is on its way arrives; who was given up is replayed."""
        for _ in range(8):
            await self.office.hand_over(LOST_AFTER)
            self.office.run_import()
            await self.office.hand_over(timedelta(minutes=5))
            await self._drop()
            for failure in (await self.office.store.operations.failures.page(20)).entries:
                await self.office.store.operations.repair.replay(failure["message_id"], "olga")
            await self.office.retry()


@pytest.mark.parametrize("seed", range(12))
async def test_both_sides_end_alike_and_no_value_is_lost_without_a_word(tmp_path: Path, seed: int) -> None:
    with office_at(tmp_path) as office:
        weather = Weather(seed, office)
        await weather.begin()
        for _ in range(STEPS):
            await weather.step()
        await weather.calm()

        assert await office.pending() == []
        kept = await office.conflicts()
        for record, row in weather.rows.items():
            here, there = await office.values("account", row), office.record("companies", record)
            for column, name in COLUMNS.items():
                assert (here.get(column) or "") == there[name], (record, column)
                values = weather.written.get((record, column), [])
                if values and there[name] != values[-1]:
                    # The last word was not the one that counts: then somebody was told of it.
                    told = {one["inbound"] for one in kept} | {one["outbound"] for one in kept}
                    assert values[-1] in told, (record, column, values, there[name])
