"""The tandem_customfield table: the custom fields a legacy system defines, each of which has a place."""

from mappers.dataverse import synced
from shared.core.mapping.columns import boolean, integer, memo, table, text

tandem_name = text("tandem_name", "Field", 100)
tandem_recordtype = text("tandem_recordtype", "Kind of record (legacy)", 50)
tandem_label = text("tandem_label", "Label", 200)
tandem_fieldtype = text("tandem_fieldtype", "Type (legacy)", 50)
tandem_options = memo("tandem_options", "Options (legacy)", 20_000)
tandem_maxlength = integer("tandem_maxlength", "Maximum length", 0, 1_048_576)
tandem_required = boolean("tandem_required", "Required (legacy)")

TABLE = table(
    "tandem_customfield",
    "tandem_customfields",
    "tandem_customfieldid",
    tandem_name,
    tandem_recordtype,
    tandem_label,
    tandem_fieldtype,
    tandem_options,
    tandem_maxlength,
    tandem_required,
    *synced.COLUMNS,
    keys=synced.KEYS,
    label="Custom Field",
)
