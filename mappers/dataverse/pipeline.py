"""The tandem_pipeline table: the sales processes of a legacy system, as they are there.

A table of our own, because Dataverse keeps a process as a definition that cannot carry a legacy key.
"""

from mappers.dataverse import synced
from shared.core.mapping.columns import table, text

tandem_name = text("tandem_name", "Pipeline", 100)
tandem_businessunit = text("tandem_businessunit", "Business unit (legacy)", 160)
tandem_currencycode = text("tandem_currencycode", "Currency code", 5)

TABLE = table(
    "tandem_pipeline",
    "tandem_pipelines",
    "tandem_pipelineid",
    tandem_name,
    tandem_businessunit,
    tandem_currencycode,
    *synced.COLUMNS,
    keys=synced.KEYS,
    label="Pipeline",
)
