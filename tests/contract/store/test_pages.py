"""Long lists come in pages: the number of a page's last entry brings the next; what is left is counted."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.cases import customer_case
from shared.connectors.sqlstore.disputes import OVER, dispute
from shared.connectors.sqlstore.drops import drop_finding
from shared.core.codes import Code
from shared.core.drop import Seen
from shared.core.errors import Fault
from shared.core.identity import RecordKey
from shared.core.page import Page

if TYPE_CHECKING:
    from tests.contract.store.conftest import World


def add(world: "World", table: sa.Table, entries: Iterable[dict[str, Any]]) -> None:
    with world.store.engine.begin() as connection:
        connection.execute(sa.insert(table), list(entries))


async def turned(
    page: Callable[[int | None], Awaitable[Page]], key: str, number: str | None = None
) -> list[tuple[list[Any], int]]:
    """The keys on each page, and how many are said to come behind it, until none is."""
    found: list[tuple[list[Any], int]] = []
    more, last = 1, None
    while more:
        told = await page(last)
        found.append(([entry[key] for entry in told.entries], told.more))
        last, more = told.entries[-1][number or key], told.more
    return found


async def test_conflicts_are_told_page_by_page_the_oldest_first(world: "World") -> None:
    at = world.clock.now()
    add(
        world,
        dispute,
        (
            {
                "record": UUID(int=number),
                "column_name": "telephone1",
                # What is over is on no page, and is not counted either.
                "state": OVER if number % 3 == 0 else "open",
                "opened_at": at,
                "changed_at": at,
                "base": "null",
                "inbound": "null",
                "outbound": "null",
                "tries": 0,
            }
            for number in range(1, 9)
        ),
    )

    async def page(last: int | None) -> Page:
        return await world.store.conflicts.waiting(2, after=last or 0)

    assert await turned(page, "id") == [([1, 2], 4), ([4, 5], 2), ([7, 8], 0)]


async def test_failures_are_told_page_by_page_the_newest_message_first(world: "World") -> None:
    failures = world.store.operations.failures
    fault = Fault("/data/tier", Code.VALUE_NO_OPTION, "Gold")
    for number in range(1, 9):
        key = RecordKey("allegory", "company", f"C-{number}")
        if number % 3 == 0:
            await world.store.inbox.reject(world.message(f"m-{number}"), None, (fault,))
        else:
            await world.admit(f"m-{number}", key=key)
            await world.decide(world.failed(), key)
    # An old message that fails once more keeps its place, and so the place of whoever reads behind it.
    world.clock.advance(minutes=5)
    await world.store.operations.repair.replay("m-2", "ann")
    await world.decide(world.failed(), RecordKey("allegory", "company", "C-2"))
    # Whatever went through, or a person has seen to, is on no page and is not counted.
    await world.store.operations.repair.replay("m-4", "ann")
    await world.decide(world.verdict(), RecordKey("allegory", "company", "C-4"))
    await world.store.operations.repair.skip("m-3", "seen to", "ann")

    async def page(last: int | None) -> Page:
        return await failures.page(2, after=last or 0)

    assert await turned(page, "message_id", "number") == [
        (["m-8", "m-7"], 4),
        (["m-6", "m-5"], 2),
        (["m-2", "m-1"], 0),
    ]
    told = (await failures.page(9)).entries
    assert [entry["state"] for entry in told] == ["held", "held", None, "held", "held", "held"]
    assert await failures.page(2, after=1) == Page([], 0)


async def test_matches_are_told_page_by_page_the_surest_first(world: "World") -> None:
    at = world.clock.now()
    sure = (70, 97, 80, 97, 80, 60, 97)
    add(
        world,
        customer_case,
        (
            {
                "kind": "match",
                "table_name": "account",
                "first_row": UUID(int=2 * number),
                "second_row": UUID(int=2 * number + 1),
                "rules": "[]",
                "confidence": confidence,
                "is_certain": confidence > 90,
                "state": "refused" if number == 4 else "open",
                "found_at": at,
            }
            for number, confidence in enumerate(sure, 1)
        ),
    )

    async def page(last: int | None) -> Page:
        return await world.store.cases.waiting(2, after=last)

    assert await turned(page, "case") == [([2, 7], 4), ([3, 5], 2), ([1, 6], 0)]
    # Somebody decided the case behind which the list goes on.
    assert [entry["case"] for entry in (await world.store.cases.waiting(2, after=4)).entries] == [7, 3]
    assert (await world.store.cases.waiting(2, after=99)) == Page([], 0)


async def test_what_is_kept_out_of_a_drop_is_told_page_by_page_and_counted_whole(world: "World") -> None:
    drop = await world.store.snapshots.note("legrand", Seen("monday", "as it lies there"))
    add(
        world,
        drop_finding,
        (
            {
                "number": drop.number,
                "system": "legrand",
                "entity": "company",
                "file": "Companies.xlsx",
                "record": f"C-{number}",
                "field": "Company Type",
                "code": "choice.no_target" if number % 2 else "text.too_long",
                "severity": "hold",
                "detail": "",
            }
            for number in range(1, 204)
        ),
    )

    first = await world.store.snapshots.report()
    second = await world.store.snapshots.report(first["kept_out"][-1]["number"])

    assert (first["findings"], first["more"]) == ({"choice.no_target": 102, "text.too_long": 101}, 3)
    assert (second["findings"], second["more"]) == (first["findings"], 0)
    told = [entry["record"] for entry in (*first["kept_out"], *second["kept_out"])]
    assert told == [f"C-{number}" for number in range(1, 204)]
