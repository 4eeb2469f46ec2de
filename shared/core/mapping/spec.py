"""What a map is made of: fields, dropped fields, and the entity map that holds them.

A map is data. It is read by the sync in both directions, by the generated mapping tables, by the laws in
`tests/contract` and by the simulators, so every line carries its description and what it loses (C-13).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey, normalised_id
from shared.core.mapping.columns import Column, Table, Unresolved, Value
from shared.core.mapping.composed import Composed, Parts
from shared.core.mapping.satellites import Satellite

L = TypeVar("L")
D = TypeVar("D")


class Flow(StrEnum):
    """Which way a field crosses."""

    BOTH = "both"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Loss(StrEnum):
    """What a field loses on its way (C-13)."""

    NONE = "none"
    FORMAT = "format"
    PARTIAL = "partial"
    DROPPED = "dropped"


class Owner(StrEnum):
    """Who decides a column when its value is contested."""

    LEGACY = "legacy"
    DATAVERSE = "dataverse"
    NEWEST = "newest"
    PERSON = "person"


class OnDelete(StrEnum):
    """What the end of a record on one side, by delete or by merge, means for its counterpart (C-33)."""

    PROPAGATE = "propagate"
    """It is deleted, too; or merged, too, into its heir's counterpart."""
    DEACTIVATE = "deactivate"
    """It is kept and marked as no longer in use."""
    IGNORE = "ignore"
    """It is left as it is and lives on alone."""


class Unfit(ValueError):
    """A value has no place on the other side; says the rule, never the value."""

    def __init__(self, code: Code, expected: str) -> None:
        super().__init__(f"{code}: {expected}")
        self.code = code
        self.expected = expected


@dataclass(frozen=True, slots=True)
class ToRecord:
    """What a lookup names: a synced record of one legacy entity; a blank may mean the placeholder row."""

    system: str
    entity: str
    placeholder: str | None = None


@dataclass(frozen=True, slots=True)
class ToDirectory:
    """What a lookup names: reference data of Dataverse, by one of its columns."""

    table: str
    column: str
    required: bool


@dataclass(frozen=True, slots=True)
class Transform(Generic[L, D]):
    """How one value crosses from a legacy system (`L`) to Dataverse (`D`), and back.

    Both functions are pure and raise `Unfit`; on either side a blank is a value, and None in Dataverse.
    `to_dataverse` returns the value exactly as Dataverse will hold it (trimmed, to the second, in UTC), so
    that what comes back equals what was written. `examples` are legacy values; they feed the mapping tables,
    the round-trip laws and the simulators. `name` says the transform in words, `refers` what a lookup means.
    """

    to_dataverse: Callable[[L], D | None]
    to_legacy: Callable[[D | None], L]
    examples: tuple[L, ...]
    name: str = ""
    refers: ToRecord | ToDirectory | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a map, whatever its types: a legacy field, the column it becomes, and how.

    `alias` is the word another description of the migration uses for the target, so that its readers find it.
    `owner` is who decides while both sides may edit the column.
    """

    legacy: str
    column: Column[Any]
    via: Transform[Any, Any]
    flow: Flow = Flow.BOTH
    loss: Loss = Loss.NONE
    description: str = ""
    alias: str = ""
    owner: Owner = Owner.NEWEST


@dataclass(frozen=True, slots=True)
class Field(Line, Generic[L, D]):
    """A line whose transform fits its column, which the type checker proves where the line is written."""

    column: Column[D]
    via: Transform[L, D]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A legacy field that deliberately goes nowhere."""

    legacy: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """The result of mapping: values by column (or legacy field), and every fault found on the way."""

    values: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()


_Crossing: TypeAlias = "tuple[str, Callable[[Any], Any], bool, _Crossing | None]"
"""What of a line every record asks: its column, the way there, whether a blank clears it, and the same of the
next line of its field.
"""


