"""How a system takes records by workbook: the declaration of its imports, and the rows made by it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.core.change import Json
from shared.core.pending import Acknowledged, Answer, Asked, PendingWrite
from shared.core.reading import record
from shared.core.reading.export import Column, Format, Object
from shared.core.reading.kinds import Day, Instant, Key, Number, Text
from shared.core.reading.moments import Clock
from shared.core.reading.source import Row

Cell: TypeAlias = "str | Decimal | dt.date | dt.datetime | None"
"""What a cell of a workbook holds; a datetime is the system's local time."""


@dataclass(frozen=True, slots=True)
class Imports:
    """Everything that is known beforehand about a system's imports.

    `modules` are the objects of its export that it takes back, one workbook each. A row names itself, what
    is to be done, the record, and the columns it sets; beside each stands what the column is taken to hold,
    under its name with `was` behind it. A blank in a column that is set clears it.

    The acknowledgement repeats each row's name, says what became of it and when, and shows the record as it
    is afterwards. `modified` is the column that tells when a record last changed.
    """

    system: str
    modules: tuple[Object, ...]
    clock: Clock
    modified: str | None = None
    row: str = "Row"
    operation: str = "Operation"
    sets: str = "Sets"
    was: str = " (was)"
    acknowledgement: str = "Acknowledgement"
    result: str = "Result"
    code: str = "Code"
    about: str = "Field"
    imported: str = "Imported At"
    operations: Mapping[Asked, str] = field(
        default_factory=lambda: {asked: asked.value.capitalize() for asked in Asked}
    )
    answers: Mapping[str, Answer] = field(
        default_factory=lambda: {answer.value.capitalize(): answer for answer in Answer}
    )

    def module(self, entity: str) -> Object | None:
        """The module of an entity, by its word on the bus."""
        return next((each for each in self.modules if each.entity.replace(" ", "_") == entity), None)

    def stem(self, module: Object, made_at: dt.datetime) -> str:
        """What the name of a module's workbook begins with."""
        label = (module.sheet or module.entity).replace(" ", "-")
        return f"{label}-{made_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"

    def answer_to(self, module: Object, name: str) -> Object:
        """The acknowledgement of the workbook of that name, as an object to be read."""
        own = (
            Column(self.row, Key()),
            Column(self.result, Text()),
            Column(self.code, Text(), optional=True),
            Column(self.about, Text(), optional=True),
            Column(self.imported, Instant(self.clock)),
        )
        held = tuple(replace(column, required=False, optional=True) for column in module.columns)
        return Object(
            module.entity,
            answered_in(name),
            Format.WORKBOOK,
            (self.row,),
            (*own, *held),
            sheet=self.acknowledgement,
        )

    def acknowledged(
        self, module: Object, entry: Object, row: Row, now: dt.datetime
    ) -> tuple[UUID, Acknowledged] | None:
        """What a row of an acknowledgement says, and about which row; None when it says neither."""
        said = record.read(entry, row, self.modified if module.column(self.modified or "") else None)
        answer = self.answers.get(str(said.data.get(self.result, "")).strip().capitalize())
        try:
            name = UUID(said.id)
        except ValueError:
            return None
        at = _instant(said.data.get(self.imported))
        if answer is None or at is None:
            return None
        held = {column.name: said.data[column.name] for column in module.columns if column.name in said.data}
        ids = [str(held.get(part) or "") for part in module.key]
        return name, Acknowledged(
            answer,
            min(at, now),
            record.joined(ids) or None,
            held if answer is not Answer.REFUSED else {},
            record.moment(entry, said, min(at, now), self.modified),
            str(said.data.get(self.code) or "") or "unnamed",
            str(said.data.get(self.about) or "") or None,
        )


def answered_in(name: str) -> str:
    """The name of the acknowledgement of a workbook."""
    return f"{name.removesuffix('.xlsx')}.ack.xlsx"


def table(imports: Imports, module: Object, rows: Sequence[tuple[UUID, PendingWrite]]) -> list[list[Cell]]:
    """A workbook's rows below their header: the same ones each time."""
    named = {name for _, write in rows for name in (*write.fields, *write.was)}
    ordered = [column.name for column in module.columns if column.name in named - set(module.key)]
    columns = ordered + sorted(named - set(ordered) - set(module.key))
    header: list[Cell] = [imports.row, imports.operation, *module.key, imports.sets]
    header += [name for column in columns for name in (column, column + imports.was)]
    return [header, *(_cells(imports, module, columns, name, write) for name, write in rows)]


def _cells(
    imports: Imports, module: Object, columns: Sequence[str], name: UUID, write: PendingWrite
) -> list[Cell]:
    told = write.was if write.asked is Asked.DELETE else write.fields
    cells: list[Cell] = [str(name), imports.operations[write.asked]]
    cells += record.parted(write.id or "", len(module.key))
    cells.append("; ".join(column for column in columns if column in told))
    for column in columns:
        kind = module.column(column)
        cells += [_cell(imports, kind, values.get(column)) for values in (write.fields, write.was)]
    return cells


def _cell(imports: Imports, column: Column | None, value: Json) -> Cell:
    """A value as the cell its column is typed for; what does not fit stays text, for the system to refuse."""
    if value is None or value == "":
        return None
    text = str(value)
    try:
        if column is not None and isinstance(column.kind, Number):
            return Decimal(text)
        if column is not None and isinstance(column.kind, Day):
            return dt.date.fromisoformat(text)
        if column is not None and isinstance(column.kind, Instant):
            at = dt.datetime.fromisoformat(text)
            return at.astimezone(ZoneInfo(imports.clock.zone)).replace(tzinfo=None)
    except (ValueError, InvalidOperation):
        return text
    return text


def _instant(value: Json) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) and value else None
