"""The tandem_pipelinestage table: the stages of each pipeline, with what the legacy system says of them."""

from mappers.dataverse import opportunity, synced, targets
from shared.core.mapping.columns import choice, decimal, integer, lookup, table, text

tandem_name = text("tandem_name", "Stage", 100)
tandem_pipeline = lookup("tandem_pipeline", "Pipeline", targets.pipeline("tandem_pipeline"))
tandem_displayorder = integer("tandem_displayorder", "Order in the pipeline", 0, 10_000)
tandem_probability = decimal("tandem_probability", "Probability", 0, 100, 2)
tandem_forecastcategory = choice(
    "tandem_forecastcategory",
    "Forecast category (legacy)",
    opportunity.tandem_forecastcategory.options,
)
tandem_outcome = choice(
    "tandem_outcome", "Outcome", {100_000_000: "Open", 100_000_001: "Won", 100_000_002: "Lost"}
)

TABLE = table(
    "tandem_pipelinestage",
    "tandem_pipelinestages",
    "tandem_pipelinestageid",
    tandem_name,
    tandem_pipeline,
    tandem_displayorder,
    tandem_probability,
    tandem_forecastcategory,
    tandem_outcome,
    *synced.COLUMNS,
    keys=synced.KEYS,
    label="Pipeline Stage",
)
