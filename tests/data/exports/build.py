"""Our own small, dirty export of each system: written from the facts beside this file, as the system would.

The people and companies are invented. What is wrong with the exports is wrong on purpose, and
`tests/data/expected` says what becomes of each record.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.crm.sheets.workbook import Cell, Formula, workbook
from mappers.legrand.export import EXPORT

FACTS = Path(__file__).parent
USERS = FACTS / "users.json"
"""The destination's users, as the Web API lists them."""

_MANIFEST = "export_manifest.json"
_RECORDS = {"activities_email.json": "activity_id", "custom_fields.json": "key"}


def allegory(folder: Path) -> None:
    """Allegory's export: the files as they are, and a manifest that is right about them."""
    shutil.copytree(FACTS / "allegory", folder)
    manifest(folder)


def manifest(folder: Path, exported: str = "2018-01-02T06:00:00Z") -> None:
    """The manifest of the files in a folder, as of a moment."""
    listed = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != _MANIFEST]
    told = {
        "system": "Allegory",
        "exported_at": exported,
        "default_time_zone": "America/New_York",
        "date_format": "ISO-8601; legacy screens used MM/dd/yyyy h:mm a",
        "files": [_listed(path) for path in listed],
    }
    (folder / _MANIFEST).write_text(json.dumps(told, indent=1), "utf-8")


def _listed(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if path.suffix == ".json":
        rows = len(json.loads(content)) if path.name in _RECORDS else None
    else:
        rows = len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))) - 1
    return {
        "file": path.name,
        "rows": rows,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


Facts = dict[str, dict[str, Any]]
"""The sheets of a workbook: their rows by column name, title lines above and blank rows below."""


def legrand(
    folder: Path,
    change: Callable[[str, Facts], None] = lambda _name, _facts: None,
    exported: str = "02/01/2018 17:00",
) -> None:
    """Legrand's export: a workbook per module, the two folders and the log; `change` may alter the facts of
    a workbook before it is written, as a person at the screen would.
    """
    folder.mkdir(parents=True)
    log = [("Module", "File", "Rows", "Exported At")]
    for path in sorted((FACTS / "legrand").glob("*.json")):
        facts: Facts = json.loads(path.read_text("utf-8"))
        change(path.stem, facts)
        file = f"{path.stem}.xlsx"
        (folder / file).write_bytes(workbook({name: _rows(name, said) for name, said in facts.items()}))
        log += [
            (name, file, str(len(said["rows"])), exported) for name, said in facts.items() if name != "_meta"
        ]
    for name in ("Activities", "Documents"):
        shutil.copytree(FACTS / "legrand" / name, folder / name)
    log.append(("Activities", "Activities/", str(len(list((folder / "Activities").iterdir()))), exported))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(log)
    (folder / "export_log.csv").write_text(text.getvalue(), "utf-8")


def _rows(sheet: str, said: Mapping[str, Any]) -> list[list[Cell]]:
    rows: list[dict[str, Any]] = said["rows"]
    declared = next((entry for entry in EXPORT.objects if entry.sheet == sheet), None)
    header = [column.name for column in declared.columns] if declared else list(rows[0])
    above: list[list[Cell]] = [[line] for line in said.get("title", ())]
    below: list[list[Cell]] = [[" "]] * said.get("blank_rows", 0)
    return [*above, list(header), *([_cell(row.get(name)) for name in header] for row in rows), *below]


def _cell(value: Any) -> Cell:
    """A cell as the facts tell it: text and numbers as they are, days, times and formulas by their word."""
    if not isinstance(value, dict):
        cell: Cell = value
        return cell
    (word, said) = next(iter(value.items()))
    if word == "day":
        return dt.date.fromisoformat(said)
    return Formula(said) if word == "formula" else dt.datetime.fromisoformat(said)
