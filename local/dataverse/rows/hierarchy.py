"""Hierarchies: a row cannot be above itself."""

from local.dataverse.errors import loop_in_hierarchy
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row
from local.dataverse.store.transaction import Transaction

_PARENT = {"account": "parentaccountid"}
"""The hierarchies that are watched: a table's column for the row above."""


def check_hierarchy(transaction: Transaction, table: Table, row: Row) -> None:
    """Refusal when the row is told to hang from itself or from what hangs from it."""
    column = _PARENT.get(table.name)
    above = row.get(column) if column is not None else None
    followed = {row[table.id_column]}
    while column is not None and above is not None:
        if above.id in followed:
            raise loop_in_hierarchy()
        followed.add(above.id)
        above = (transaction.get(table.name, above.id) or {}).get(column)
