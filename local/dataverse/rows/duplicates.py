"""Duplicate detection: the published rules of the organisation, three of which it is born with.

A rule is a row of duplicaterule with its conditions in duplicaterulecondition; a row is a duplicate when
every condition holds between it and another one. Blank values match nothing unless a condition says so.
"""

from typing import Any

from local.dataverse.errors import duplicate_found
from local.dataverse.rows.payload import Draft
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import fold
from local.dataverse.store.transaction import Transaction

_PUBLISHED = 2


def refuse_duplicate(transaction: Transaction, draft: Draft, before: Row | None = None) -> None:
    """Refusal 412 when a published rule finds another row like the one to be written."""
    row = {**(before or {}), **draft.values}
    own_id = row.get(draft.table.id_column)
    for rule in transaction.rows("duplicaterule"):
        if rule.get("statuscode") != _PUBLISHED or rule.get("baseentityname") != draft.table.name:
            continue
        if _finds(transaction, rule, row, own_id):
            raise duplicate_found()


def _finds(transaction: Transaction, rule: Row, row: Row, own_id: Any) -> bool:
    pointer = Reference("duplicaterule", rule["duplicateruleid"])
    conditions = [
        condition
        for condition in transaction.rows("duplicaterulecondition")
        if condition.get("regardingobjectid") == pointer
    ]
    wanted = [
        (condition, _seen(condition, row.get(condition["baseattributename"]))) for condition in conditions
    ]
    if not wanted or any(value is None for _, value in wanted):
        return False
    table = transaction.store.catalog.tables[rule["matchingentityname"]]
    for other in transaction.rows(table.name):
        if other[table.id_column] == own_id or (
            rule.get("excludeinactiverecords") and other.get("statecode") != 0
        ):
            continue
        if all(
            _seen(condition, other.get(condition["matchingattributename"])) == value
            for condition, value in wanted
        ):
            return True
    return False


def _seen(condition: Row, value: Any) -> Any:
    """The part of a value a condition compares; None when a blank shall match nothing."""
    if value is None:
        return None if condition.get("ignoreblankvalues", True) else ""
    folded, length = fold(value), condition.get("operatorparam")
    if not isinstance(folded, str) or not length:
        return folded
    match condition.get("operatorcode"):
        case 1:  # the same first characters
            return folded[:length]
        case 2:  # the same last characters
            return folded[-length:]
    return folded
