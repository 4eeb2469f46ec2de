"""Reading the parameters of an action."""

from typing import Any

from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.odata.address import bare_guid
from local.dataverse.rows.references import referenced
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row


def nested_row(body: dict[str, Any], name: str) -> dict[str, Any]:
    """A parameter that is a row."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise bad_payload(f"The parameter '{name}' is missing or is not an object.")
    return {key: inner for key, inner in value.items() if key != "@odata.type"}


def pointed_at(writer: Writer, row: dict[str, Any], column: str, table: str) -> str:
    """The id of the row a nested row points at, bound by address or given as an object; taken out of it."""
    bound = row.pop(f"{column}@odata.bind", None)
    if bound is not None:
        return referenced(writer.transaction, bound, (table,), column).id
    return entity_id(row.pop(column, None), f"{column}", writer.catalog.tables[table])


def entity_id(value: Any, name: str, table: Table) -> str:
    """The id inside an object such as `{"accountid": ...}`, or a bare id."""
    found = value.get(table.id_column) if isinstance(value, dict) else value
    guid = bare_guid(found) if isinstance(found, str) else None
    if guid is None:
        raise bad_payload(f"The parameter '{name}' does not name a row of {table.name}.")
    return guid


def typed_reference(writer: Writer, value: Any, name: str) -> Reference | None:
    """A parameter that is a row of any table, told by its @odata.type; None when it is absent."""
    if value is None:
        return None
    kind = str(value.get("@odata.type", "")).rpartition(".")[2] if isinstance(value, dict) else ""
    table = writer.catalog.tables.get(kind)
    if table is None:
        raise bad_payload(f"The parameter '{name}' needs an @odata.type.")
    row_id = entity_id(value, name, table)
    fetch(writer, table.name, row_id)
    return Reference(table.name, row_id)


def fetch(writer: Writer, table: str, row_id: str) -> Row:
    """The row, or Refusal 404."""
    row = writer.transaction.get(table, row_id)
    if row is None:
        raise Refusal(404, "0x80040217", f"{table} With Id = {row_id} Does Not Exist")
    return row


def status_for(table: Table, status: Any, state: int) -> int:
    """The status reason an action ends in; -1 and nothing mean the state's own default."""
    column = table.columns["statuscode"]
    if status in {None, -1}:
        return column.default_status(state) or 0
    if not isinstance(status, int) or column.state_of.get(status) != state:
        label = table.columns["statecode"].options[state]
        raise Refusal(400, "0x80048408", f"{status} is not a valid status code for state code {label}.")
    return status