@dataclass(frozen=True, slots=True)
class EntityMap:
    """A legacy entity against a Dataverse table, both ways.

    `key` is the legacy field that holds the record's id. `constants` are column values every row of this map
    carries. `source_key` is the column that tells a row's record (`allegory:company:C-0001`). `row_id` is the
    legacy field that tells a record's row, where the system has one. `version` names this revision of the map
    in journal and telemetry. `unit` is the lookup to what a record without an owner hangs from: it
    shares that one's business unit, by which phases may differ.

    `on_record_delete` says what becomes of the row when its record is deleted, `on_row_delete` the reverse;
    `on_record_merge` and `on_row_merge` say it of one that was merged into another. `inactive_row` and
    `inactive_record` are the columns and fields that mark one as no longer in use, which `deactivate` needs.
    `satellites` derive what follows from a record beside its own row; `check` finds what is wrong with a
    record as a whole.

    `one_way` says why nothing is written back, where people might expect it.

    `composed` are fields put together from others before anything is mapped; the key may be one of them.
    `parts` tells which records must be there before the row leaves its first state. `drop` is the field of
    the message, not of the export, that names the folder of a drop in which the record's file lies.
    """

    entity: str
    table: Table
    key: str
    fields: tuple[Line, ...]
    dropped: tuple[Dropped, ...] = ()
    constants: Mapping[str, Unresolved] = field(default_factory=dict)
    source_key: Column[str] | None = None
    row_id: str | None = None
    version: str = "1"
    unit: Column[Any] | None = None
    on_record_delete: OnDelete = OnDelete.PROPAGATE
    on_row_delete: OnDelete = OnDelete.PROPAGATE
    on_record_merge: OnDelete = OnDelete.PROPAGATE
    on_row_merge: OnDelete = OnDelete.PROPAGATE
    inactive_row: Mapping[str, Value] = field(default_factory=dict)
    inactive_record: Mapping[str, Json] = field(default_factory=dict)
    satellites: tuple[Satellite, ...] = ()
    check: Callable[[Mapping[str, Json]], tuple[Fault, ...]] | None = None
    composed: tuple[Composed, ...] = ()
    parts: Parts | None = None
    drop: str | None = None
    one_way: str = ""
    _crossings: Mapping[str, _Crossing] = field(init=False, repr=False, compare=False)
    _known: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a map that is to deactivate and does not say how; work out once what every record asks."""
        crossings: dict[str, _Crossing] = {}
        for line in reversed(self.fields):
            if line.flow is not Flow.OUTBOUND:
                column, following = line.column, crossings.get(line.legacy)
                crossings[line.legacy] = (column.name, line.via.to_dataverse, column.clearable, following)
        object.__setattr__(self, "_crossings", crossings)
        object.__setattr__(self, "_known", self._expected(line.legacy for line in self.fields))
        for policy, how in (
            (self.on_record_delete, self.inactive_row),
            (self.on_row_delete, self.inactive_record),
            (self.on_record_merge, self.inactive_row),
            (self.on_row_merge, self.inactive_record),
        ):
            if policy is OnDelete.DEACTIVATE and not how:
                raise ValueError(f"{self.entity} is to be deactivated and its map does not say how")

    @property
    def revision(self) -> str:
        """The map and its version, as journal and telemetry name it: `company.v1`."""
        return f"{self.entity}.v{self.version}"

    @property
    def outbound(self) -> bool:
        """Whether any field goes back to the legacy system."""
        return any(line.flow is not Flow.INBOUND for line in self.fields)

    def to_columns(self, data: Mapping[str, Json]) -> Mapped:
        """Columns for the legacy fields in `data`; fields absent from it are left alone.

        A field may become several columns (its option, and its label as it was). One that is neither mapped
        nor dropped is a fault: nothing is ignored silently. A blank leaves out a column that always has a
        value.
        """
        values: dict[str, Unresolved] = {**self.constants}
        crossings = self._crossings
        composed, faults = self._composed(data) if self.composed else ({}, [])
        is_strange = not self._known.issuperset(data)
        for name, raw in ({**data, **composed} if composed else data).items():
            if is_strange and name in data and name not in self._known:
                faults.append(Fault(pointer(name), Code.UNKNOWN_FIELD, f"a field of {self.entity}"))
            crossing = crossings.get(name)
            while crossing is not None:
                column, to_dataverse, is_clearable, crossing = crossing
                try:
                    value = to_dataverse(raw)
                    if value is not None or is_clearable:
                        values[column] = value
                except Unfit as unfit:
                    faults.append(Fault(pointer(name), unfit.code, unfit.expected))
        if self.check is not None and not faults:
            faults.extend(self.check(data))
        return Mapped(values, tuple(faults))

    def key_faults(self, record_id: str, data: Mapping[str, Json]) -> tuple[Fault, ...]:
        """What is wrong with a record's own word for its id: it must be the one it was sent under."""
        said = {**data, **self._composed(data)[0]}.get(self.key)
        if said is None or normalised_id(str(said)) in {"", record_id}:
            return ()
        where = next((entry.parts[0] for entry in self.composed if entry.name == self.key), self.key)
        return (Fault(pointer(where), Code.IDENTITY_MISMATCH, "the record that sourceKey names"),)

    def as_agreed(self, values: Mapping[str, Value], agreed: Mapping[str, Value]) -> dict[str, Value]:
        """The same values, but what is agreed wherever the legacy system could not tell it from what it says.

        Dataverse may know more (On Hold, Cancelled) than the legacy system has words for (open, lost). A
        record that is sent for another reason says its poorer word again; that is no change of the richer.
        """
        kept = dict(values)
        for line in self.fields:
            name = line.column.name
            if line.flow is not Flow.BOTH or name not in values or name not in agreed:
                continue
            if values[name] != agreed[name] and _same_word(line, values[name], agreed[name]):
                kept[name] = agreed[name]
        return kept

    def to_fields(self, columns: Mapping[str, Unresolved]) -> Mapped:
        """Legacy fields for the columns given; columns no outbound line knows are left alone."""
        values: dict[str, Json] = {}
        faults: list[Fault] = []
        for line in self.fields:
            if line.flow is Flow.INBOUND or line.column.name not in columns:
                continue
            try:
                values[line.legacy] = line.via.to_legacy(columns[line.column.name])
            except Unfit as unfit:
                faults.append(Fault(f"/data/{line.column.name}", unfit.code, unfit.expected))
        return Mapped(values, tuple(faults))

    def identity(self, key: RecordKey) -> dict[str, Value]:
        """The columns that tell a row which record it is; raises InvalidMessage for a key too long."""
        if self.source_key is None:
            return {}
        units = len(str(key).encode("utf-16-le", "surrogatepass")) // 2
        if units > (self.source_key.max_length or 0):
            expected = f"a key of at most {self.source_key.max_length} characters with system and entity"
            raise InvalidMessage(Fault("/sourceKey", Code.VALUE_TOO_LONG, expected))
        return {self.source_key.name: str(key)}

    def field_of(self, column: str) -> str:
        """The legacy field a column comes from; the column's own name where no field is mapped to it."""
        lines = (line for line in self.fields if line.column.name == column)
        return next((line.legacy for line in lines), column)

    def _expected(self, mapped: Iterable[str]) -> frozenset[str]:
        """The fields that are no surprise: those of a line, and some that are no line's."""
        parts = {part for entry in self.composed for part in entry.parts}
        others = {self.key, self.row_id or self.key, self.parts.field if self.parts else self.key}
        known = others | {line.legacy for line in self.dropped} | parts | set(mapped)
        return frozenset(known - {entry.name for entry in self.composed})

    def _composed(self, data: Mapping[str, Json]) -> tuple[dict[str, Json], list[Fault]]:
        """The fields put together from others, and the fields missing for that."""
        made: dict[str, Json] = {}
        faults: list[Fault] = []
        for entry in self.composed:
            missing = [part for part in entry.parts if part not in data]
            if entry.is_told(data):
                try:
                    made[entry.name] = entry.put([data.get(part) for part in entry.parts])
                except Unfit as unfit:
                    faults.append(Fault(pointer(entry.parts[0]), unfit.code, unfit.expected))
            elif len(missing) < len(entry.parts) and not (entry.first_alone or entry.any_alone):
                whole = f"the whole of {entry.name}: {', '.join(entry.parts)}"
                faults.extend(Fault(pointer(part), Code.MISSING_FIELD, whole) for part in missing)
        return made, faults

    def row_field(self, row: UUID) -> dict[str, Json]:
        """The legacy field that tells a record which row it is; empty where the system has none."""
        return {self.row_id: str(row)} if self.row_id else {}


def _same_word(line: Line, value: Value, agreed: Value) -> bool:
    """Whether the legacy system writes both values alike; a lookup's way back is not a word."""
    if line.via.refers is not None or value is None or agreed is None:
        return False
    try:
        return bool(line.via.to_legacy(value) == line.via.to_legacy(agreed))
    except Unfit:
        return False


def pointer(name: str) -> str:
    """The JSON pointer of a data field (RFC 6901 escapes)."""
    return "/data/" + name.replace("~", "~0").replace("/", "~1")
