"""An export drop of workbooks and its log, whole or with what goes wrong with such exports."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import fsspec

from local.crm.sheets.declaration import Module, SheetSystem
from local.crm.sheets.folders import files, shown_records
from local.crm.sheets.workbook import Cell, workbook

HALF, NO_COMMENTS, TITLE, TRUNCATED, RENAMED = (
    "half_written",
    "no_comments",
    "title_rows",
    "truncated",
    "renamed_sheet",
)
QUIRKS = frozenset({HALF, NO_COMMENTS, TITLE, TRUNCATED, RENAMED})

_CUT_AT = 700
"""Rows after which Legrand cuts a sheet on a bad day; its log tells the true count all the same."""

Records = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which quirks an export is to have; a module's sheet is meant where one of them needs a sheet."""

    quirks: frozenset[str] = frozenset()
    module: str = "companies"
    rows: int = _CUT_AT

    def of(self, module: Module, quirk: str) -> bool:
        """Whether the quirk is to show in this module's file."""
        return quirk in self.quirks and module.name == self.module


def write_drop(
    url: str, system: SheetSystem, at: dt.datetime, records: Mapping[str, Records], wanted: Wanted
) -> list[str]:
    """Write the workbooks under `url`, a sheet per module, folders, then the log; returns the files written.

    A half-written drop ends in the middle of the last workbook, without folders and log. Raises OSError.
    """
    records = shown_records(system, records)
    filesystem, root = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    with suppress(FileExistsError):
        filesystem.mkdir(root, create_parents=True)
    modules = [
        module
        for module in system.modules
        if not (module.name == system.separate and NO_COMMENTS in wanted.quirks)
    ]
    books: dict[str, list[Module]] = {}
    for module in modules:
        books.setdefault(module.file, []).append(module)
    written: list[str] = []
    for file, sheets in books.items():
        content = workbook(dict(_sheet(module, records[module.name], wanted) for module in sheets))
        if HALF in wanted.quirks and len(written) == len(books) - 1:
            content = content[: len(content) // 2]
        filesystem.pipe_file(f"{root}/{file}", content)
        written.append(file)
    if HALF in wanted.quirks:
        return written
    for path, content in files(system, records):
        with suppress(FileExistsError):
            filesystem.mkdir(f"{root}/{path}".rpartition("/")[0], create_parents=True)
        filesystem.pipe_file(f"{root}/{path}", content)
        written.append(path)
    if system.texts:
        modules.append(system.texts.module)
    filesystem.pipe_file(f"{root}/{system.log}", _log(system, at, modules, records))
    return [*written, system.log]


def _sheet(module: Module, records: Records, wanted: Wanted) -> tuple[str, list[Sequence[Cell]]]:
    """The name and the rows of a module's sheet."""
    rows: list[Sequence[Cell]] = [module.columns]
    rows += [[typed(module, name, record.get(name, "")) for name in module.columns] for record in records]
    if wanted.of(module, TRUNCATED):
        rows = rows[: wanted.rows + 1]
    if wanted.of(module, TITLE):
        rows = [[f"{module.label} export"], ["Confidential"], *rows]
    return f"{module.label} (1)" if wanted.of(module, RENAMED) else module.label, rows


def typed(module: Module, name: str, value: str) -> Cell:
    """The cell of a value; what is no day, time or number is text, as people typed it."""
    try:
        if value and name in module.days:
            return dt.date.fromisoformat(value)
        if value and name in module.times:
            return dt.datetime.fromisoformat(value).replace(tzinfo=None)
        if value and name in module.numbers:
            return float(value)
    except ValueError:
        return value
    return value


def _log(
    system: SheetSystem, at: dt.datetime, modules: Sequence[Module], records: Mapping[str, Records]
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("Module", "File", "Rows", "Exported At"))
    local = at.astimezone(ZoneInfo(system.zone))
    for module in modules:
        row = (module.label, module.file, len(records[module.name]), f"{local:%d/%m/%Y %H:%M:%S}")
        writer.writerow(row)
    return text.getvalue().encode()
