"""What people do in either system reaches the other one by itself, once, and comes to rest."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.core.change import Direction, Json
from shared.core.ports import LegacyRecord, LegacyRecords
from shared.outbound.flow import Outbound


async def test_an_edit_in_allegory_arrives_in_dataverse(house: Any) -> None:
    await house.crossed("C-7", phone="+49 40 1")

    await house.allegory.patch("/companies/C-7", json={"phone": "+49 40 2"})
    assert await house.feed() == 1
    feed_message = await house.deliver("inbound")

    row = await house.account("allegory:company:C-7")
    assert (row["name"], row["telephone1"]) == ("Nordwind", "+49 40 2")
    assert (feed_message, house.outcomes()[feed_message]) == ("allegory-feed-2", "applied")


async def test_our_own_write_to_dataverse_is_an_echo_and_writes_nothing(house: Any) -> None:
    await house.company("C-7")
    await house.feed()
    await house.deliver("inbound")
    await house.forget_requests()

    told = await house.deliver("outbound")
    posted = await house.feed()

    assert (house.outcomes()[told], posted) == ("echo", 0)
    assert await house.requests() == ({"GET changes 200": 1}, {})


async def test_an_edit_in_dataverse_crosses_once_and_its_report_is_an_echo(house: Any) -> None:
    row = await house.crossed("C-7", phone="+49 40 1")

    await house.person_edits(row["accountid"], telephone1="+49 40 2")
    await house.deliver("outbound")
    assert await house.feed() == 1
    report = await house.deliver("inbound")

    assert (await house.allegory.get("/companies/C-7")).json()["phone"] == "+49 40 2"
    assert house.outcomes()[report] == "echo"
    assert await house.feed() == 0
    assert await house.requests() == (
        # Read once for its version, written once; then this test's own look.
        {"GET companies 200": 2, "PATCH companies 200": 1, "GET changes 200": 2},
        {"PATCH accounts": 1},
    )


async def test_a_record_made_in_dataverse_is_made_once_in_allegory(house: Any) -> None:
    row_id = await house.person_creates(name="Hafenlicht", address1_city="Rostock")
    await house.deliver("outbound")
    assert await house.feed() == 1
    report = await house.deliver("inbound")
    assert await house.feed() == 0

    assert house.outcomes()[report] == "echo"
    # The person's own write, and the owner looked up both ways.
    assert await house.requests() == (
        {"POST companies 201": 1, "GET changes 200": 2},
        {"POST accounts": 1, "GET systemusers": 2},
    )
    (made,) = (await house.allegory.get("/companies")).json()["records"]
    assert (made["name"], made["city"], made["cf_dataverse_id"]) == ("Hafenlicht", "Rostock", row_id)
    assert [row["accountid"] for row in await house.accounts("name eq 'Hafenlicht'")] == [row_id]
    assert await house.left() == {"inbound": 0, "outbound": 0}


async def test_a_record_made_in_dataverse_is_recognised_before_its_creation_is_recorded(house: Any) -> None:
    """The feed tells of the record while the worker that made it has not committed yet."""
    reports: list[str] = []

    async def meanwhile() -> None:
        assert await house.feed() == 1
        reports.append(await house.deliver("inbound"))

    watched = _watched(house, meanwhile)
    row_id = await house.person_creates(name="Hafenlicht")
    message = await house.take("outbound")
    await watched.receive(message)

    assert house.outcomes() == {message.id: "applied", reports[0]: "echo"}
    assert await house.requests() == (
        {"POST companies 201": 1, "GET changes 200": 1},
        {"POST accounts": 1, "GET systemusers": 2},
    )
    assert [row["accountid"] for row in await house.accounts("name eq 'Hafenlicht'")] == [row_id]


async def test_an_edit_in_allegory_finds_the_row_its_record_was_made_from(house: Any) -> None:
    row_id = await house.person_creates(name="Hafenlicht")
    await house.deliver("outbound")
    assert await house.feed() == 1
    await house.deliver("inbound")

    (made,) = (await house.allegory.get("/companies")).json()["records"]
    await house.allegory.patch(f"/companies/{made['company_id']}", json={"city": "Wismar"})
    assert await house.feed() == 1
    edit = await house.deliver("inbound")

    assert house.outcomes()[edit] == "applied"
    row = await house.account(f"allegory:company:{made['company_id']}")
    assert (row["accountid"], row["address1_city"]) == (row_id, "Wismar")


async def test_a_record_deleted_in_allegory_is_deleted_in_dataverse(house: Any) -> None:
    await house.crossed("C-7")

    await house.allegory.delete("/companies/C-7")
    assert await house.feed() == 1
    message = await house.take("inbound")
    await house.app.gate.receive(message)

    assert json.loads(message.body)["operation"] == "delete"
    assert house.outcomes()[message.id] == "applied"
    assert await house.accounts("tandem_sourcekey eq 'allegory:company:C-7'") == []


def _watched(house: Any, meanwhile: Any) -> Any:
    """The gate, with something that happens between a creation in Allegory and its record in the state."""
    noticing: Any = house.app.gate.worker.appliers[Direction.OUTBOUND]
    outbound = noticing.applier
    assert isinstance(outbound, Outbound)
    records = {"allegory": Slow(outbound.records["allegory"], meanwhile)}
    watched = replace(noticing, applier=replace(outbound, records=records))
    appliers = {**house.app.gate.worker.appliers, Direction.OUTBOUND: watched}
    return replace(house.app.gate, worker=replace(house.app.gate.worker, appliers=appliers))


class Slow:
    """Allegory's records; time passes after a creation."""

    def __init__(self, real: LegacyRecords, meanwhile: Any) -> None:
        self.read, self.update, self.delete = real.read, real.update, real.delete
        self.merge = real.merge
        self._real = real
        self._meanwhile = meanwhile

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        made = await self._real.create(entity, fields, idempotency_key)
        await self._meanwhile()
        return made
