"""Rows as Dataverse writes them in JSON, and as it wants them written.

One reader serves the two shapes that arrive: a Web API answer and a flow's trigger body. They differ in how
a lookup tells its table: the first annotates `_x_value` with the logical name, the second adds `_x_type` with
the entity set. Columns no map knows are left alone.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec

from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import guid
from shared.core.mapping.columns import Column, Kind, Option, Table, Value
from shared.core.mapping.files import FileRef
from shared.core.mapping.lifecycle import STATUS
from shared.core.mapping.parties import Parties
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import Unfit
from shared.core.mapping.transforms.numbers import fixed, plain
from shared.core.mapping.transforms.text import canonical

LOGICAL_NAME = "@Microsoft.Dynamics.CRM.lookuplogicalname"
"""The annotation by which the Web API tells which table a lookup points at."""

_PLAIN = frozenset({str, int, bool, NoneType})
"""The types that JSON takes as they are."""

_AS_IT_IS = _PLAIN | {Decimal}
"""The types of what is written as it is."""

_json = msgspec.json.Encoder().encode

_PARTY_SETS = {"systemuser": "systemusers", "contact": "contacts", "lead": "leads", "account": "accounts"}


def selected(table: Table) -> tuple[str, ...]:
    """What to ask the Web API for (`$select`): the primary key, and every column that can be read back."""
    return (table.primary_key, *table.readable)


def read_row(table: Table, row: Mapping[str, Any]) -> dict[str, Value]:
    """The typed values of the table's columns that are in `row`; explicit nulls are None.

    A lookup that does not tell its table points at the column's first one. Raises InvalidMessage with every
    value that is not of its column's type.
    """
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    for name, column in table.readable.items():
        if name not in row:
            continue
        try:
            values[column.name] = None if row[name] is None else _read(column, row)
        except Unfit as unfit:
            faults.append(Fault(f"/data/{name}", unfit.code, unfit.expected))
    if faults:
        raise InvalidMessage(*faults)
    return values


def write_row(table: Table, values: Mapping[str, Value]) -> dict[str, Any]:
    """The body that sets `values`, ready for `encode`; a None clears its column.

    A column that is not the table's own, or a row of a table the lookup cannot point at, raises KeyError.
    """
    body: dict[str, Any] = {}
    as_they_are = table.plain
    for name, value in values.items():
        if type(value) in _AS_IT_IS and name in as_they_are:
            body[name] = value
        elif (column := table.columns[name]).kind is Kind.LOOKUP:
            body |= _binding(column, value)
        elif column.kind is Kind.STATUS:
            body |= _status(table, value)
        elif isinstance(value, datetime):
            body[name] = _written_instant(value)
        elif isinstance(value, tuple):
            body[name] = _parties(value)
        elif isinstance(value, FileRef):
            raise KeyError(f"{name} is a file still to be fetched")
        elif isinstance(value, date):
            body[name] = value.isoformat()
        else:
            body[name] = value
    return body


def _written_instant(at: datetime) -> str:
    """To the second, in UTC: `2016-02-29T21:41:41Z`."""
    whole = at.replace(microsecond=0) if at.microsecond else at
    return str(msgspec.to_builtins(whole.astimezone(UTC)))


def encode(body: Any) -> bytes:
    """A body as JSON in UTF-8, with every Decimal as the number it is.

    A detour through float would change amounts of more than 15 digits. Raises TypeError for what JSON has no
    type for, ValueError for a float that is no number.
    """
    return _json(_encodable(body))


def _encodable(value: Any) -> Any:
    """The same value of nothing but types that are encoded as we want them."""
    if isinstance(value, dict):
        others = {key: _encodable(entry) for key, entry in value.items() if type(entry) not in _PLAIN}
        return {**value, **others}
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    if isinstance(value, list | tuple):
        return [_encodable(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("JSON has no such number")
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"JSON has no {type(value).__name__}")


def _read(column: Column[Any], row: Mapping[str, Any]) -> Value:
    if column.kind is Kind.LOOKUP:
        return _reference(column, row)
    return _READERS[column.kind](column, row[column.name])


def _reference(column: Column[Any], row: Mapping[str, Any]) -> RowRef:
    name = column.read_as
    row_id = row[name] if isinstance(row[name], UUID) else guid(str(row[name]))
    said = row.get(name + LOGICAL_NAME) or row.get(f"_{column.name}_type")
    table = column.sets.get(str(said), said) if said else next(iter(column.targets))
    if row_id is None or table not in column.targets:
        raise Unfit(Code.VALUE_UNKNOWN_REFERENCE, f"the GUID of a row of {' or '.join(column.targets)}")
    return RowRef(table, row_id)


def _binding(column: Column[Any], value: Value) -> dict[str, str | None]:
    if not isinstance(value, RowRef):
        return {f"{next(iter(column.targets.values()))}@odata.bind": None}
    entity_sets = {table: entity_set for entity_set, table in column.sets.items()}
    return {f"{column.targets[value.table]}@odata.bind": f"/{entity_sets[value.table]}({value.id})"}


def _status(table: Table, value: Value) -> dict[str, int]:
    """A status with the state it belongs to: Dataverse takes them together only."""
    if table.lifecycle is None or not isinstance(value, int):
        raise KeyError(f"{table.name} has no such status")
    return {"statecode": table.lifecycle.states[value], STATUS: value}


def _parties(parties: Parties) -> list[dict[str, Any]]:
    """Rows of activityparty: each a row of one table, or an address alone."""
    return [
        {
            "participationtypemask": int(party.role),
            **(
                {f"partyid_{party.row.table}@odata.bind": f"/{_PARTY_SETS[party.row.table]}({party.row.id})"}
                if party.row
                else {"addressused": party.address}
            ),
        }
        for party in parties
    ]


def _text(_column: Column[Any], value: Any) -> Value:
    if not isinstance(value, str):
        raise Unfit(Code.VALUE_NOT_TEXT, "text")
    # People in Dataverse leave blanks, too; kept as they are, they would look like changes for ever.
    return canonical(value)


def _number(_column: Column[Any], value: Any) -> Decimal:
    number = plain(format(value, "f") if isinstance(value, Decimal) else value)
    if number is None or isinstance(value, str):
        raise Unfit(Code.VALUE_NOT_A_NUMBER, "a number")
    return number


def _integer(column: Column[Any], value: Any) -> int:
    number = _number(column, value)
    if number != number.to_integral_value():
        raise Unfit(Code.VALUE_NOT_A_NUMBER, "a whole number")
    return int(number)


def _fraction(column: Column[Any], value: Any) -> Value:
    number = _number(column, value)
    try:
        return fixed(number, column.precision or 0)
    except Unfit:
        # An organisation may have given its column more digits; what it holds is what it holds.
        return number


def _boolean(_column: Column[Any], value: Any) -> Value:
    if not isinstance(value, bool):
        raise Unfit(Code.VALUE_NOT_YES_OR_NO, "true or false")
    return value


def _choice(column: Column[Any], value: Any) -> Value:
    return Option(_integer(column, value))


def _instant(_column: Column[Any], value: Any) -> Value:
    at = _moment(value)
    if at is None or at.tzinfo is None:
        raise Unfit(Code.VALUE_NOT_A_TIME, "YYYY-MM-DDThh:mm:ssZ")
    return at.astimezone(UTC).replace(microsecond=0)


def _day(_column: Column[Any], value: Any) -> Value:
    at = _moment(value)
    # A service endpoint message writes a day as its midnight in UTC.
    if at is None or (at.hour, at.minute, at.second) != (0, 0, 0):
        raise Unfit(Code.VALUE_NOT_A_DATE, "YYYY-MM-DD")
    return at.date()


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


_READERS: Mapping[Kind, Callable[[Column[Any], Any], Value]] = {
    Kind.TEXT: _text,
    Kind.MEMO: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _fraction,
    Kind.MONEY: _fraction,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.STATE: _choice,
    Kind.STATUS: _choice,
    Kind.DATETIME: _instant,
    Kind.DATE: _day,
}
