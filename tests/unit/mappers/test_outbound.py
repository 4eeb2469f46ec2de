"""What leaves Dataverse: filters derived from the maps, and the flows that apply them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappers import SYSTEMS, systems
from mappers.allegory import ALLEGORY
from mappers.allegory.deals import DEAL
from mappers.dataverse import TABLES, opportunity
from mappers.dataverse.customisations import customisations
from mappers.dataverse.filters import outbound_filters
from mappers.dataverse.flows import flow
from mappers.dataverse.generate import files, write
from mappers.legrand import LEGRAND
from mappers.legrand.opportunities import OPPORTUNITY as LEGRAND_OPPORTUNITY
from shared.core.mapping.spec import Flow

ROOT = Path(__file__).parents[3]
OPPORTUNITY = next(filter_ for filter_ in outbound_filters(SYSTEMS) if filter_.table is opportunity.TABLE)


def parts(definition: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    inner = definition["properties"]["definition"]
    (trigger,) = inner["triggers"].values()
    return (
        trigger["inputs"]["parameters"],
        inner["actions"]["Compose_payload"],
        inner["actions"]["Send_message"],
    )


def test_a_table_leaves_if_and_only_if_a_map_sends_a_field_of_it_out() -> None:
    assert [filter_.table.name for filter_ in outbound_filters((LEGRAND, ALLEGORY))] == [
        "account",
        "contact",
        "lead",
        "opportunity",
        "incident",
    ]
    assert [filter_.table.name for filter_ in outbound_filters((ALLEGORY,))] == [
        "account",
        "contact",
        "lead",
        "opportunity",
    ]


@pytest.mark.parametrize("profile", ["native", "seed"])
def test_a_map_of_which_nothing_goes_back_says_why_and_no_other_does(profile: str) -> None:
    maps = [(system.name, entry) for system in systems(profile) for entry in system.maps]

    assert [(name, entry.entity) for name, entry in maps if entry.outbound is bool(entry.one_way)] == []


def test_each_column_that_comes_in_alone_says_why_where_others_go_back() -> None:
    lines = [
        (entry.entity, line)
        for system in SYSTEMS
        for entry in system.maps
        if entry.outbound
        for line in entry.fields
    ]

    assert [
        (entity, line.column.name)
        for entity, line in lines
        if line.flow is Flow.INBOUND and not line.description
    ] == []


def test_a_change_matters_if_it_touches_a_column_that_crosses() -> None:
    lines = (*DEAL.fields, *LEGRAND_OPPORTUNITY.fields)
    crossing = {line.column.name for line in lines if line.flow is not Flow.INBOUND}

    assert set(OPPORTUNITY.attributes) == crossing
    assert not {"tandem_sourcekey", "tandem_legacymodifiedon", "overriddencreatedon"} & crossing


def test_the_flow_fires_on_adds_changes_and_deletes_of_the_columns_that_cross() -> None:
    trigger, _, _ = parts(flow(OPPORTUNITY))

    assert trigger == {
        "subscriptionRequest/message": 7,
        "subscriptionRequest/entityname": "opportunity",
        "subscriptionRequest/scope": 4,
        "subscriptionRequest/filteringattributes": ",".join(OPPORTUNITY.attributes),
        "subscriptionRequest/runas": 3,
    }


def test_a_filter_with_an_expression_puts_it_into_the_trigger() -> None:
    trigger, _, _ = parts(flow(replace(OPPORTUNITY, expression="statecode eq 0")))

    assert trigger["subscriptionRequest/filterexpression"] == "statecode eq 0"


def test_the_flow_composes_the_envelope_the_service_reads() -> None:
    _, compose, _ = parts(flow(OPPORTUNITY))

    assert compose["inputs"] == {
        "schemaVersion": "1.0",
        "source": "dataverse",
        "table": "opportunity",
        "recordId": "@triggerOutputs()?['body/opportunityid']",
        "operation": "@triggerOutputs()?['body/SdkMessage']",
        "changedOn": "@coalesce(triggerOutputs()?['body/modifiedon'], utcNow())",
        "rowVersion": "@triggerOutputs()?['body/RowVersion']",
        "initiatedBy": (
            "@coalesce(triggerOutputs()?['body/_modifiedby_value'], "
            "triggerOutputs()?['body/RunAsSystemUserId'])"
        ),
        "data": compose["inputs"]["data"],
    }


def test_the_payload_names_each_column_that_crosses_so_that_a_cleared_one_arrives_as_null() -> None:
    """A trigger's body leaves nulls out; an expression on an absent property gives null."""
    _, compose, _ = parts(flow(OPPORTUNITY))

    data = compose["inputs"]["data"]
    assert data["name"] == "@triggerOutputs()?['body/name']"
    assert data["_parentaccountid_type"] == "@triggerOutputs()?['body/_parentaccountid_type']"
    columns = {name.removeprefix("_").removesuffix("_value").removesuffix("_type") for name in data}
    assert columns == {"opportunityid", *OPPORTUNITY.attributes}


def test_the_flow_sends_in_the_session_of_the_row() -> None:
    _, _, send = parts(flow(OPPORTUNITY))

    assert send["inputs"]["parameters"] == {
        "entityName": "outbound",
        "message/ContentData": "@{base64(string(outputs('Compose_payload')))}",
        "message/ContentType": "application/json",
        "message/MessageId": "@guid()",
        "message/CorrelationId": "@guid()",
        "message/SessionId": "@triggerOutputs()?['body/opportunityid']",
        "message/Label": "opportunity",
        "message/Properties": {
            "source": "dataverse",
            "table": "opportunity",
            "operation": "@triggerOutputs()?['body/SdkMessage']",
        },
    }


def test_customisations_hold_exactly_the_columns_that_are_our_own() -> None:
    content = customisations(TABLES.values())

    assert content["publisher_prefix"] == "tandem"
    assert {"account", "contact", "lead", "opportunity", "incident"} <= set(content["tables"])
    own = {table["table"]: (table["name"], table["label"]) for table in content["new_tables"]}
    assert own == {
        "tandem_pipeline": ("tandem_name", "Pipeline"),
        "tandem_pipelinestage": ("tandem_name", "Pipeline Stage"),
        "tandem_tag": ("tandem_name", "Tag"),
        "tandem_customfield": ("tandem_name", "Custom Field"),
    }
    tier = next(
        column for column in content["tables"]["account"]["columns"] if column["name"] == "tandem_tier"
    )
    assert tier == {
        "name": "tandem_tier",
        "type": "choice",
        "label": "Tier",
        "options": [
            {"value": 100_000_000, "label": "Gold"},
            {"value": 100_000_001, "label": "Silver"},
            {"value": 100_000_002, "label": "Bronze"},
        ],
    }
    for table in content["tables"].values():
        assert table["keys"] == [{"name": "tandem_sourcekey_key", "columns": ["tandem_sourcekey"]}]
        assert all(column["name"].startswith("tandem_") for column in table["columns"])


@pytest.mark.parametrize("name", sorted(files()))
def test_a_committed_file_is_what_the_maps_render(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == files()[name], "run python -m mappers.dataverse.generate"


def test_no_flow_is_left_over_from_a_table_that_no_longer_leaves() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "infra/flows").iterdir()} == {
        name for name in files() if name.startswith("infra/flows/")
    }


def test_generating_writes_every_file_where_it_belongs(tmp_path: Path) -> None:
    write(tmp_path)

    written = {
        path.relative_to(tmp_path).as_posix(): path.read_text("utf-8")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == dict(files())
