"""Closing a row by an activity that says how it ended: deals, quotes, cases."""

from collections.abc import Callable
from dataclasses import dataclass

from local.dataverse.api.actions.arguments import fetch, nested_row, pointed_at, status_for
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import Refusal
from local.dataverse.rows.writer import Writer
from local.dataverse.store.row import Reference, Row


def _nothing(row: Row, activity: Row, state: int) -> Row:  # noqa: ARG001  # the shape of `Closing.sets`
    return {}


@dataclass(frozen=True, slots=True)
class Closing:
    """What is closed, in which state it must be, and the activity that closes it.

    `refused` is said of a row in another state; `sets` gives columns of the row beside its state.
    """

    table: str
    open_state: int
    activity: str
    parameter: str
    refused: Callable[[], Refusal]
    sets: Callable[[Row, Row, int], Row] = _nothing


def close(request: Request, closing: Closing, state: int, message: str) -> Answer:
    """Do what Win, Lose, Close and Resolve have in common."""
    body = request.call.json()
    said = nested_row(body, closing.parameter)
    with request.writing() as writer:
        table = writer.catalog.tables[closing.table]
        row_id = pointed_at(writer, said, table.id_column, table.name)
        row = fetch(writer, table.name, row_id)
        writer.allow("Write", table, row)
        if row.get("statecode") != closing.open_state:
            raise closing.refused()
        status = status_for(table, body.get("Status"), state)
        activity = _completed(writer, closing, said, Reference(table.name, row_id))
        closed = {"statecode": state, "statuscode": status} | closing.sets(row, activity, state)
        writer.set_columns(table, row_id, closed, message)
    return Answer(204)


def _completed(writer: Writer, closing: Closing, said: Row, closed: Reference) -> Row:
    """The closing activity: created, bound to what it closes, and completed at once."""
    table = writer.catalog.tables[closing.activity]
    draft = writer.read(table, said)
    draft.values.pop("statecode", None)
    draft.values.pop("statuscode", None)
    draft.values[f"{closed.table}id"] = closed
    row = writer.create(draft)
    done = table.columns["statuscode"].default_status(1)
    return writer.set_columns(table, row[table.id_column], {"statecode": 1, "statuscode": done})
