"""The system that `docs/howto/add-a-legacy-system.md` adds is built from that page, and works."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mappers.dataverse import TABLES
from shared.core.change import Message
from shared.core.system import LegacySystem
from tests.contract.mapping_laws import test_laws as laws
from tests.sample_system import blocks, built
from tests.unit.flows.conftest import desk_with
from tests.unit.mappers.test_golden_records import shown


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LegacySystem]:
    with built(tmp_path_factory.mktemp("acme")) as system:
        yield system


@pytest.fixture
def story() -> dict[str, Any]:
    """The invented record."""
    (told,) = (block for block in map(json.loads, blocks("json")) if "story" in block)
    return dict(told)


def test_its_map_keeps_the_laws(acme: LegacySystem) -> None:
    (entry,) = acme.maps
    by_line = (
        laws.test_a_value_that_went_there_and_back_stays_put,
        laws.test_what_goes_back_is_text,
        laws.test_a_transform_has_a_name_and_an_example_with_a_value,
        laws.test_a_blank_and_a_null_mean_the_same,
        laws.test_a_column_belongs_to_the_table_of_its_map,
        laws.test_the_limits_of_a_column_are_the_limits_of_its_transform,
        laws.test_a_lookup_points_at_a_table_that_exists_and_that_its_column_allows,
    )
    by_map = (
        laws.test_what_is_dropped_says_why,
        laws.test_a_row_can_tell_which_record_it_is,
        laws.test_every_example_can_be_written_once_it_is_resolved,
        laws.test_a_map_that_goes_out_has_a_place_to_go,
    )

    for line in entry.fields:
        for law in by_line:
            law(acme, entry, line)
    for whole in by_map:
        whole(acme, entry)


def test_its_story_is_told_right(acme: LegacySystem, story: dict[str, Any]) -> None:
    (entry,) = acme.maps

    mapped = entry.to_columns(story["record"])

    assert (mapped.faults, {name: shown(value) for name, value in mapped.values.items()}) == (
        (),
        story["columns"],
    )
    assert entry.to_fields(mapped.values).values == story["back"]


async def test_its_record_goes_through_the_gate(acme: LegacySystem, story: dict[str, Any]) -> None:
    with desk_with(acme) as desk:
        body: dict[str, Any] = {
            "schemaVersion": "1.0",
            "source": "acme",
            "entity": "firm",
            "sourceKey": story["record"]["firm_no"],
            "operation": "upsert",
            "changedOn": desk.clock.now().isoformat(),
            "data": story["record"],
        }
        content = json.dumps(body).encode()
        await desk.gate.receive(Message("m-1", "inbound", "acme:firm:F-1", content, position=1))

        found = await desk.store.operations.messages.find("m-1")
        (row,) = desk.rows.of(TABLES["account"].name).values()

    assert found is not None
    assert (found["outcome"], row["name"], row["address1_city"], row["tandem_sourcekey"]) == (
        "applied",
        "Nordwind",
        "Kiel",
        "acme:firm:F-1",
    )
