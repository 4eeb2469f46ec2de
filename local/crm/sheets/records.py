"""The records of a CRM of workbooks, kept in SQLite, and what the CRM fills in by itself."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from local.crm.sheets.declaration import Module, SheetSystem

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    module TEXT NOT NULL,
    id TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (module, id)
);
"""


class WrongError(ValueError):
    """What was typed, or imported, cannot be kept; `code` and `column` say why to a program."""

    def __init__(self, text: str, code: str = "not_kept", column: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.column = column


class Records:
    """Every record, by module and id."""

    def __init__(
        self, system: SheetSystem, database: sqlite3.Connection, now: Callable[[], datetime]
    ) -> None:
        self._system = system
        self._modules = {module.name: module for module in system.all_modules}
        self._database = database
        self._now = now

    def module(self, name: str) -> Module:
        """A module by its name; LookupError when there is none."""
        if name not in self._modules:
            raise LookupError("no such module")
        return self._modules[name]

    def all(self, module: Module) -> list[dict[str, str]]:
        """Every record of a module, in the order in which they were made."""
        rows = self._database.execute(
            "SELECT fields FROM record WHERE module = ? ORDER BY position", (module.name,)
        )
        return [json.loads(row["fields"]) for row in rows]

    def read(self, module: Module, record_id: str) -> dict[str, str] | None:
        """A record, or None."""
        row = self._database.execute(
            "SELECT fields FROM record WHERE module = ? AND id = ?", (module.name, record_id)
        ).fetchone()
        return None if row is None else dict(json.loads(row["fields"]))

    def write(
        self, module: Module, record_id: str, given: Mapping[str, Any], before: Mapping[str, str] | None
    ) -> dict[str, str]:
        """Keep a record with these columns; raises WrongError."""
        if unknown := sorted(set(given) - set(module.kept)):
            raise WrongError(f"unknown columns: {', '.join(unknown)}", "unknown_column", unknown[0])
        if wrong := sorted(name for name, value in given.items() if not isinstance(value, str)):
            raise WrongError(f"not text: {', '.join(wrong)}", "not_text", wrong[0])
        _refuse_content(module, given)
        parts = record_id.split("/")
        if len(parts) != len(module.key):
            raise WrongError(f"an id is {'/'.join(module.key)}", "bad_id")
        local = self._now().astimezone(ZoneInfo(self._system.zone))
        fields = {**dict.fromkeys(module.kept, ""), **given, **dict(zip(module.key, parts, strict=True))}
        stamp = f"{local:%Y-%m-%d}" if module.created in module.days else f"{local:%Y-%m-%dT%H:%M:%S}"
        if module.created and not fields[module.created]:
            fields[module.created] = before[module.created] if before else stamp
        if module.modified:
            fields[module.modified] = stamp
        self._database.execute(
            """INSERT INTO record (module, id, fields) VALUES (?, ?, ?)
               ON CONFLICT (module, id) DO UPDATE SET fields = excluded.fields""",
            (module.name, record_id, json.dumps(fields)),
        )
        return fields

    def stamp(self) -> str:
        """The local time, to the second."""
        return f"{self._now().astimezone(ZoneInfo(self._system.zone)):%Y-%m-%dT%H:%M:%S}"

    def delete(self, module: Module, record_id: str) -> None:
        """Remove a record."""
        self._database.execute("DELETE FROM record WHERE module = ? AND id = ?", (module.name, record_id))

    def new_id(self, module: Module) -> str:
        """The next id of a module: its prefix, and one more than the greatest number there is."""
        prefix = module.prefix
        numbers = [
            int(rest)
            for record in self.all(module)
            if (rest := record[module.key[0]].removeprefix(prefix)).isdigit()
        ]
        return f"{prefix}{max(numbers, default=0) + 1:05d}"

    def named(self, module: Module, column: str, value: str) -> dict[str, str] | None:
        """The first record with that value in a column."""
        return next((record for record in self.all(module) if value and record.get(column) == value), None)


def _refuse_content(module: Module, given: Mapping[str, Any]) -> None:
    if module.files is None:
        return
    try:
        base64.b64decode(given.get(module.files.content, ""), validate=True)
    except binascii.Error as invalid:
        column = module.files.content
        raise WrongError(f"not base64: {column}", "not_base64", column) from invalid
