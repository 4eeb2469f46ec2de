"""What is lost on its way is told after all, once, between real simulators and a real broker."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import journal
from shared.core.trace import operation


async def looked(house: Any) -> int:
    """One cycle of the detector that waits for nothing; how many gaps it healed."""
    detector = replace(house.app.gaps, grace=timedelta(0))
    healed: int = await detector.run()
    told = await house.app.gaps.told()
    assert [run["stopped_by"] for run in told["runs"]] == [None] * len(told["runs"])
    return healed


async def test_a_lost_flow_message_is_healed_and_its_late_original_changes_nothing(house: Any) -> None:
    row = await house.crossed("C-7", phone="+49 40 1")
    assert await looked(house) == 0

    await house.person_edits(row["accountid"], telephone1="+49 40 2")
    lost = await house.take("outbound")
    assert await looked(house) == 1
    healed = await house.deliver("outbound")
    await house.app.gate.receive(lost)

    record = (await house.allegory.get("/companies/C-7")).json()
    outcomes = house.outcomes()
    assert (record["phone"], outcomes[healed]) == ("+49 40 2", "applied")
    assert outcomes[lost.id] in {"echo", "stale"}
    assert await looked(house) == 0


async def test_what_the_runs_of_timers_bring_in_is_journalled_under_the_operation_of_each(house: Any) -> None:
    await house.company("C-7", phone="+49 40 1")
    with operation(None, uuid4) as feeding:
        assert await house.feed() == 1
    await house.deliver("inbound")
    await house.deliver("outbound")
    assert await looked(house) == 0
    row = await house.account("allegory:company:C-7")
    await house.person_edits(row["accountid"], telephone1="+49 40 2")
    await house.take("outbound")
    with operation(None, uuid4) as looking:
        assert await looked(house) == 1
    await house.deliver("outbound")

    lines = sa.select(journal.c.outcome, journal.c.correlation_id).order_by(journal.c.id)
    with house.state.connect() as connection:
        told = [tuple(line) for line in connection.execute(lines)]
    assert told[0] == ("applied", feeding.trace_id)
    assert told[-1] == ("applied", looking.trace_id)
    assert feeding.trace_id != looking.trace_id


async def test_a_change_that_the_feed_never_told_is_healed(house: Any) -> None:
    await house.crossed("C-7", phone="+49 40 1")
    assert await looked(house) == 0

    await house.allegory.patch("/companies/C-7", json={"phone": "+49 40 2"})
    assert await looked(house) == 1
    healed = await house.deliver("inbound")

    row = await house.account("allegory:company:C-7")
    assert (row["telephone1"], house.outcomes()[healed]) == ("+49 40 2", "applied")
    assert await looked(house) == 0
