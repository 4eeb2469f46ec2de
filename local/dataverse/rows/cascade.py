"""What a delete does to the rows that point at the deleted one."""

from local.dataverse.errors import Refusal, not_for_this_table
from local.dataverse.schema.catalog import Catalog
from local.dataverse.store.transaction import Transaction

# Lookups whose parent takes the row along; the rest lose the pointer.
_PARENTAL = frozenset(
    {
        ("contact", "parentcustomerid"),
        ("opportunity", "customerid"),
        ("quote", "customerid"),
        ("incident", "customerid"),
        ("opportunityproduct", "opportunityid"),
        ("opportunityclose", "opportunityid"),
        ("quotedetail", "quoteid"),
        ("quoteclose", "quoteid"),
        ("incidentresolution", "incidentid"),
        ("annotation", "objectid"),
        ("activitymimeattachment", "objectid"),
        ("activityparty", "activityid"),
        ("customeraddress", "parentid"),
        ("listmember", "listid"),
        ("listmember", "entityid"),
        ("connection", "record1id"),
        ("connection", "record2id"),
    }
)
_RESTRICTED = frozenset(
    {"transactioncurrency", "businessunit", "product", "uom", "uomschedule", "pricelevel"}
)
_UNDELETABLE = frozenset({"systemuser", "organization"})


def delete(transaction: Transaction, catalog: Catalog, table: str, row_id: str) -> None:
    """Delete a row that exists, with what hangs from it; Refusal 405 when something forbids it."""
    if table in _UNDELETABLE:
        raise not_for_this_table("Delete", table)
    pointing = transaction.referencing(table, row_id)
    if table in _RESTRICTED and pointing:
        raise Refusal(
            405,
            "0x80040227",
            "The object you tried to delete is associated with another object and cannot be deleted.",
        )
    for source, column, row in pointing:
        _let_go(transaction, catalog, source, column, row[catalog.tables[source].id_column])
    if transaction.get(table, row_id) is not None:
        transaction.delete(catalog.tables[table], row_id)
    _unpair(transaction, catalog, table, row_id)


def _let_go(transaction: Transaction, catalog: Catalog, source: str, column: str, child: str) -> None:
    """Delete a child with its parent, or take the pointer from it."""
    current = transaction.get(source, child)
    if current is None:
        return
    if (source, column) in _PARENTAL or column == "regardingobjectid":
        delete(transaction, catalog, source, child)
    elif not catalog.tables[source].columns[column].read_only:
        kept = {name: value for name, value in current.items() if name != column}
        transaction.put(catalog.tables[source], kept, frozenset({column}))


def _unpair(transaction: Transaction, catalog: Catalog, table: str, row_id: str) -> None:
    for name, pair in catalog.many_to_many.items():
        for first, second in list(transaction.store.pairs.get(name, ())):
            if (pair.first == table and first == row_id) or (pair.second == table and second == row_id):
                transaction.pair(name, first, second, present=False)
