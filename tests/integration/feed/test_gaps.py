"""What is lost on its way is told after all, once, between real simulators and a real broker."""

from dataclasses import replace
from datetime import timedelta
from typing import Any


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


async def test_a_change_that_the_feed_never_told_is_healed(house: Any) -> None:
    await house.crossed("C-7", phone="+49 40 1")
    assert await looked(house) == 0

    await house.allegory.patch("/companies/C-7", json={"phone": "+49 40 2"})
    assert await looked(house) == 1
    healed = await house.deliver("inbound")

    row = await house.account("allegory:company:C-7")
    assert (row["telephone1"], house.outcomes()[healed]) == ("+49 40 2", "applied")
    assert await looked(house) == 0
