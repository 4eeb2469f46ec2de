"""Merging two accounts, contacts, leads or cases: the subordinate hands all over and is deactivated."""

from typing import Any

from local.dataverse.api.actions.arguments import fetch, typed_reference
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import bad_payload, not_for_this_table, wrong_state
from local.dataverse.odata.address import Segment
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

MERGED = "masterid"
"""The column that tells the row another one was merged into."""

# The state and status reason of a row that was merged away; None: the state's own default.
_STATES: dict[str, tuple[int, int | None]] = {
    "account": (1, None),
    "contact": (1, None),
    "lead": (2, None),
    "incident": (2, 2000),
}
_PARENTS = ("parentaccountid", "parentcustomerid", "parentcontactid")
# Columns that say who and where a row is, and stay with it.
_OWN = frozenset({"ownerid", "statecode", "statuscode", MERGED, "merged", "overriddencreatedon"})


def merge_rows(request: Request, _segment: Segment) -> Answer:
    """Merge: blanks of the target filled, UpdateContent written, children moved, the other put aside."""
    body = request.call.json()
    with request.writing() as writer:
        target, subordinate = _named(writer, body, "Target"), _named(writer, body, "Subordinate")
        table = writer.catalog.tables[target.table]
        rows = _mergeable(writer, table, target, subordinate)
        if body.get("PerformParentingChecks") is True:
            _check_parents(*rows)
        if table.name != "incident":
            _fill(writer, table, rows, body.get("UpdateContent"))
        _move_children(writer, target, subordinate)
        state, status = _STATES[table.name]
        aside: Row = {
            "statecode": state,
            "statuscode": status or table.columns["statuscode"].default_status(state),
            MERGED: target,
            "merged": True,
        }
        writer.set_columns(table, subordinate.id, aside)
    return Answer(204)


def _named(writer: Writer, body: dict[str, Any], name: str) -> Reference:
    found = typed_reference(writer, body.get(name), name)
    if found is None:
        raise bad_payload(f"The parameter '{name}' is missing or is not an object.")
    return found


def _mergeable(writer: Writer, table: Table, target: Reference, subordinate: Reference) -> tuple[Row, Row]:
    """Both rows; Refusal unless they are two active ones of one kind that can be merged."""
    if table.name not in _STATES:
        raise not_for_this_table("Merge", table.name)
    if subordinate.table != table.name:
        raise bad_payload("Target and Subordinate are of different types.")
    if subordinate == target:
        raise bad_payload("Merge cannot be performed on master and sub-entities that are identical.")
    rows = fetch(writer, table.name, target.id), fetch(writer, table.name, subordinate.id)
    for row, what in zip(rows, ("master entity", "sub-entity"), strict=True):
        writer.allow("Write", table, row)
        if row.get("statecode") != 0:
            raise wrong_state(f"{what}:{table.name}-{row[table.id_column]} is deactive")
    return rows


def _check_parents(target: Row, subordinate: Row) -> None:
    if any(target.get(name) != subordinate.get(name) for name in _PARENTS):
        raise bad_payload("Merge is not possible: the parents of the two records differ.")


def _fill(writer: Writer, table: Table, rows: tuple[Row, Row], content: Any) -> None:
    """Whatever the target lacks, then what the caller asks for besides; nothing it has is overwritten."""
    target, subordinate = rows
    keys = {name for key in table.keys.values() for name in key.columns}
    lacking = {
        name: value
        for name, value in subordinate.items()
        if name in table.columns
        and target.get(name) is None
        and not table.columns[name].read_only
        and name not in _OWN | keys | {table.id_column}
        and value != Reference(table.name, target[table.id_column])
    }
    asked = writer.read(table, content) if isinstance(content, dict) else Draft(table)
    asked.values.pop(table.id_column, None)
    asked.values = lacking | asked.values
    if asked.values:
        writer.update(asked, target[table.id_column])


def _move_children(writer: Writer, target: Reference, subordinate: Reference) -> None:
    """Everything that points at the subordinate points at the target, but for rows merged into it before."""
    for source, column, row in writer.transaction.referencing(*subordinate):
        child = writer.catalog.tables[source]
        itself = (source, row[child.id_column]) == tuple(target)
        if column == MERGED:
            continue
        writer.set_columns(child, row[child.id_column], {column: None if itself else target})
    for name, pair in writer.catalog.many_to_many.items():
        for first, second in list(writer.transaction.store.pairs.get(name, ())):
            if pair.first == subordinate.table and first == subordinate.id:
                writer.transaction.pair(name, first, second, present=False)
                writer.transaction.pair(name, target.id, second, present=True)
            elif pair.second == subordinate.table and second == subordinate.id:
                writer.transaction.pair(name, first, second, present=False)
                writer.transaction.pair(name, first, target.id, present=True)
