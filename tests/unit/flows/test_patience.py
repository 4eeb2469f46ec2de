"""How long a change waits for earlier ones (E-07)."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.connectors.sqlstore import tables
from shared.core.change import Message
from shared.core.patience import Patience, waits_of

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

WAIT = timedelta(seconds=30)


def patient(desk: "Desk", **waits: str) -> None:
    parsed = {name: waits_of(text) for name, text in waits.items()}
    desk.gate = replace(desk.gate, patience=Patience(**parsed))


async def tell(desk: "Desk", version: int, name: str | None = None, *, second: int | None = None) -> str:
    at = desk.clock.now().replace(hour=7, minute=0, second=version if second is None else second)
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-1",
        "operation": "upsert",
        "changedOn": at.isoformat(),
        "version": version,
        "data": {"name": name or f"Version {version}"},
    }
    number = next(desk.numbers)
    message = Message(f"v{version}", "inbound", "allegory:company:C-1", json.dumps(body).encode(), number)
    await desk.gate.receive(message)
    return message.id


def decided(desk: "Desk") -> list[tuple[str, str]]:
    """Message and outcome of each decision, in order."""
    statement = (
        tables.journal.join(tables.message, tables.message.c.number == tables.journal.c.number)
        .select()
        .with_only_columns(tables.message.c.message_id, tables.journal.c.reason)
        .order_by(tables.journal.c.id)
    )
    with desk.store.engine.connect() as connection:
        return [(row.message_id, row.reason) for row in connection.execute(statement)]


async def later(desk: "Desk", seconds: float) -> None:
    desk.clock.advance(timedelta(seconds=seconds))
    with desk.store.engine.connect() as connection:
        (record,) = connection.execute(tables.lane.select()).scalars()
    await desk.gate.worker.drain(record)


async def test_a_change_before_its_predecessor_waits_and_both_apply_in_order(desk: "Desk") -> None:
    patient(desk, gaps="allegory/company=30")
    await tell(desk, 1)

    await tell(desk, 3)
    assert [message for message, _ in decided(desk)] == ["v1"]
    await tell(desk, 2)

    assert [message for message, _ in decided(desk)] == ["v1", "v2", "v3"]
    assert "did not come" not in " ".join(reason for _, reason in decided(desk))


async def test_a_predecessor_that_never_comes_is_waited_for_and_recorded(desk: "Desk") -> None:
    patient(desk, gaps="allegory/company=30")
    await tell(desk, 1)
    await tell(desk, 3)

    await later(desk, 29)
    assert [message for message, _ in decided(desk)] == ["v1"]
    assert await desk.store.lanes.due(10) == []
    desk.clock.advance(timedelta(seconds=1))
    assert len(await desk.store.lanes.due(10)) == 1
    await later(desk, 0)

    message, reason = decided(desk)[-1]
    assert message == "v3"
    assert reason.endswith("; version 2 did not come in time")


async def test_a_wake_is_sent_for_the_end_of_a_wait(desk: "Desk") -> None:
    patient(desk, gaps="allegory/company=30")
    await tell(desk, 1)
    await tell(desk, 3)

    bus = desk.gate.worker.bus
    assert [sent.at for sent in bus.sent] == [desk.clock.now() + WAIT]  # type: ignore[attr-defined]  # memory bus


async def test_a_settle_window_lets_an_earlier_change_go_first(desk: "Desk") -> None:
    patient(desk, settle="allegory/company=2")
    await tell(desk, 9)
    await later(desk, 1)
    await tell(desk, 4)
    await later(desk, 1)
    assert decided(desk) == []
    await later(desk, 1)

    assert [message for message, _ in decided(desk)] == ["v4", "v9"]


async def test_without_a_setting_nothing_waits(desk: "Desk") -> None:
    await tell(desk, 5)

    assert [message for message, _ in decided(desk)] == ["v5"]


@pytest.mark.parametrize("text", ["allegory=2", "allegory/deal", "allegory/deal=soon", "allegory/deal=-1"])
def test_a_wait_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # float's own text, or ours
        waits_of(text)
