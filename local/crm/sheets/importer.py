"""The import of a CRM of workbooks: reads what waits in a place, does it row by row, and answers each row.

A row is done whole or not at all, and only while every column it sets still holds what the row says it held.
A row that was seen before gets its old answer; a record that was made under the same reference is not made
again. An apostrophe before a text is the mark of a text, as in every spreadsheet, and no part of it.
"""

import datetime as dt
import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import fsspec
from python_calamine import CalamineError, CalamineWorkbook

from local.crm.sheets.declaration import Module, SheetSystem
from local.crm.sheets.drop import typed
from local.crm.sheets.records import Records, WrongError
from local.crm.sheets.workbook import Cell, workbook

REFUSES, LATE, PARTLY, MUTE, LOSES, SHUFFLED, HALF = (
    "refuses",
    "late",
    "partly",
    "mute",
    "loses",
    "shuffled",
    "half_written",
)
IMPORT_QUIRKS = frozenset({REFUSES, LATE, PARTLY, MUTE, LOSES, SHUFFLED, HALF})

IMPORTED = """
CREATE TABLE IF NOT EXISTS imported_row (name TEXT PRIMARY KEY, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS imported_file (
    name TEXT PRIMARY KEY,
    rows TEXT NOT NULL,
    is_told INTEGER NOT NULL
);
"""

_OWN = ("Row", "Result", "Code", "Field", "Imported At")
_WAS = " (was)"

Answer = dict[str, str]


