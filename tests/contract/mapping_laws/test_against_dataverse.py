"""The tables of the maps against what the local Dataverse holds once it is customised."""

from pathlib import Path
from typing import Any

import pytest

from local.dataverse.flows.definition import load_flows
from local.dataverse.schema.catalog import load_catalog
from mappers import SYSTEMS
from mappers.dataverse import TABLES
from mappers.dataverse.filters import outbound_filters
from shared.core.mapping.columns import Column, Kind, Table

INFRA = Path(__file__).parents[3] / "infra"
CATALOG = load_catalog(INFRA / "dataverse" / "customisations.json")
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns.values()]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_goes_by_its_own_names(table: Table) -> None:
    held = CATALOG.tables[table.name]

    assert (held.set_name, held.id_column) == (table.entity_set, table.primary_key)
    assert {name: key.columns for name, key in held.keys.items()} == dict(table.keys)


@pytest.mark.parametrize(
    ("table", "column"), COLUMNS, ids=[f"{table.name}-{column.name}" for table, column in COLUMNS]
)
def test_a_column_has_the_type_and_the_limits_we_believe(table: Table, column: Column[Any]) -> None:
    if column.kind is Kind.PARTIES:
        # No column but the collection of parties, which is written by its name with the activity.
        assert CATALOG.tables[table.name].is_activity
        assert column.name == f"{table.name}_activity_parties"
        return
    held = CATALOG.tables[table.name].columns[column.name]
    if column.kind is Kind.FILE:
        # Base64 text of any length; what limits it is the organisation's maxuploadfilesize.
        assert held.kind.value == Kind.MEMO.value
        return

    assert (held.kind.value, held.max_length, dict(held.options)) == (
        column.kind.value,
        column.max_length,
        dict(column.options),
    )
    # A lookup may point at more than any map has a use for.
    assert dict(column.targets).items() <= dict(held.targets).items()
    assert bool(column.targets) == bool(held.targets)
    if column.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY}:
        # One that tells no maximum takes what 32 bits hold.
        highest: float = 2_147_483_647 if held.maximum is None else held.maximum
        limits: tuple[object, object] = (held.minimum, highest)
        assert limits == (column.minimum, column.maximum)
    if column.kind in {Kind.DECIMAL, Kind.MONEY}:
        assert held.precision == column.precision


def test_the_flows_subscribe_to_what_the_filters_say() -> None:
    subscribed = {
        (flow.subscription.table, frozenset(flow.subscription.columns), flow.subscription.filter)
        for flow in load_flows(INFRA / "flows")
    }

    assert subscribed == {
        (filter_.table.name, frozenset(filter_.attributes), None) for filter_ in outbound_filters(SYSTEMS)
    }
