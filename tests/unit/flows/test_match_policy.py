"""What the policy decides by itself, however much waits before it in the list."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.connectors.sqlstore.cases import customer_case
from shared.core.change import Json
from shared.core.identity import RecordKey
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))
ALIKE: dict[str, Json] = {"name": "Nordwind GmbH", "domain": "nordwind.example"}
DOUBLES = 250


async def test_doubles_within_one_system_do_not_keep_the_policy_from_what_comes_behind_them() -> None:
    with desk_with(ALLEGORY, BOREALIS) as desk:
        desk.customers = replace(desk.customers, policy="certain")
        double = {
            "kind": "match",
            "table_name": "account",
            "rules": "[]",
            "confidence": 100,
            "is_certain": True,
            "state": "open",
            "found_at": desk.clock.now(),
        }
        with desk.store.engine.begin() as connection:
            connection.execute(
                sa.insert(customer_case),
                [
                    {**double, "first_row": UUID(int=2 * number), "second_row": UUID(int=2 * number + 1)}
                    for number in range(DOUBLES)
                ],
            )
        for system, record in (("allegory", "A-1"), ("borealis", "B-1")):
            told = desk.others[system].put("company", record, ALIKE)
            await desk.record_changed(record, told.fields, system=system)
        heir, loser = [
            await desk.store.crosswalk.row_of(RecordKey(*key))
            for key in (("allegory", "company", "A-1"), ("borealis", "company", "B-1"))
        ]

        await desk.customers.run()
        desk.clock.advance(timedelta(minutes=1))
        await desk.customers.run()
        await desk.delivered()

        waiting = await desk.customers.waiting()
        assert (len(waiting["matches"]), waiting["more"]) == (200, DOUBLES - 200)
        assert heir != loser
        assert await desk.store.crosswalk.row_of(RecordKey("borealis", "company", "B-1")) == heir
