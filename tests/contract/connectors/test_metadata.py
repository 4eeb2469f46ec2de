"""The maps against what organisations say of themselves at run time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from local.dataverse.server import Settings, start
from mappers import SYSTEMS
from mappers.dataverse import TABLES
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.metadata import DataverseMetadata
from shared.connectors.dataverse.rows import API
from shared.connectors.web.client import WebClient
from shared.core.mapping.fit import Misfit, misfits

ROOT = Path(__file__).parents[3]
OURS = ROOT / "infra/dataverse/customisations.json"
NEEDED = {entry.table.name for system in SYSTEMS for entry in system.maps}


@asynccontextmanager
async def metadata(name: str | None, *, customised: bool = True) -> AsyncIterator[DataverseMetadata]:
    file = ROOT / "local/dataverse/organisations" / f"{name}.json" if name else None
    with start(Settings(customisations=OURS if customised else None, organisation=file)) as simulator:
        client = WebClient("Dataverse", f"{simulator.http_url}/{API}", FixedSecret("a-token"))
        try:
            yield DataverseMetadata(client)
        finally:
            await client.aclose()


async def found(name: str | None) -> dict[tuple[str, str], str]:
    async with metadata(name) as organisation:
        told = {table: await organisation.columns(TABLES[table]) for table in sorted(NEEDED)}
    return {(one.table, one.column): one.problem for one in misfits(SYSTEMS, told)}


EXPECTED: dict[str | None, dict[tuple[str, str], str]] = {
    None: {},
    "fabrikam": {("lead", "subject"): "it holds 50 characters, the maps write up to 300"},
    "northwind": {
        ("account", "name"): "it holds 100 characters, the maps write up to 160",
        ("lead", "subject"): "it holds 200 characters, the maps write up to 300",
        ("opportunity", "closeprobability"): "it ends at 90, the maps at 100",
    },
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_what_cannot_fit_an_organisation_is_told_by_column(name: str | None) -> None:
    assert await found(name) == EXPECTED[name]


async def test_an_organisation_without_our_columns_is_told_what_to_create() -> None:
    async with metadata(None, customised=False) as organisation:
        contact = await organisation.columns(TABLES["contact"])
        told = {"contact": contact, "tandem_pipeline": await organisation.columns(TABLES["tandem_pipeline"])}

    problems = {(one.table, one.column): one for one in misfits(SYSTEMS, told)}
    create = "create it from infra/dataverse/customisations.json"
    assert problems["tandem_pipeline", ""] == Misfit(
        "tandem_pipeline", "", f"there is no such table: {create}", ("allegory pipeline",)
    )
    linkedin = problems["contact", "tandem_linkedin"]
    assert (linkedin.problem, linkedin.fields) == (
        f"there is no such column: {create}",
        ("allegory contact.cf_linkedin",),
    )
