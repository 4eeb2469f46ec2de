"""The processes that the schema plan makes of pipelines."""

import pytest

from mappers.dataverse import process

PIPELINES = [
    {"pipeline_id": "PL-1", "name": "Turbines", "business_unit": "North"},
    {"pipeline_id": "PL_1", "name": "Turbines", "business_unit": "South"},
]
STAGES = [
    {"stage_id": "S-2", "pipeline_id": "PL-1", "name": "Won", "display_order": "2"},
    {"stage_id": "S-1", "pipeline_id": "PL-1", "name": "Prospecting", "display_order": "1"},
    {"stage_id": "S-3", "pipeline_id": "PL_1", "name": "Prospecting", "display_order": "1"},
]


def test_each_pipeline_has_a_process_of_its_own_with_its_stages_in_order() -> None:
    planned = process.planned("allegory", PIPELINES, STAGES)

    assert [(one.unit, [stage.label for stage in one.stages]) for one in planned] == [
        ("North", ["Prospecting", "Won"]),
        ("South", ["Prospecting"]),
    ]


def test_one_label_in_two_pipelines_is_two_stages_and_two_alike_pipelines_are_two_tables() -> None:
    first, second = process.planned("allegory", PIPELINES, STAGES)

    assert first.stages[0].id != second.stages[0].id
    assert (first.id, first.table) != (second.id, second.table)
    assert len({first.table, second.table}) == 2
    assert process.instance_table("PL-1").name == first.table


def test_a_stage_of_no_pipeline_is_told() -> None:
    with pytest.raises(ValueError, match="S-3"):
        process.planned("allegory", PIPELINES[:1], STAGES)


def test_a_path_that_grows_too_long_loses_its_oldest_stages() -> None:
    stage = process.stage_id("allegory", "S-1")
    long = ",".join(str(process.stage_id("allegory", str(number))) for number in range(108))

    path = str(process.onto_path(stage)({"traversedpath": long})["traversedpath"])

    assert len(path) <= 4000
    assert path.endswith(str(stage))


def test_ids_that_are_spelled_alike_have_tables_of_their_own() -> None:
    ids = ["PL-1", "PL_1", "pl-1", "\u00e41", "\u0e41", "_e4_1"]

    assert len({process.table_name(name) for name in ids}) == len(ids)
