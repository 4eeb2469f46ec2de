"""Duplicate detection: the three rules every organisation is born with."""

from local.dataverse.errors import Refusal
from local.dataverse.rows.payload import Draft
from local.dataverse.store.rows import fold
from local.dataverse.store.transaction import Transaction

# Rows of the table that share the value of every listed column are duplicates.
_RULES = {"account": ("name",), "contact": ("emailaddress1",), "lead": ("emailaddress1",)}


def refuse_duplicate(transaction: Transaction, draft: Draft) -> None:
    """Refusal 412 when a rule finds a row like the one to be created."""
    columns = _RULES.get(draft.table.name)
    if columns is None or any(draft.values.get(name) is None for name in columns):
        return
    wanted = [fold(draft.values[name]) for name in columns]
    if any([fold(row.get(name)) for name in columns] == wanted for row in transaction.rows(draft.table.name)):
        raise Refusal(
            412,
            "0x80040333",
            "A record was not created or updated because a duplicate of the current record already exists.",
        )
