"""The tandem_tag table: one row per tag on a record. The whole string is kept on the record itself, too."""

from mappers.dataverse import synced
from shared.core.mapping.columns import table, text

tandem_name = text("tandem_name", "Tag", 100)
tandem_recordtype = text("tandem_recordtype", "Kind of record (legacy)", 50)
tandem_recordid = text("tandem_recordid", "Record (legacy)", 100)

TABLE = table(
    "tandem_tag",
    "tandem_tags",
    "tandem_tagid",
    tandem_name,
    tandem_recordtype,
    tandem_recordid,
    *synced.COLUMNS,
    keys=synced.KEYS,
    label="Tag",
)
