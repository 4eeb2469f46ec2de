"""The query functions of the Microsoft.Dynamics.CRM namespace that filters may use."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from local.dataverse.errors import bad_query, not_supported
from local.dataverse.odata.instants import comparable
from local.dataverse.schema.column import OPTION, TEXT, Column, Kind

Test = Callable[[Any], bool]


def query_function(name: str, column: Column, named: Mapping[str, Any], now: datetime, caller: str) -> Test:
    """A test of a column's comparable value; 501 for functions the simulator does not know."""
    values = [_comparable(value, column) for value in named.get("PropertyValues", [])]
    value = named.get("PropertyValue")
    match name:
        case "In":
            return lambda found: found in values
        case "NotIn":
            return lambda found: found not in values
        case "Between" | "NotBetween":
            if len(values) != 2:
                raise bad_query(f"{name} takes two property values.")
            low, high = values
            inside: Test = lambda found: found is not None and low <= found <= high  # noqa: E731 - closure
            return inside if name == "Between" else lambda found: not inside(found)
        case "ContainValues" | "DoesNotContainValues":
            wanted = {str(value) for value in named.get("PropertyValues", [])}
            has: Test = lambda found: bool(wanted & set((found or "").split(",")))  # noqa: E731 - closure
            return has if name == "ContainValues" else lambda found: not has(found)
        case "EqualUserId":
            return lambda found: found == caller
        case "NotEqualUserId":
            return lambda found: found != caller
    return _time_test(name, value, column, now)


def _comparable(value: Any, column: Column) -> Any:
    if column.kind in TEXT:
        return str(value).casefold()
    if column.kind in {Kind.LOOKUP, Kind.GUID}:
        return str(value).strip("{}").lower()
    if column.kind is Kind.DATETIME:
        return comparable(str(value))
    if column.kind is Kind.BOOLEAN:
        return value if isinstance(value, bool) else str(value).lower() in {"1", "true"}
    if column.kind in OPTION or column.kind in {Kind.INTEGER, Kind.BIGINT}:
        return int(value)
    if column.kind in {Kind.DECIMAL, Kind.DOUBLE, Kind.MONEY}:
        return float(value)
    return value


_UNITS = {"Days": timedelta(days=1), "Hours": timedelta(hours=1), "Weeks": timedelta(weeks=1)}


def _time_test(name: str, value: Any, column: Column, now: datetime) -> Test:
    if column.kind not in {Kind.DATETIME, Kind.DATE}:
        raise not_supported(f"The query function {name} on a column of type {column.kind}")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    fixed = {
        "Today": (midnight, midnight + day),
        "Yesterday": (midnight - day, midnight),
        "Tomorrow": (midnight + day, midnight + 2 * day),
        "Last7Days": (midnight - 7 * day, now),
        "Next7Days": (now, midnight + 8 * day),
    }
    if name in fixed:
        return _within(*fixed[name], column)
    if name in {"On", "OnOrAfter", "OnOrBefore", "NotOn"}:
        wanted = str(value)[:10]
        return {
            "On": lambda found: found is not None and found[:10] == wanted,
            "NotOn": lambda found: found is None or found[:10] != wanted,
            "OnOrAfter": lambda found: found is not None and found[:10] >= wanted,
            "OnOrBefore": lambda found: found is not None and found[:10] <= wanted,
        }[name]
    for unit, length in _UNITS.items():
        amount = length * int(value) if value is not None else length
        if name == f"LastX{unit}":
            return _within(midnight - amount if unit != "Hours" else now - amount, now, column)
        if name == f"NextX{unit}":
            return _within(now, midnight + amount + day if unit != "Hours" else now + amount, column)
        if name == f"OlderThanX{unit}":
            return _within(datetime(1753, 1, 1, tzinfo=now.tzinfo), now - amount, column)
    raise not_supported(f"The query function {name}")


def _within(start: datetime, end: datetime, column: Column) -> Test:
    size = 10 if column.kind is Kind.DATE else 19
    low, high = (moment.replace(tzinfo=None).isoformat()[:size] for moment in (start, end))
    # A window that ends now includes this second; one that ends at midnight does not include the next day.
    if end.hour + end.minute + end.second + end.microsecond:
        return lambda found: found is not None and low <= found <= high
    return lambda found: found is not None and low <= found < high
