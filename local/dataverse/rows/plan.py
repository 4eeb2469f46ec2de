"""What every write to a table needs to know of its columns, worked out once and not for every row."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dataverse.rows.values import reader
from local.dataverse.schema.column import DETACHED, TEXT, Column, Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row

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
_PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Composite:
    """A column that shows a whole address, and the columns it is made of."""

    name: str
    prefix: str
    parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of a table by what is done with them.

    `plain` are those a body sets by their own names, with what reads their values, and how long a text surely
    fits (-1 where text does not); `money` the amounts, and
    `bases` those with a column for the amount in the base currency, and that column.
    """

    plain: Mapping[str, tuple[Column, Callable[[Column, Any, str], Any], int]]
    defaults: Row
    required: tuple[str, ...]
    composites: tuple[Composite, ...]
    money: tuple[str, ...]
    bases: tuple[tuple[str, str], ...]
    has_fullname: bool


def plan_of(table: Table) -> Plan:
    """The plan of a table as its columns are now."""
    plan = table.derived.get(_PLAN)
    if not isinstance(plan, Plan):
        plan = table.derived[_PLAN] = _made(table)
    return plan


def _made(table: Table) -> Plan:
    columns = table.columns
    money = tuple(column.name for column in columns.values() if column.kind is Kind.MONEY)
    return Plan(
        plain={
            name: (column, reader(column), _surely_fits(column))
            for name, column in table.properties.items()
            if column.kind is not Kind.LOOKUP and column.kind not in DETACHED and not column.read_only
        },
        defaults=_defaults(table),
        required=tuple(
            column.name
            for column in columns.values()
            if column.required == "system" and not column.server_fills
        ),
        composites=tuple(
            Composite(f"{prefix}composite", prefix, frozenset(n for n in columns if n.startswith(prefix)))
            for prefix in ("address1_", "address2_", "address3_")
            if f"{prefix}composite" in columns
        ),
        money=money,
        bases=tuple((name, f"{name}_base") for name in money if f"{name}_base" in columns),
        has_fullname={"fullname", "firstname", "lastname"} <= columns.keys(),
    )


def _surely_fits(column: Column) -> int:
    """So many characters fit, even if each of them counts twice."""
    if column.kind not in TEXT:
        return -1
    return column.max_length // 2 if column.max_length is not None else sys.maxsize


def _defaults(table: Table) -> Row:
    row: Row = {
        column.name: False
        for column in table.columns.values()
        if column.kind is Kind.BOOLEAN and not column.custom
    }
    chosen = _CHOICE_DEFAULTS.get(table.name, {})
    row.update({name: value for name, value in chosen.items() if name in table.columns})
    if table.is_activity and "activitytypecode" in table.columns:
        row["activitytypecode"] = table.name
    return row
