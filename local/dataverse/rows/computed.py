"""Columns the service works out: full names, composite addresses, base amounts, numbers, defaults."""

from typing import Any

from local.dataverse.rows.attachments import decoded_size
from local.dataverse.rows.plan import plan_of
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Reference, Row

_NUMBERED = {
    "incident": ("ticketnumber", "CAS"),
    "quote": ("quotenumber", "QUO"),
    "campaign": ("codename", "CMP"),
}


def defaults(table: Table, number: int, suffix: str) -> Row:
    """What a new row holds before the caller's values; `number` and `suffix` make its running number."""
    row = dict(plan_of(table).defaults)
    if table.name in _NUMBERED:
        column, prefix = _NUMBERED[table.name]
        row[column] = f"{prefix}-{number:05d}-{suffix[:6].upper()}"
    return row


def compute(table: Table, row: Row, touched: frozenset[str], rate: float | None) -> None:
    """Work out the derived columns of a row in place; `rate` is the exchange rate of its currency."""
    plan = plan_of(table)
    if plan.has_fullname:
        _put(row, "fullname", " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part))
    for address in plan.composites:
        if not touched.isdisjoint(address.parts):
            _put(row, address.name, composite(row, address.prefix))
    if table.name == "annotation":
        _document(row, touched)
    if rate is not None and "exchangerate" in table.columns:
        row["exchangerate"] = rate
        for name, base in plan.bases:
            value = row.get(name)
            _put(row, base, round(value / rate, 4) if value is not None else None)


def has_money(table: Table, row: Row) -> bool:
    """Whether any money column is set."""
    return any(row.get(name) is not None for name in plan_of(table).money)


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
