"""A row of an export as a record that can cross: what it says as text, or why it is kept out.

What is judged here is the record alone. Whether its owner and the records it names are there is asked later,
by the lane: live, a record waits for its parent and goes on by itself.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.core.change import Json
from shared.core.identity import normalised_id
from shared.core.reading import kinds, text
from shared.core.reading.codes import RULES, FindingCode, Severity
from shared.core.reading.export import Column, KindReference, Object
from shared.core.reading.finding import Remark
from shared.core.reading.kinds import Day, written
from shared.core.reading.rules import Never, Order, Product, Sum
from shared.core.reading.source import Row
from shared.core.reading.word_kinds import Tags

_HOLD = Severity.HOLD
_BARRING = {_HOLD, Severity.REFUSE}

_LONGEST_ID = 128
"""Characters of a key that the crosswalk holds."""


@dataclass(frozen=True, slots=True)
class Read:
    """A record as read; `barred` says why it is kept out, if it is. Without an `id` nobody can say whose.

    `entity` is what it says itself that it is, where its file holds several kinds; blank when it does not.
    """

    id: str
    data: Mapping[str, Json]
    modified: dt.datetime | dt.date | None
    barred: tuple[Remark, ...] = ()
    entity: str = ""

    @property
    def content(self) -> bytes:
        """What tells two states of the record apart."""
        return hashlib.sha256(json.dumps(dict(self.data), sort_keys=True).encode()).digest()


def read(entry: Object, row: Row, modified: str | None = None) -> Read:
    """The record in a row; `modified` names the column that tells when it last changed."""
    values: dict[str, Any] = {}
    data: dict[str, Json] = {}
    remarks: list[Remark] = list(row.remarks)
    for column in entry.columns:
        if row.torn and column.name not in entry.key:
            continue
        value, told = _cell(column, row)
        values[column.name] = value
        if column.name in row.cells or not column.optional:
            data[column.name] = _text(column, value, row.cells.get(column.name))
        remarks += [Remark(r.code, r.detail, column.name, r.severity) for r in told]
    if not row.torn:
        remarks += _broken(entry, values)
    record_id = _id(entry, values)
    if len(record_id) > _LONGEST_ID:
        remarks.append(
            Remark(FindingCode.TEXT_TOO_LONG, f"a key, at most {_LONGEST_ID}", entry.key[0], _HOLD)
        )
    barred = tuple(remark for remark in remarks if _bars(remark))
    entity = entry.kinds.of(values.get(entry.kinds.column)) if entry.kinds else ""
    return Read(record_id, data, values.get(modified) if modified else None, barred, entity)


def _broken(entry: Object, values: Mapping[str, Any]) -> Iterator[Remark]:
    """What the record alone breaks, and references to a kind of record that nobody has."""
    for rule in entry.rules:
        if isinstance(rule, Never | Order | Product | Sum):
            yield from rule.remarks(values)
    for reference in entry.references:
        if not isinstance(reference, KindReference) or values.get(reference.field) is None:
            continue
        if reference.entity_of(values.get(reference.kind)) is None:
            yield Remark(FindingCode.REFERENCE_UNKNOWN_KIND, "", reference.kind)


def _bars(remark: Remark) -> bool:
    return (remark.severity or RULES[remark.code].severity) in _BARRING


def moment(entry: Object, found: Read, exported_at: dt.datetime, modified: str | None) -> dt.datetime:
    """When the record changed, as well as the export tells.

    A day alone means its last moment, but never later than the export: the record was as it is here by then.
    Without such a column the export's own time is all there is.
    """
    said = found.modified
    if isinstance(said, dt.datetime):
        return min(said, exported_at)
    column = entry.column(modified) if modified else None
    if said is None or column is None or not isinstance(column.kind, Day):
        return exported_at
    end = dt.datetime.combine(said, dt.time(23, 59, 59), ZoneInfo(column.kind.clock.zone))
    return min(end.astimezone(dt.UTC), exported_at)


def _cell(column: Column, row: Row) -> tuple[Any, tuple[Remark, ...]]:
    cell = row.cells.get(column.name)
    if cell is None or cell == "":
        missing = (Remark(FindingCode.VALUE_MISSING),) if column.required else ()
        return None, missing
    reading = kinds.read(column.kind, cell, row.cells)
    if column.required and reading.value is None and not any(map(_bars, reading.remarks)):
        return None, (*reading.remarks, Remark(FindingCode.VALUE_MISSING))
    return reading.value, reading.remarks


def _text(column: Column, value: Any, cell: Any) -> Json:
    """A value as the maps take it; words parted by a sign keep the sign as it was written."""
    if value is None:
        return ""
    if isinstance(column.kind, Tags):
        return text.meant(str(cell))
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return written(value)


def _id(entry: Object, values: Mapping[str, Any]) -> str:
    """The record's id, as the maps put it together where it has several parts; blank when one is."""
    return joined([written(values.get(name)) for name in entry.key])


def joined(parts: Sequence[str]) -> str:
    """An id of these parts, as the maps put it together; blank when one of them is."""
    whole = [normalised_id(part) for part in parts]
    if not all(whole):
        return ""
    if len(whole) == 1:
        return whole[0]
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in whole)


def parted(record_id: str, count: int) -> list[str]:
    """The parts of an id, as many as its key has columns; blanks where it has none."""
    if count == 1 or not record_id:
        return [record_id, *[""] * (count - 1)]
    return [part.replace("~1", "/").replace("~0", "~") for part in record_id.split("/")]
