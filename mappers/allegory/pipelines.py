"""Allegory pipeline and its stages -> rows of our own, and a business process flow for the deals in them."""

from collections.abc import Mapping
from uuid import UUID

from mappers.allegory import words
from mappers.dataverse import opportunity, pipeline, pipeline_stage, process, synced
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Companion, Following, companion_id
from shared.core.mapping.spec import EntityMap, Field, Flow
from shared.core.mapping.transforms import choice, decimal, integer, text

_PROCESS = "A process is set up by an administrator, on each side."

PIPELINE = EntityMap(
    entity="pipeline",
    table=pipeline.TABLE,
    key="pipeline_id",
    source_key=synced.tandem_sourcekey,
    one_way=_PROCESS,
    fields=(
        Field("name", pipeline.tandem_name, text(100, required=True), flow=Flow.INBOUND, alias="Pipeline"),
        Field(
            "business_unit",
            pipeline.tandem_businessunit,
            text(160),
            flow=Flow.INBOUND,
            description="Whose process it is: the schema plan gives the process to this unit alone.",
        ),
        Field("currency", pipeline.tandem_currencycode, text(5), flow=Flow.INBOUND),
    ),
)

STAGE = EntityMap(
    entity="pipeline_stage",
    table=pipeline_stage.TABLE,
    key="stage_id",
    source_key=synced.tandem_sourcekey,
    one_way=_PROCESS,
    fields=(
        Field(
            "pipeline_id",
            pipeline_stage.tandem_pipeline,
            words.pipeline(),
            flow=Flow.INBOUND,
            description="A stage is told by its id, so one label in two pipelines is two stages.",
        ),
        Field("name", pipeline_stage.tandem_name, text(100, required=True), flow=Flow.INBOUND),
        Field("display_order", pipeline_stage.tandem_displayorder, integer(0, 10_000), flow=Flow.INBOUND),
        Field("probability", pipeline_stage.tandem_probability, decimal(0, 100, 2), flow=Flow.INBOUND),
        Field(
            "forecast_category",
            pipeline_stage.tandem_forecastcategory,
            choice(words.FORECAST_CATEGORY, words.FORECAST_ALIASES),
            flow=Flow.INBOUND,
        ),
        Field("outcome", pipeline_stage.tandem_outcome, choice(words.STAGE_OUTCOME), flow=Flow.INBOUND),
    ),
)


def instance(row_id: UUID, values: Mapping[str, Value]) -> Following:
    """A deal's place in its pipeline's process, where the organisation has the process."""
    pipeline_key, stage_key = (
        values.get(column.name) for column in (opportunity.tandem_pipelineid, opportunity.tandem_stageid)
    )
    if not isinstance(pipeline_key, str) or not isinstance(stage_key, str):
        return Following()
    table = process.instance_table(pipeline_key)
    definition = process.process_id(words.SYSTEM, pipeline_key)
    stage = process.stage_id(words.SYSTEM, stage_key)
    return Following(
        (
            Companion(
                table,
                companion_id(table.name, row_id),
                {
                    process.opportunity.name: RowRef("opportunity", row_id),
                    process.processid.name: RowRef("workflow", definition),
                    process.activestageid.name: RowRef("processstage", stage),
                    process.activestagestartedon.name: values.get(opportunity.tandem_stageenteredon.name),
                },
                needs=(process.WORKFLOW, definition),
                onto=process.onto_path(stage),
            ),
        )
    )
