"""Two instances of the wired app on one state: a pause is the identity's at either far side."""

from typing import Any

from shared.wiring import App


async def test_a_429_from_dataverse_to_one_instance_pauses_the_other(house: Any, neighbour: App) -> None:
    for number in range(2):
        await house.company(f"C-{number}")
    assert await house.feed() == 2
    fault = {"code": "0x80072322", "retry_after": 60, "times": 1}
    (await house.dataverse.post("/admin/faults", json=fault)).raise_for_status()
    await house.deliver("inbound")
    await house.forget_requests()

    await neighbour.gate.receive(await house.take("inbound"))

    assert await house.requests() == ({}, {})
    told = (await neighbour.operations.now())["pauses"]
    assert [(pause["identity"], 50 < pause["for_seconds"] <= 61) for pause in told] == [("Dataverse", True)]
    assert house.outcomes() == {"allegory-feed-1": "failed", "allegory-feed-2": "failed"}


async def test_a_429_from_a_legacy_system_to_one_instance_pauses_the_other(
    house: Any, neighbour: App
) -> None:
    row = await house.crossed("C-7")
    fault = {"kind": "status", "status": 429, "retry_after": 60, "path": "/changes"}
    (await house.allegory.post("/admin/faults", json=fault)).raise_for_status()
    assert await house.feed() == 0
    await house.person_edits(row["accountid"], telephone1="+49 3641 1")
    change = await house.take("outbound")
    await house.forget_requests()

    await neighbour.gate.receive(change)

    to_allegory, _ = await house.requests()
    assert to_allegory == {}
    assert [pause["identity"] for pause in (await neighbour.operations.now())["pauses"]] == ["Allegory"]
