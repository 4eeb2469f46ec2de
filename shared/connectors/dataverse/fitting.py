"""Whether values fit their columns, told before they are sent: a bulk request hides which row was bad."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.mapping.columns import Column, Kind, Table, Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.transforms.text import length


def misfit(table: Table, values: Mapping[str, Value]) -> InvalidMessage | None:
    """Every value its column cannot hold, by column and rule; None when all fit.

    Raises KeyError for a column that is not the table's own.
    """
    faults = [
        fault
        for name, value in values.items()
        if value is not None and (fault := _fault(table.columns[name], value)) is not None
    ]
    return InvalidMessage(*faults) if faults else None


def _fault(column: Column[Any], value: Value) -> Fault | None:
    if isinstance(value, RowRef):
        if value.table not in column.targets:
            expected = f"a row of {' or '.join(column.targets)}"
            return Fault(column.name, Code.VALUE_UNKNOWN_REFERENCE, expected)
    elif isinstance(value, str):
        if column.max_length is not None and length(value) > column.max_length:
            return Fault(column.name, Code.VALUE_TOO_LONG, f"at most {column.max_length} characters")
    elif column.kind in {Kind.CHOICE, Kind.STATE, Kind.STATUS}:
        if column.options and value not in column.options:
            return Fault(column.name, Code.VALUE_NO_OPTION, "an option of the column")
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _out_of_range(column, Decimal(value))
    return None


def _out_of_range(column: Column[Any], number: Decimal) -> Fault | None:
    low, high = column.minimum, column.maximum
    if number.is_finite() and (low is None or low <= number) and (high is None or number <= high):
        return None
    return Fault(column.name, Code.VALUE_OUT_OF_RANGE, f"a number from {low} to {high}")
