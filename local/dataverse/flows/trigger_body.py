"""What a flow's trigger sees of a change: one flat object."""

from typing import Any

from local.dataverse.odata.predicate import Source
from local.dataverse.schema.column import DETACHED, OPTION, Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import etag_of
from local.dataverse.store.transaction import Change, Operation


def trigger_body(change: Change, table: Table, source: Source, run_as: str) -> dict[str, Any]:
    """The row's set columns with option labels and lookup types; of a deleted row only the id is left."""
    body: dict[str, Any] = {
        "ItemInternalId": change.id,
        "SdkMessage": str(change.operation),
        "RunAsSystemUserId": run_as,
        "RowVersion": str(change.version),
        table.id_column: change.id,
    }
    if change.operation is Operation.DELETE or change.after is None:
        return body
    body = {"@odata.etag": etag_of(change.after), **body}
    for column in table.columns.values():
        value = change.after.get(column.name)
        if value is None or column.kind in DETACHED:
            continue
        name = column.property_name
        if column.kind is Kind.LOOKUP:
            target = source.catalog.tables.get(value[0])
            body[name] = value[1]
            body[f"_{column.name}_type"] = target.set_name if target is not None else value[0]
            continue
        body[name] = value
        if column.kind in OPTION and value in column.options:
            body[f"_{name}_label"] = column.options[value]
    return body
