"""Whether a file's header is the declared one."""

from collections.abc import Sequence
from typing import Any

from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Unreadable


def likeness(entry: Object, cells: Sequence[Any]) -> float:
    """Which share of the declared columns stands in a row."""
    wanted = {column.name for column in entry.columns if not column.optional}
    return len(wanted & {str(cell).strip() for cell in cells}) / len(wanted)


def checked(entry: Object, header: Sequence[str], line: int) -> tuple[Remark, ...]:
    """What is odd about a header that can be read; raises Unreadable for one that cannot."""
    known = {column.name for column in entry.columns}
    wanted = [column.name for column in entry.columns if not column.optional]
    where = f"header in line {line}"
    grave = [
        Remark(FindingCode.FILE_COLUMN_REPEATED, where, name)
        for name in dict.fromkeys(header)
        if name and header.count(name) > 1
    ]
    grave += [Remark(FindingCode.FILE_COLUMN_MISSING, where, name) for name in wanted if name not in header]
    milder = [
        Remark(FindingCode.FILE_COLUMN_UNKNOWN, where, name)
        for name in dict.fromkeys(header)
        if name not in known
    ]
    if grave:
        raise Unreadable(*grave, *milder)
    order = [name for name in header if name in known]
    if order != [column.name for column in entry.columns if column.name in order]:
        milder.append(Remark(FindingCode.FILE_COLUMNS_REORDERED, where))
    return tuple(milder)
