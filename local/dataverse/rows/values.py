"""Whether a JSON value fits a column, and how it is kept."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from local.dataverse.errors import Refusal, bad_payload, no_such_option, out_of_range, too_long
from local.dataverse.odata.instants import EARLIEST, read_date, read_instant
from local.dataverse.schema.column import Column, Kind

_EDM = {
    Kind.INTEGER: "Edm.Int32",
    Kind.BIGINT: "Edm.Int64",
    Kind.CHOICE: "Edm.Int32",
    Kind.STATE: "Edm.Int32",
    Kind.STATUS: "Edm.Int32",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.MONEY: "Edm.Decimal",
    Kind.DOUBLE: "Edm.Double",
    Kind.BOOLEAN: "Edm.Boolean",
    Kind.DATETIME: "Edm.DateTimeOffset",
    Kind.DATE: "Edm.Date",
    Kind.GUID: "Edm.Guid",
}
_RANGE_CODES = {
    Kind.INTEGER: "0x8004432F",
    Kind.BIGINT: "0x8004432F",
    Kind.DECIMAL: "0x80044330",
    Kind.DOUBLE: "0x80044330",
    Kind.MONEY: "0x80040317",
}
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def edm_type(column: Column) -> str:
    """The OData type of a column."""
    return _EDM.get(column.kind, "Edm.String")


def stored(column: Column, value: Any, table: str) -> Any:
    """The value as it is kept; Refusal when it does not fit. Empty text is null, as in the service."""
    if value is None:
        return None
    return reader(column)(column, value, table)


def reader(column: Column) -> Callable[[Column, Any, str], Any]:
    """What makes the kept value of a JSON value that is not null: column, value, table name."""
    return _READERS.get(column.kind, _unwritable)


def _text(column: Column, value: Any, table: str) -> str | None:
    if not isinstance(value, str):
        raise _mismatch(column, value)
    # The service counts UTF-16 units: a character outside the basic plane counts twice.
    if column.max_length is not None and len(value) > column.max_length // 2:
        units = len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2
        if units > column.max_length:
            raise too_long(column.name, table, column.max_length)
    return value or None


def _whole(column: Column, value: Any, table: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mismatch(column, value)
    low = column.minimum if column.minimum is not None else _SMALLEST
    high = column.maximum if column.maximum is not None else _LARGEST
    if column.kind is Kind.INTEGER and not low <= value <= high:
        raise out_of_range(_RANGE_CODES[column.kind], column.name, table, low, high)
    return value


def _real(column: Column, value: Any, table: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(column, value)
    low, high = column.minimum, column.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise out_of_range(_RANGE_CODES[column.kind], column.name, table, low, high)
    precision = 4 if column.name.endswith("_base") else column.precision
    return round(float(value), precision if precision is not None else 10)


def _flag(column: Column, value: Any, _table: str) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(column, value)
    return value


def _option(column: Column, value: Any, table: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mismatch(column, value)
    if value not in column.options:
        raise no_such_option(column.name, table)
    return value


def _options(column: Column, value: Any, table: str) -> str:
    parts = [part.strip() for part in str(value).split(",")]
    if any(not part.isdigit() or int(part) not in column.options for part in parts):
        raise no_such_option(column.name, table)
    return ",".join(parts)


def _instant(column: Column, value: Any, _table: str) -> str:
    return _moment(column, value, read_instant)


def _date(column: Column, value: Any, _table: str) -> str:
    return _moment(column, value, read_date)


def _moment(column: Column, value: Any, read: Callable[[str], str]) -> str:
    if not isinstance(value, str):
        raise _mismatch(column, value)
    try:
        kept = read(value)
    except ValueError as wrong:
        raise _mismatch(column, value) from wrong
    if kept < EARLIEST:
        raise Refusal(
            400,
            "0x80040239",
            f"DateTime is less than minimum value supported by CrmDateTime. Attribute: {column.name}, "
            "Minimum value supported: 01/01/1753 00:00:00",
        )
    return kept


def _guid(column: Column, value: Any, _table: str) -> str:
    try:
        return str(UUID(value))
    except (AttributeError, TypeError, ValueError) as wrong:
        raise _mismatch(column, value) from wrong


def _unwritable(column: Column, _value: Any, _table: str) -> Any:
    raise bad_payload(
        f"CRM do not support direct update of property '{column.name}', use its navigation property or its "
        "own address instead."
    )


def _mismatch(column: Column, value: Any) -> Refusal:
    # The service repeats the value; the simulator does not put customer data into messages.
    return bad_payload(
        f"Cannot convert the {type(value).__name__} literal of '{column.name}' to the expected type "
        f"'{edm_type(column)}'."
    )


_READERS: dict[Kind, Callable[[Column, Any, str], Any]] = {
    Kind.STRING: _text,
    Kind.MEMO: _text,
    Kind.INTEGER: _whole,
    Kind.BIGINT: _whole,
    Kind.DECIMAL: _real,
    Kind.DOUBLE: _real,
    Kind.MONEY: _real,
    Kind.BOOLEAN: _flag,
    Kind.CHOICE: _option,
    Kind.STATE: _option,
    Kind.STATUS: _option,
    Kind.CHOICES: _options,
    Kind.DATETIME: _instant,
    Kind.DATE: _date,
    Kind.GUID: _guid,
}
