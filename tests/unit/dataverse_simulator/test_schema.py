"""The table files, and the customisations laid over them."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.dataverse.schema.catalog import Catalog, customise, load_catalog
from local.dataverse.schema.column import Kind

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_every_lookup_leads_to_tables_by_distinct_names(catalog: Catalog) -> None:
    astray = {
        f"{table.name}.{column.name} -> {target}"
        for table in catalog.tables.values()
        for column in table.lookups()
        for target in column.targets
        if target not in catalog.tables
    }

    assert astray == set()


def test_every_status_belongs_to_a_state(catalog: Catalog) -> None:
    astray = {
        table.name
        for table in catalog.tables.values()
        if table.has_state
        and set(table.columns["statuscode"].state_of.values()) - set(table.columns["statecode"].options)
    }

    assert astray == set()


@pytest.mark.parametrize(
    ("table", "set_name", "id_column", "name"),
    [
        ("opportunity", "opportunities", "opportunityid", "name"),
        ("activityparty", "activityparties", "activitypartyid", "partyidname"),
        ("opportunitysalesprocess", "opportunitysalesprocesses", "businessprocessflowinstanceid", "name"),
        ("task", "tasks", "activityid", "subject"),
        ("transactioncurrency", "transactioncurrencies", "transactioncurrencyid", "currencyname"),
    ],
)
def test_a_table_has_the_names_the_service_gives_it(
    catalog: Catalog, table: str, set_name: str, id_column: str, name: str
) -> None:
    found = catalog.by_set(set_name)

    assert found is not None
    assert (found.name, found.id_column, found.name_column) == (table, id_column, name)


@pytest.mark.parametrize(
    ("table", "navigation", "column", "target"),
    [
        ("contact", "parentcustomerid_account", "parentcustomerid", "account"),
        ("task", "regardingobjectid_opportunity_task", "regardingobjectid", "opportunity"),
        ("annotation", "objectid_incident", "objectid", "incident"),
        ("campaignresponse", "regardingobjectid_campaign_campaignresponse", "regardingobjectid", "campaign"),
        ("activityparty", "partyid_contact", "partyid", "contact"),
        ("opportunity", "originatingleadid", "originatingleadid", "lead"),
    ],
)
def test_a_navigation_property_binds_its_column(
    catalog: Catalog, table: str, navigation: str, column: str, target: str
) -> None:
    bound = catalog.tables[table].bindings[navigation]

    assert bound.column.name == column
    assert target in bound.targets


def test_dates_without_a_time_are_told_from_instants(catalog: Catalog) -> None:
    deal = catalog.tables["opportunity"].columns

    assert (deal["estimatedclosedate"].kind, deal["createdon"].kind) == (Kind.DATE, Kind.DATETIME)


def test_the_customisations_of_this_repository_fit() -> None:
    path = ROOT / "infra" / "dataverse" / "customisations.json"
    asked = json.loads(path.read_text("utf-8"))["tables"]

    catalog = load_catalog(path)

    for table, additions in asked.items():
        for column in additions.get("columns", []):
            assert catalog.tables[table].columns[column["name"]].kind == column["type"]


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"gadget": {}}, "there is no table gadget"),
        ({"account": {"columns": [{"name": "other_x", "type": "string"}]}}, "lacks the prefix t_"),
        (
            {"account": {"columns": [{"name": "t_x", "type": "colour"}]}},
            "column t_x: type is missing or unknown",
        ),
        (
            {"account": {"columns": [{"name": "t_x", "type": "lookup"}]}},
            "column t_x: a lookup needs a target",
        ),
        ({"account": {"keys": [{"name": "k", "columns": ["t_x"]}]}}, "key k: there is no column account.t_x"),
        ({"account": {"keys": [{"name": "k", "columns": ["description"]}]}}, "cannot be part of a key"),
    ],
)
def test_customisations_that_do_not_fit_are_refused_by_name(tables: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        customise(load_catalog(), {"publisher_prefix": "t", "tables": tables})
