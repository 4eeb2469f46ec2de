"""The life of a quote after it was activated: won, closed, revised."""

from local.dataverse.api.actions.arguments import entity_id, fetch
from local.dataverse.api.actions.closing import Closing, close
from local.dataverse.api.query import render
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, wrong_state
from local.dataverse.odata.address import Segment
from local.dataverse.odata.options import Options
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.writer import Writer
from local.dataverse.store.row import Reference, Row

_ACTIVE, _WON, _CLOSED = 1, 2, 3
_REVISED = 7


def win_quote(request: Request, _segment: Segment) -> Answer:
    """Active to Won."""
    return close(request, _QUOTE, _WON, "Win")


def close_quote(request: Request, _segment: Segment) -> Answer:
    """Active to Closed: lost, cancelled or revised."""
    return close(request, _QUOTE, _CLOSED, "Close")


def revise_quote(request: Request, _segment: Segment) -> Answer:
    """An active or closed quote as a new draft with the next revision number; the old one is Revised."""
    with request.writing() as writer:
        table = writer.catalog.tables["quote"]
        row_id = entity_id(request.call.json().get("QuoteId"), "QuoteId", table)
        old = fetch(writer, "quote", row_id)
        writer.allow("Write", table, old)
        if old.get("statecode") not in {_ACTIVE, _CLOSED}:
            raise wrong_state("Only an active or closed quote can be revised.")
        writer.set_columns(table, row_id, {"statecode": _CLOSED, "statuscode": _REVISED}, "Revise")
        draft = _copy(writer, "quote", old, {})
        number = {"quotenumber": old["quotenumber"], "revisionnumber": old.get("revisionnumber", 0) + 1}
        new = writer.set_columns(table, draft["quoteid"], number)
        for line in list(writer.transaction.rows("quotedetail")):
            if line.get("quoteid") == Reference("quote", row_id):
                _copy(writer, "quotedetail", line, {"quoteid": Reference("quote", new["quoteid"])})
    return json_answer(200, render(request, table, new, Options()))


def _not_active() -> Refusal:
    return wrong_state("Only an active quote can be won or closed.")


_QUOTE = Closing("quote", _ACTIVE, "quoteclose", "QuoteClose", _not_active)


def _copy(writer: Writer, table: str, row: Row, changes: Row) -> Row:
    definition = writer.catalog.tables[table]
    own = {definition.id_column, "statecode", "statuscode", "overriddencreatedon", "revisionnumber"}
    values = {
        name: value
        for name, value in row.items()
        if name not in own and not definition.columns[name].read_only
    }
    return writer.create(Draft(definition, values | changes))