class Importer:
    """Runs imports."""

    def __init__(self, system: SheetSystem, records: Records, database: sqlite3.Connection, url: str) -> None:
        self._modules = {module.label: module for module in system.modules if module.prefix}
        self._records = records
        self._database = database
        self._url = url

    def run(self, at: dt.datetime, quirks: frozenset[str]) -> dict[str, list[Answer]]:
        """Import every workbook that waits; returns what became of the rows, by file."""
        filesystem, root = fsspec.core.url_to_fs(self._url)
        filesystem.invalidate_cache()
        try:
            paths = sorted(filesystem.ls(root, detail=False))
        except FileNotFoundError:
            return {}
        names = {path.replace("\\", "/").rsplit("/", 1)[-1]: path for path in paths}
        done: dict[str, list[Answer]] = {}
        for name, path in names.items():
            if not name.endswith(".xlsx") or name.endswith(".ack.xlsx"):
                continue
            if f"{name.removesuffix('.xlsx')}.ack.xlsx" in names and self._is_told(name):
                continue
            if LOSES in quirks:
                filesystem.rm_file(path)
                continue
            answers = self._answers(name, filesystem.cat_file(path), at, quirks)
            if answers is None:
                continue
            done[name] = answers
            if LATE not in quirks:
                self._tell(filesystem, root, name, answers, quirks)
        return done

    def _is_told(self, name: str) -> bool:
        """Whether the acknowledgement of a workbook is whole."""
        row = self._database.execute("SELECT is_told FROM imported_file WHERE name = ?", (name,)).fetchone()
        return row is None or bool(row["is_told"])

    def _answers(
        self, name: str, content: bytes, at: dt.datetime, quirks: frozenset[str]
    ) -> list[Answer] | None:
        """What becomes of a workbook's rows; None for what is no workbook of ours."""
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        except CalamineError:
            return None
        module = self._modules.get(book.sheet_names[0])
        if module is None:
            return None
        header, *rows = book.get_sheet_by_name(book.sheet_names[0]).to_python(skip_empty_area=False)
        answers: list[Answer] = []
        for cells in rows:
            row = {str(title): _said(cell) for title, cell in zip(header, cells, strict=False)}
            refuses = REFUSES in quirks and not answers
            answers.append(self._once(module, row, at, refuses=refuses))
        self._database.execute(
            "INSERT OR REPLACE INTO imported_file (name, rows, is_told) VALUES (?, ?, 0)",
            (name, json.dumps([answer["Row"] for answer in answers])),
        )
        return answers

    def _once(self, module: Module, row: Mapping[str, str], at: dt.datetime, *, refuses: bool) -> Answer:
        """A row's answer: the old one, where it was seen before."""
        seen = self._database.execute(
            "SELECT answer FROM imported_row WHERE name = ?", (row["Row"],)
        ).fetchone()
        if seen is not None:
            answer: Answer = json.loads(seen["answer"])
            return answer
        said = {"Row": row["Row"], "Imported At": f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"}
        try:
            said |= {"Result": "Refused", "Code": "rule"} if refuses else self._done(module, row)
        except WrongError as wrong:
            said |= {"Result": "Refused", "Code": wrong.code, "Field": wrong.column}
        self._database.execute(
            "INSERT INTO imported_row (name, answer) VALUES (?, ?)", (row["Row"], json.dumps(said))
        )
        return said

    def _done(self, module: Module, row: Mapping[str, str]) -> Answer:
        """Do what a row asks for; raises WrongError."""
        key, operation = row[module.key[0]], row["Operation"]
        names = [name for name in row["Sets"].split("; ") if name]
        if operation == "Create":
            return self._made(module, {name: row.get(name, "") for name in names})
        held = self._records.read(module, key)
        if held is None:
            if operation == "Delete":
                return {"Result": "Accepted", module.key[0]: key}
            raise WrongError("no such record", "no_such_record")
        given = {name: row.get(name, "") for name in names}
        if any(name not in module.columns for name in names):
            raise WrongError("unknown column", "unknown_column", next(n for n in names if n not in held))
        differs = [name for name in names if not _same(module, name, held.get(name, ""), row[name + _WAS])]
        already = operation == "Update" and all(
            _same(module, name, held.get(name, ""), value) for name, value in given.items()
        )
        if differs and not already:
            return {"Result": "Changed", **held}
        if operation == "Delete":
            self._records.delete(module, key)
            return {"Result": "Accepted", module.key[0]: key}
        fields = self._completed(module, {**held, **given})
        return {"Result": "Accepted", **self._records.write(module, key, fields, held)}

    def _made(self, module: Module, given: Mapping[str, str]) -> Answer:
        """A new record, or the one that was made under this reference."""
        there = self._records.named(module, module.reference, given.get(module.reference, ""))
        if there is not None:
            return {"Result": "Accepted", **there}
        fields = self._completed(module, {**module.defaults, **given})
        made = self._records.write(module, self._records.new_id(module), fields, None)
        return {"Result": "Accepted", **made}

    def _completed(self, module: Module, given: Mapping[str, str]) -> dict[str, str]:
        """The columns with what the CRM fills in; raises WrongError for what it does not take."""
        fields = dict(given)
        for link in module.links:
            there = self._records.module(link.module)
            found = self._records.read(there, fields[link.column]) if fields.get(link.column) else None
            if found is None and fields.get(link.column):
                raise WrongError("no such record", "unknown_record", link.column)
            if link.column in fields:
                fields[link.shown] = found[link.name] if found else ""
        for whole, parts in module.joined.items():
            fields[whole] = " ".join(fields[part] for part in parts if fields.get(part))
        if module.stamp is not None:
            before = fields.get(module.stamp.column) or self._records.stamp()
            is_on = fields.get(module.stamp.of) in module.stamp.words
            fields[module.stamp.column] = before if is_on else ""
        self._check(module, fields)
        return fields

    def _check(self, module: Module, fields: Mapping[str, str]) -> None:
        known = {user["Name"] for user in self._records.all(self._records.module("users"))}
        for name in module.users:
            if known and fields.get(name) and fields[name] not in known:
                raise WrongError("no such user", "unknown_user", name)
        for name in module.required:
            if not fields.get(name):
                raise WrongError(f"{name} is required", "required", name)
        for name in (module.days | module.times | module.numbers) & fields.keys():
            if fields[name] and isinstance(typed(module, name, fields[name]), str):
                raise WrongError(f"{name} is not typed so", "wrong_type", name)

    def _tell(
        self, filesystem: Any, root: str, name: str, answers: Sequence[Answer], quirks: frozenset[str]
    ) -> None:
        told = [] if MUTE in quirks else answers[::2] if PARTLY in quirks else answers
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(filesystem.cat_file(f"{root}/{name}")))
        module = self._modules[sheet.sheet_names[0]]
        columns = [*_OWN, *module.columns]
        if SHUFFLED in quirks:
            columns.reverse()
        rows: list[Sequence[Cell]] = [columns]
        rows += [[typed(module, column, said.get(column, "")) for column in columns] for said in told]
        content = workbook({"Acknowledgement": rows})
        if HALF in quirks:
            content = content[: len(content) // 2]
        filesystem.pipe_file(f"{root}/{name.removesuffix('.xlsx')}.ack.xlsx", content)
        if HALF not in quirks:
            self._database.execute("UPDATE imported_file SET is_told = 1 WHERE name = ?", (name,))


def _said(cell: Any) -> str:
    """A cell as the CRM keeps it."""
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return str(cell).removeprefix("'") if isinstance(cell, str) else str(cell)


def _same(module: Module, name: str, held: str, said: str) -> bool:
    """Whether a column holds what a row says it held."""
    if name in module.numbers and held and said:
        try:
            return Decimal(held) == Decimal(said)
        except InvalidOperation:
            return held == said
    return held.strip() == said.strip()
