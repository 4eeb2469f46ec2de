"""A column of a table: its type, its limits and how the Web API names it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a column holds; the words of the table files and of the customisations file."""

    STRING = "string"
    MEMO = "memo"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    DOUBLE = "double"
    MONEY = "money"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    STATE = "state"
    STATUS = "status"
    DATETIME = "datetime"
    DATE = "date"
    LOOKUP = "lookup"
    GUID = "guid"
    PARTIES = "parties"
    IMAGE = "image"
    FILE = "file"


TEXT = frozenset({Kind.STRING, Kind.MEMO})
OPTION = frozenset({Kind.CHOICE, Kind.STATE, Kind.STATUS})
# Held elsewhere (activity parties, file storage): a row answer does not carry them.
DETACHED = frozenset({Kind.PARTIES, Kind.IMAGE, Kind.FILE})

MONEY_PRECISION = 2
DECIMAL_PRECISION = 10


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `targets` maps a target table to the navigation property that binds it."""

    name: str
    kind: Kind
    label: str = ""
    schema_name: str = ""
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None
    options: Mapping[int, str] = field(default_factory=dict)
    state_of: Mapping[int, int] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    required: str = ""
    server_fills: bool = False
    read_only: bool = False
    custom: bool = False
    # The global choice the options come from; empty when they are the column's own.
    choice: str = ""

    @property
    def property_name(self) -> str:
        """The name in a row answer: lookups appear as `_<name>_value`."""
        return f"_{self.name}_value" if self.kind is Kind.LOOKUP else self.name

    def default_status(self, state: int) -> int | None:
        """The lowest status reason of a state; None when the state has none."""
        return min((status for status, owner in self.state_of.items() if owner == state), default=None)


def column_from(name: str, spec: Mapping[str, Any], *, custom: bool = False) -> Column:
    """A column from its entry in a table file or in the customisations file.

    Raises ValueError naming the column when the entry cannot be meant.
    """
    try:
        kind = Kind(spec["type"])
    except (KeyError, ValueError) as wrong:
        raise ValueError(f"column {name}: type is missing or unknown") from wrong
    options, state_of = _options(kind, spec.get("options", {}))
    targets = dict(spec.get("targets", {}))
    if "target" in spec:
        targets[spec["target"]] = name
    if kind is Kind.LOOKUP and custom and not targets:
        raise ValueError(f"column {name}: a lookup needs a target")
    return Column(
        name=name,
        kind=kind,
        label=spec.get("label", name),
        schema_name=spec.get("schema", name),
        max_length=spec.get("max_length", _default_length(kind)),
        minimum=spec.get("minimum"),
        maximum=spec.get("maximum"),
        precision=spec.get("precision", _default_precision(kind)),
        options=options,
        state_of=state_of,
        targets=targets,
        required=spec.get("required", ""),
        server_fills=spec.get("server_fills", False),
        read_only=spec.get("read_only", False),
        custom=custom,
        choice=spec.get("choice", ""),
    )


_CHANGEABLE = frozenset({"label", "max_length", "minimum", "maximum", "precision", "required"})


def changed_column(column: Column, changes: Mapping[str, Any]) -> Column:
    """A column as an organisation has it: other limits, options come and go; ValueError for the rest."""
    unknown = changes.keys() - _CHANGEABLE - {"options"}
    if unknown:
        raise ValueError(f"customisations: {column.name} cannot be changed in {', '.join(sorted(unknown))}")
    options, states = dict(column.options), dict(column.state_of)
    for value, option in changes.get("options", {}).items():
        if option is None:
            options.pop(int(value), None)
            states.pop(int(value), None)
            continue
        options[int(value)] = option["label"] if isinstance(option, Mapping) else option
        if column.kind is Kind.STATUS:
            states[int(value)] = option["state"]
    plain = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    return replace(column, options=options, state_of=states, **plain)


def _options(kind: Kind, spec: Any) -> tuple[dict[int, str], dict[int, int]]:
    if isinstance(spec, list):
        return {int(option["value"]): str(option["label"]) for option in spec}, {}
    if kind is Kind.STATUS:
        labels = {int(value): label for group in spec.values() for value, label in group.items()}
        return labels, {int(value): int(state) for state, group in spec.items() for value in group}
    return {int(value): label for value, label in spec.items()}, {}


def _default_length(kind: Kind) -> int | None:
    return {Kind.STRING: 100, Kind.MEMO: 2000}.get(kind)


def _default_precision(kind: Kind) -> int | None:
    return {Kind.MONEY: MONEY_PRECISION, Kind.DECIMAL: DECIMAL_PRECISION, Kind.DOUBLE: 5}.get(kind)
