"""What follows from a record is written beside its row, in memory and in the simulated organisation alike."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import httpx

from local.dataverse.server import Settings, start
from mappers.allegory import ALLEGORY
from mappers.allegory.contacts import CONTACT
from mappers.allegory.deals import DEAL
from mappers.allegory.tags import TAG
from mappers.dataverse import TABLES, account, connection, process
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.web.client import WebClient
from shared.core.crosswalk import Crosswalk
from shared.core.identity import RecordKey
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import companion_id
from shared.core.mapping.spec import EntityMap
from shared.core.ports import Directory, Row, Rows
from shared.inbound.satellites import Followers

if TYPE_CHECKING:
    from tests.contract.connectors.conftest import Organisation


@dataclass
class Pairs:
    """The one question that satellites ask of a crosswalk."""

    rows: dict[RecordKey, UUID] = field(default_factory=dict)

    async def row_of(self, key: RecordKey) -> UUID | None:
        return self.rows.get(key)


async def free() -> None:
    """The lane is ours."""


def followers(entry: EntityMap, rows: Rows, pairs: Pairs) -> Followers:
    crosswalk = cast("Crosswalk", pairs)
    return Followers(entry, rows, Lookups(ALLEGORY, TABLES, crosswalk, cast("Directory", None)))


async def companies(rows: Rows, *names: str) -> Pairs:
    pairs = Pairs()
    for name in names:
        row = pairs.rows[RecordKey("allegory", "company", name)] = uuid4()
        await rows.create(account.TABLE, row, {"name": name})
    return pairs


async def connected(rows: Rows, contact: UUID, company: str) -> Row | None:
    return await rows.read(connection.TABLE, companion_id("connection", contact, company))


async def test_further_companies_are_connections_that_come_and_go(organisation: "Organisation") -> None:
    rows, contact = organisation.rows, uuid4()
    pairs = await companies(rows, "A", "B", "C")
    await rows.create(TABLES["contact"], contact, {"lastname": "X"})
    ends = {name: RowRef("account", pairs.rows[RecordKey("allegory", "company", name)]) for name in "ABC"}
    three: dict[str, Value] = {"tandem_companyids": "A|B|C", "parentcustomerid": ends["A"]}
    after = followers(CONTACT, rows, pairs)

    await after.follow(contact, {}, three, free)
    await after.follow(contact, {}, three, free)
    first = {name: await connected(rows, contact, name) for name in "ABC"}
    await after.follow(contact, three, {**three, "tandem_companyids": "A|C"}, free)
    second = {name: await connected(rows, contact, name) for name in "ABC"}

    assert first["A"] is None
    assert [first[name].values["record2id"] for name in "BC"] == [ends["B"], ends["C"]]  # type: ignore[union-attr]  # told by the next line if absent
    assert [name for name, row in second.items() if row is not None] == ["C"]


async def test_a_tag_joins_and_leaves_between_those_of_others(organisation: "Organisation") -> None:
    rows = organisation.rows
    pairs = await companies(rows, "A")
    (company,) = pairs.rows.values()
    await organisation.person_sets(account.TABLE, company, "tandem_tags", "by hand")
    tagged: dict[str, Value] = {
        "tandem_recordtype": "company",
        "tandem_recordid": "A",
        "tandem_name": "vip 🚲",
    }
    after = followers(TAG, rows, pairs)

    held = []
    for before, now in (({}, tagged), ({}, tagged), (tagged, {})):
        await after.follow(uuid4(), before, now, free)
        row = await rows.read(account.TABLE, company)
        assert row is not None
        held.append(row.values["tandem_tags"])

    assert held == ["by hand;vip 🚲", "by hand;vip 🚲", "by hand"]


def installed(pipeline: str) -> dict[str, Any]:
    """What the schema plan makes of a pipeline: its process's table."""
    return {
        "publisher_prefix": "tandem",
        "new_tables": [
            {
                "table": process.table_name(pipeline),
                "label": "Pipeline",
                "id": "businessprocessflowinstanceid",
                "name": "name",
                "columns": [
                    {"name": "name", "type": "string", "label": "Name", "max_length": 200},
                    *(
                        {"name": name, "type": "lookup", "label": name, "targets": {table: name}}
                        for name, table in (
                            ("bpf_opportunityid", "opportunity"),
                            ("processid", "workflow"),
                            ("activestageid", "processstage"),
                        )
                    ),
                    {"name": "activestagestartedon", "type": "datetime", "label": "Since"},
                    {"name": "traversedpath", "type": "string", "label": "Path", "max_length": 4000},
                ],
            }
        ],
    }


@asynccontextmanager
async def with_process(folder: Path, pipeline: str) -> AsyncIterator[DataverseRows]:
    """An organisation into which the process of a pipeline was installed, with three stages."""
    file = folder / "organisation.json"
    file.write_text(json.dumps(installed(pipeline)), "utf-8")
    ours = Path(__file__).parents[3] / "infra/dataverse/customisations.json"
    with start(Settings(customisations=ours, organisation=file)) as simulator:
        url = f"{simulator.http_url}/{API}"
        client = WebClient("Dataverse", url, FixedSecret("a-token"))
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer a-person"}) as person:
            flow = process.process_id("allegory", pipeline)
            await made(person, "workflows", {"workflowid": str(flow), "name": "P", "category": 4})
            for number in (1, 2, 3):
                stage = str(process.stage_id("allegory", f"{pipeline}-S{number}"))
                bound = {"processid@odata.bind": f"/workflows({flow})"}
                await made(person, "processstages", {"processstageid": stage, "stagename": "S", **bound})
        try:
            yield DataverseRows(client)
        finally:
            await client.aclose()


async def made(person: httpx.AsyncClient, entity_set: str, body: Mapping[str, Any]) -> None:
    answer = await person.post(entity_set, json=body)
    assert answer.status_code == 204, answer.text


async def test_a_deal_moves_through_an_installed_process(tmp_path: Path) -> None:
    entered = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    async with with_process(tmp_path, "PL-1") as rows:
        deal = uuid4()
        await rows.create(TABLES["opportunity"], deal, {"name": "Rotor blades"})
        after = followers(DEAL, rows, Pairs())
        first: dict[str, Value] = {
            "tandem_pipelineid": "PL-1",
            "tandem_stageid": "PL-1-S1",
            "tandem_stageenteredon": entered,
        }
        second = {**first, "tandem_stageid": "PL-1-S2"}
        table = process.instance_table("PL-1")
        place = companion_id(table.name, deal)

        await after.follow(deal, {}, first, free)
        await after.follow(deal, first, second, free)
        moved = await rows.read(table, place)
        await after.undo(deal, second, free)
        gone = await rows.read(table, place)

    stages = [process.stage_id("allegory", f"PL-1-S{number}") for number in (1, 2)]
    assert moved is not None
    assert (moved.values["activestageid"], moved.values["activestagestartedon"]) == (
        RowRef("processstage", stages[1]),
        entered,
    )
    assert moved.values["traversedpath"] == ",".join(str(stage) for stage in stages)
    assert moved.values["bpf_opportunityid"] == RowRef("opportunity", deal)
    assert gone is None
