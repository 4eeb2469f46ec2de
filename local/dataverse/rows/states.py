"""Which state and status reason a write may set, and which rows are closed to writes."""

from typing import Any

from local.dataverse.errors import Refusal, bad_status, wrong_state
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row
from local.dataverse.store.transaction import Transaction

# A table not listed starts in state 0.
_INITIAL = {"product": 2}
# States other than the first that a create may name, because the calendar books appointments at once.
_ALSO_INITIAL = {"appointment": {3}}
# States in which a row is read-only but for the free columns.
_CLOSED: dict[str, frozenset[int]] = {
    "opportunity": frozenset({1, 2}),
    "quote": frozenset({1, 2, 3}),
    "incident": frozenset({1, 2}),
    "lead": frozenset({1}),
    "task": frozenset({1, 2}),
    "phonecall": frozenset({1, 2}),
    "email": frozenset({1, 2}),
    "appointment": frozenset({1, 2}),
    "campaignresponse": frozenset({1, 2}),
}
_FREE_COLUMNS = frozenset({"statecode", "statuscode", "ownerid", "importsequencenumber"})


def initial_state(table: Table, draft: dict[str, Any], row_id: str) -> Row:
    """State and status of a new row; only a status of the initial state may be named on create."""
    if not table.has_state:
        return {}
    start = _INITIAL.get(table.name, 0)
    status_column = table.columns["statuscode"]
    state, status = draft.get("statecode"), draft.get("statuscode")
    allowed = {start} | _ALSO_INITIAL.get(table.name, set())
    if state is None:
        state = status_column.state_of.get(status, start) if status is not None else start
    if status is None:
        status = status_column.default_status(state)
    if state not in allowed or (status is not None and status_column.state_of.get(status) != state):
        raise bad_status(
            table.name, status or 0, table.columns["statecode"].options.get(state, state), row_id
        )
    return {"statecode": state, "statuscode": status}


def next_state(table: Table, before: Row, draft: dict[str, Any]) -> Row:
    """State and status after an update by PATCH; Refusal when they do not belong together."""
    if not table.has_state or not {"statecode", "statuscode"} & draft.keys():
        return {}
    row_id = before[table.id_column]
    status_column = table.columns["statuscode"]
    old_state = before.get("statecode", 0)
    state = draft.get("statecode")
    state = old_state if state is None else state
    status = draft.get("statuscode")
    if status is None:
        kept = before.get("statuscode")
        status = kept if state == old_state else status_column.default_status(state)
    if status is not None and status_column.state_of.get(status) != state:
        raise bad_status(table.name, status, table.columns["statecode"].options.get(state, state), row_id)
    if state != old_state:
        _check_move(table, old_state, state)
    return {"statecode": state, "statuscode": status}


def _check_move(table: Table, old: int, new: int) -> None:
    if table.name == "opportunity" and new in {1, 2}:
        raise Refusal(
            400,
            "0x80100005",
            "Cannot use set state message on opportunity; use WinOpportunity or LoseOpportunity.",
        )
    if table.name == "incident" and new == 1:
        raise wrong_state(
            "This message can not be used to set the state of incident to Resolved. "
            "In order to set state of incident to Resolved, use the CloseIncidentRequest message."
        )
    if table.name == "lead" and new == 1:
        raise wrong_state("A lead becomes qualified by QualifyLead only.")
    if table.name == "quote" and (new in {2, 3} or (old, new) == (3, 0)):
        raise wrong_state("A quote is won, closed or revised by WinQuote, CloseQuote or ReviseQuote.")


def check_writable(table: Table, before: Row, draft: dict[str, Any]) -> None:
    """Refusal when the row is closed and the write touches more than its state or owner.

    Changes sent together with the move back to an open state are taken, as the service does.
    """
    state = before.get("statecode")
    if state not in _CLOSED.get(table.name, frozenset()):
        return
    reopened = draft.get("statecode")
    if reopened is not None and reopened not in _CLOSED[table.name]:
        return
    if draft.keys() - _FREE_COLUMNS:
        label = table.columns["statecode"].options.get(int(state or 0))
        raise wrong_state(f"The {table.name} is {label} and cannot be changed in its present state.")


_PART_OF = {"quotedetail": "quoteid"}
"""Rows that are part of another and as closed as it is."""


def whole_of(transaction: Transaction, table: Table, row: Row) -> tuple[str, Row] | None:
    """The row that this one is part of, with its table."""
    whole = row.get(_PART_OF.get(table.name, ""))
    found = transaction.get(whole[0], whole[1]) if whole else None
    return (whole[0], found) if whole and found else None


def check_whole(transaction: Transaction, table: Table, *rows: Row) -> None:
    """Refusal when a row is part of one that is closed: an active quote takes no lines and loses none."""
    for row in rows:
        whole, found = whole_of(transaction, table, row) or ("", {})
        if found.get("statecode") in _CLOSED.get(whole, ()):
            raise wrong_state(f"The {whole} is closed to changes, and so is each {table.name} of it.")
