"""What one change costs, counted: SQL statements, transactions, and requests to the far sides.

More is a decision.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from shared.core.errors import Refused
from shared.core.outcome import Outcome
from shared.recovery.replay import Replay
from tests.unit.flows.conftest import US

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

CALLS = ("read", "create", "update", "delete")


@contextmanager
def counted(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts what is asked of the state and of both sides meanwhile, the desk's own look aside."""
    counts: Counter[str] = Counter()
    looking: list[str] = []
    find = type(desk.store.operations.messages).find

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if not looking:
            counts["transactions" if text.startswith("BEGIN") else "statements"] += 1

    async def look(messages: Any, message_id: str) -> Any:
        looking.append(message_id)
        try:
            return await find(messages, message_id)
        finally:
            looking.pop()

    def counting(side: str, name: str, call: Any) -> Any:
        async def asked(*arguments: Any) -> Any:
            counts[f"{side} {name}"] += 1
            return await call(*arguments)

        return asked

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.store.operations.messages), "find", look)
        for side, twin in (("dataverse", desk.rows), ("allegory", desk.records)):
            for name in CALLS:
                patch.setattr(twin, name, counting(side, name, getattr(twin, name)))
        event.listen(desk.store.engine, "before_cursor_execute", statement)
        try:
            yield counts
        finally:
            event.remove(desk.store.engine, "before_cursor_execute", statement)


async def test_a_change_of_a_record_is_one_write_and_so_many_statements(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1", city="Jena")
    await desk.tell_row(row, US)
    with counted(desk, monkeypatch) as change:
        assert await desk.edit_record(phone="2") is Outcome.APPLIED
    with counted(desk, monkeypatch) as echo:
        assert await desk.tell_row(row, US) is Outcome.ECHO

    assert change == {"transactions": 3, "statements": 14, "dataverse update": 1}
    # The read is the flow's own, which tells of the row as it is.
    assert echo == {"transactions": 3, "statements": 12, "dataverse read": 1}


async def test_a_change_of_a_row_is_one_write_and_so_many_statements(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1", city="Jena")
    await desk.tell_row(row, US)
    with counted(desk, monkeypatch) as change:
        assert await desk.edit_row(row, telephone1="2") is Outcome.APPLIED
    with counted(desk, monkeypatch) as echo:
        held = desk.records.of("company")["C-1"]
        assert await desk.record_changed("C-1", held, actor=US) is Outcome.ECHO
    with counted(desk, monkeypatch) as second:
        assert await desk.edit_row(row, telephone1="3") is Outcome.APPLIED

    # A record that was never written is read once, to know its version; the flow's own read is counted, too.
    first = {"dataverse read": 1, "allegory read": 1, "allegory update": 1}
    assert change == {"transactions": 4, "statements": 13, **first}
    assert echo == {"transactions": 2, "statements": 13}
    assert second == {"transactions": 5, "statements": 15, "dataverse read": 1, "allegory update": 1}


async def test_a_message_that_is_replayed_costs_what_it_cost_and_a_few_statements(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1", city="Jena")
    await desk.tell_row(row, US)

    async def refuse(*_: object) -> None:
        raise Refused("not today", answer="no")

    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "update", refuse)
        assert await desk.edit_record(phone="2") is Outcome.FAILED
    replay = Replay(desk.store.operations.repair, desk.gate, desk.bus, desk.clock)
    (failed,) = (await desk.store.operations.failures.page(10)).entries

    with counted(desk, monkeypatch) as again:
        await replay.message(failed["message_id"], "ann")
        await desk.delivered()

    assert desk.rows.of("account")[row]["telephone1"] == "2"
    assert again == {"transactions": 4, "statements": 16, "dataverse update": 1}
