"""Whoever hands over may die at any moment: no write is lost, and none is done twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.core.mapping.columns import Option
from tests.integration.files.office import COLLECT, Office, office_at


class Killed(BaseException):
    """The process is gone: nothing catches it, nothing is tidied up."""


@dataclass
class Mortal:
    """A far side during whose calls the process may die: before the call that is due, or right after it."""

    inner: Any
    life: "Life"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return self.life.guarded(found) if callable(found) else found


@dataclass
class Life:
    """How many steps the process has left; each call is two of them."""

    left: int
    taken: int = field(default=0)

    def guarded(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def called(*arguments: Any, **named: Any) -> Any:
            self._step()
            answer = await call(*arguments, **named)
            self._step()
            return answer

        return called

    def _step(self) -> None:
        self.taken += 1
        if self.taken > self.left:
            raise Killed


def mortal(office: Office, life: Life) -> Office:
    """The same office, handed over by a process that may die."""
    old = office.handing
    handing = replace(
        old,
        place=Mortal(old.place, life),
        queue=Mortal(old.queue, life),
        bus=Mortal(old.bus, life),
        jobs=Mortal(old.jobs, life),
    )
    return replace(office, handing=handing)


async def begun(office: Office) -> tuple[UUID, UUID]:
    """An edit of a company and a new case, both pending."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    await office.drop("first")
    row, case = await office.row_of("legrand:company:CMP1"), uuid4()
    await office.tell("account", row)
    await office.save("account", row, address1_city="Glebe")
    await office.save("incident", case, title="Brakes", prioritycode=Option(1), statuscode=Option(1))
    return row, case


async def finished(office: Office) -> None:
    """The next process goes on, whatever it finds."""
    office.clock.advance(timedelta(minutes=5))
    for _ in range(3):
        await office.exchange()
        await office.retry()


@pytest.mark.parametrize("first", range(3))
async def test_a_process_that_dies_at_any_step_loses_no_write_and_doubles_none(
    tmp_path: Path, first: int
) -> None:
    steps = first
    while True:
        folder = tmp_path / str(steps)
        folder.mkdir()
        with office_at(folder) as office:
            row, case = await begun(office)
            life = Life(steps)
            died = False
            try:
                await mortal(office, life).hand_over(COLLECT)
                office.run_import()
                await mortal(office, life).hand_over(timedelta(minutes=5))
            except Killed:
                died = True
        with office_at(folder, office) as anew:
            await finished(anew)
            assert anew.record("companies", "CMP1")["City"] == "Glebe", steps
            assert [ticket["Subject"] for ticket in anew.records("tickets")] == ["Brakes"], steps
            assert await anew.pending() == [], steps
            number = anew.records("tickets")[0]["Ticket No"]
            assert await anew.row_of(f"legrand:ticket:{number}") == case, steps
            assert {row: (await anew.values("account", row))["address1_city"]} == {row: "Glebe"}
        if not died:
            break
        steps += 3

    assert steps > 20


@pytest.mark.parametrize("after", [0, 1])
async def test_half_a_workbook_is_never_seen_under_its_name(tmp_path: Path, after: int) -> None:
    with office_at(tmp_path) as office:
        await begun(office)
        life = Life(after)
        place = office.handing.place
        names: list[frozenset[str]] = []

        async def put(name: str, sheet: str, rows: Any) -> None:
            names.append(await place.names())
            await life.guarded(place.put)(name, sheet, rows)

        with pytest.raises(Killed):
            await replace(office, handing=replace(office.handing, place=Putting(place, put))).hand_over()

        seen = [name for name in await place.names() if not name.endswith(".part")]
        assert len(seen) == after
        assert [office.cells(name)[0] for name in seen] == ["Row"] * after


@dataclass
class Putting:
    """A place in which somebody else puts the workbooks."""

    inner: Any
    put: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
