"""Records that wait for each other, and trees whose children come first: all of it completes by itself."""

import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from shared.connectors.sqlstore import tables
from shared.core.identity import RecordKey, chosen_row_id

if TYPE_CHECKING:
    from uuid import UUID

    from tests.unit.flows.conftest import Desk


def row_of(name: str) -> "UUID":
    return chosen_row_id(RecordKey("allegory", "company", name))


async def tell(desk: "Desk", name: str, parent: str) -> None:
    """Allegory tells of a company and the one it belongs to."""
    await desk.record_changed(name, {"name": name, "parent_company_id": parent})


async def settle(desk: "Desk") -> None:
    """Hand every wake over, and those that come of it."""
    bus = desk.gate.worker.bus
    while bus.sent:  # type: ignore[attr-defined]  # the memory bus
        await desk.gate.receive(bus.sent.pop(0).message)  # type: ignore[attr-defined]  # as above


def parents(desk: "Desk") -> dict["UUID", object]:
    return {
        row: getattr(held.get("parentaccountid"), "id", None) for row, held in desk.rows.of("account").items()
    }


def rows(desk: "Desk", table: Any) -> list[dict[str, Any]]:
    with desk.store.engine.connect() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("seed", [0, 1, 2])
async def test_a_ring_completes_whatever_the_order(desk: "Desk", size: int, seed: int) -> None:
    names = [f"R-{number}" for number in range(size)]
    order = random.Random(seed).sample(range(size), size)  # noqa: S311  # a repeatable order

    for number in order:
        await tell(desk, names[number], names[(number + 1) % size])
    await settle(desk)

    assert parents(desk) == {
        row_of(name): row_of(names[(number + 1) % size]) for number, name in enumerate(names)
    }
    assert {row["outcome"] for row in rows(desk, tables.message)} <= {"applied", "merged"}
    assert (await desk.store.operations.failures.page(10)).entries == []
    assert rows(desk, tables.dependency) == []
    flagged = [line["reason"] for line in rows(desk, tables.journal) if "the link follows" in line["reason"]]
    assert len(flagged) == 1


async def test_a_ring_with_a_tail_completes(desk: "Desk") -> None:
    for name, parent in (("T-1", "R-1"), ("T-2", "T-1"), ("R-1", "R-2"), ("T-3", "R-2"), ("R-2", "R-1")):
        await tell(desk, name, parent)
    await settle(desk)

    told = {"T-1": "R-1", "T-2": "T-1", "R-1": "R-2", "T-3": "R-2", "R-2": "R-1"}
    assert parents(desk) == {row_of(name): row_of(parent) for name, parent in told.items()}


async def test_rows_that_wait_for_each_other_get_their_records(desk: "Desk") -> None:
    first, second = row_of("X-1"), row_of("X-2")
    desk.rows.put("account", first, {"name": "First"})
    desk.rows.put("account", second, {"name": "Second"})

    await desk.row_changed(first, operation="Create", name="First", _parentaccountid_value=str(second))
    await desk.row_changed(second, operation="Create", name="Second", _parentaccountid_value=str(first))
    await settle(desk)

    records = desk.records.of("company")
    ids = {fields["name"]: record for record, fields in records.items()}
    assert {fields["name"]: fields["parent_company_id"] for fields in records.values()} == {
        "First": ids["Second"],
        "Second": ids["First"],
    }


async def test_what_only_waits_for_a_ring_member_that_is_missing_stays_parked(desk: "Desk") -> None:
    await tell(desk, "A", "B")
    await tell(desk, "B", "C")
    await settle(desk)

    assert desk.rows.of("account") == {}
    assert [row["state"] for row in rows(desk, tables.lane_item)] == ["parked", "parked"]


@pytest.mark.timeout(900)
async def test_a_tree_of_hundreds_in_the_worst_order_completes(desk: "Desk") -> None:
    """Children first: each is parked once, and woken once, by its own parent's write (N-11).

    `TANDEM_FULL_SIZE=1` makes it the 10,000 of the promise.
    """
    size = 10_000 if os.environ.get("TANDEM_FULL_SIZE") == "1" else 500
    parent = {number: (number - 1) // 3 for number in range(1, size)}
    parked = 0
    statements: list[str] = []
    event.listen(
        desk.store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
    )

    for number in reversed(range(size)):
        told = {"name": f"N-{number}"} | ({"parent_company_id": f"N-{parent[number]}"} if number else {})
        await desk.record_changed(f"N-{number}", told)
        parked += bool(number)
    await settle(desk)

    assert parents(desk) == {
        row_of(f"N-{number}"): row_of(f"N-{parent[number]}") if number else None for number in range(size)
    }
    journal = Counter(line["outcome"] for line in rows(desk, tables.journal))
    assert journal == {"applied": size, "parked": parked}
    assert (await desk.store.operations.failures.page(10)).entries == []
    looks = sum("FROM crosswalk LEFT OUTER JOIN dependency" in statement for statement in statements)
    assert looks == parked, "one look per park: in the worst order nobody's parent is known yet"
