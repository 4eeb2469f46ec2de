"""Columns the service works out: full names, composite addresses, base amounts, numbers, defaults."""

from collections.abc import Mapping
from typing import Any

from local.dataverse.rows.attachments import decoded_size
from local.dataverse.schema.column import Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

_CHOICE_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "account": {"preferredcontactmethodcode": 1, "followemail": True, "customersizecode": 1},
    "contact": {"preferredcontactmethodcode": 1, "followemail": True, "customertypecode": 1},
    "lead": {"preferredcontactmethodcode": 1, "followemail": True, "prioritycode": 1},
    "opportunity": {"prioritycode": 1, "msdyn_forecastcategory": 100000001, "salesstage": 0},
    "incident": {"prioritycode": 2, "severitycode": 1},
    "task": {"prioritycode": 1},
    "phonecall": {"prioritycode": 1, "directioncode": True},
    "email": {"prioritycode": 1, "directioncode": True},
    "appointment": {"prioritycode": 1},
    "campaign": {"typecode": 1},
    "quote": {"revisionnumber": 0},
    "systemuser": {"accessmode": 0},
    "team": {"teamtype": 0},
}
# On create a money row without a currency takes the organisation's.
MONEY_TABLES_ALWAYS = frozenset({"account", "contact", "lead", "opportunity", "quote", "campaign"})

_NUMBERED = {
    "incident": ("ticketnumber", "CAS"),
    "quote": ("quotenumber", "QUO"),
    "campaign": ("codename", "CMP"),
}


def defaults(table: Table, number: int, suffix: str) -> Row:
    """What a new row holds before the caller's values; `number` and `suffix` make its running number."""
    row: Row = {
        column.name: False
        for column in table.columns.values()
        if column.kind is Kind.BOOLEAN and not column.custom
    }
    chosen = _CHOICE_DEFAULTS.get(table.name, {})
    row.update({name: value for name, value in chosen.items() if name in table.columns})
    if table.is_activity and "activitytypecode" in table.columns:
        row["activitytypecode"] = table.name
    if table.name in _NUMBERED:
        column, prefix = _NUMBERED[table.name]
        row[column] = f"{prefix}-{number:05d}-{suffix[:6].upper()}"
    return row


def compute(table: Table, row: Row, touched: frozenset[str], rate: float | None) -> None:
    """Work out the derived columns of a row in place; `rate` is the exchange rate of its currency."""
    columns = table.columns
    if "fullname" in columns and {"firstname", "lastname"} <= columns.keys():
        _put(row, "fullname", " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part))
    for number in ("1", "2", "3"):
        prefix = f"address{number}_"
        if f"{prefix}composite" in columns and any(name.startswith(prefix) for name in touched):
            _put(row, f"{prefix}composite", composite(row, prefix))
    if table.name == "annotation":
        _document(row, touched)
    if rate is not None and "exchangerate" in columns:
        row["exchangerate"] = rate
        for column in columns.values():
            if column.kind is Kind.MONEY and f"{column.name}_base" in columns:
                value = row.get(column.name)
                _put(row, f"{column.name}_base", round(value / rate, 4) if value is not None else None)


def has_money(table: Table, row: Row) -> bool:
    """Whether any money column is set."""
    return any(
        column.kind is Kind.MONEY and row.get(column.name) is not None for column in table.columns.values()
    )


def composite(row: Row, prefix: str) -> str:
    """An address as one text, the way the service lays it out."""
    place = ", ".join(
        part for part in (row.get(f"{prefix}city"), row.get(f"{prefix}stateorprovince")) if part
    )
    post = row.get(f"{prefix}postalcode")
    lines = [row.get(f"{prefix}line{number}") for number in (1, 2, 3)]
    lines.append(f"{place} {post}".strip() if post else place)
    lines.append(row.get(f"{prefix}country"))
    return "\r\n".join(line for line in lines if line)


def owner_columns(owner: Reference) -> Row:
    """The columns that say what kind of owner a row has."""
    if owner.table == "team":
        return {"owningteam": owner, "owninguser": None}
    return {"owninguser": owner, "owningteam": None}


def _document(row: Row, touched: frozenset[str]) -> None:
    body = row.get("documentbody")
    if "documentbody" in touched:
        row["isdocument"] = body is not None
        _put(row, "filesize", decoded_size(body) if body else None)


def _put(row: Row, name: str, value: Any) -> None:
    if value is None or value == "":
        row.pop(name, None)
    else:
        row[name] = value
