"""The list that completes an export, against what is there (P-01, P-20)."""

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.reading import moments
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import CustomFields, CustomObjects, Export, Format, Object
from shared.core.reading.export import Inventory as Declared
from shared.core.reading.finding import Remark
from shared.core.reading.source import Source


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list says of one file, or of one sheet in it."""

    file: str
    sheet: str | None
    count: int | None
    size: int | None
    sha256: str | None
    exported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The list as read; without one, nothing can be compared and the export is not complete."""

    listed: tuple[Listed, ...]
    remarks: tuple[tuple[str, Remark], ...] = ()

    def of(self, entry: Object) -> Listed | None:
        """What the list says of an object; it counts rows, so of the entries of a column it says nothing."""
        if entry.each is not None:
            return None
        return next(
            (said for said in self.listed if said.file == entry.file and said.sheet in {None, entry.sheet}),
            None,
        )


def read(export: Export, source: Source) -> Inventory:
    """Read the export's list; what keeps it from being read is among its remarks."""
    said = export.inventory
    if said.file not in source.files():
        return Inventory((), ((said.file, Remark(FindingCode.DROP_INCOMPLETE)),))
    try:
        text = source.content(said.file).decode("utf-8-sig")
        document: Any = json.loads(text) if said.format is Format.JSON else None
        entries = _entries(document, said.rows) if said.format is Format.JSON else _rows(text)
        whole = document if isinstance(document, dict) else {}
        listed = tuple(
            Listed(
                str(entry[said.name]),
                _sheet(export, entry, said.sheet),
                _number(entry, said.count),
                _number(entry, said.size),
                str(entry[said.sha256]).lower() if said.sha256 and entry.get(said.sha256) else None,
                _exported(said, {**whole, **entry}),
            )
            for entry in entries
        )
    except (ValueError, KeyError, TypeError, csv.Error):
        return Inventory((), ((said.file, Remark(FindingCode.DROP_LIST_UNREADABLE)),))
    return Inventory(listed)


def compared(export: Export, source: Source, inventory: Inventory) -> Iterator[tuple[str, Remark]]:
    """What differs between the list and the files, their records aside."""
    yield from inventory.remarks
    files = source.files()
    for said in {entry.file: entry for entry in inventory.listed}.values():
        if said.file.endswith("/") or said.file not in files:
            continue
        if said.size is not None and said.size != files[said.file]:
            yield (
                said.file,
                Remark(FindingCode.FILE_SIZE_DIFFERS, f"{files[said.file]} bytes, {said.size} listed"),
            )
        elif said.sha256 is not None and source.sha256(said.file) != said.sha256:
            yield said.file, Remark(FindingCode.FILE_HASH_DIFFERS)
    known = {said.file for said in inventory.listed} | {entry.file for entry in export.objects}
    for said in inventory.listed:
        declared = {entry.file for entry in export.objects} | _definitions(export)
        if said.file not in declared and said.file not in files:
            yield said.file, Remark(FindingCode.FILE_MISSING)
    folders = {entry.attachments.folder for entry in export.objects if entry.attachments}
    for path in files:
        inside = any(path.startswith(folder) for folder in folders)
        told = (
            path in known
            or path == export.inventory.file
            or any(path.startswith(n) for n in known if n.endswith("/"))
        )
        if not inside and not told and inventory.listed:
            yield path, Remark(FindingCode.FILE_UNLISTED)


def counted(inventory: Inventory, entry: Object, found: int) -> tuple[Remark, ...]:
    """A remark when an object holds more or fewer records than the list says."""
    said = inventory.of(entry)
    if said is None or said.count is None or said.count == found:
        return ()
    where = f" in sheet {entry.sheet}" if entry.sheet else ""
    return (Remark(FindingCode.FILE_COUNT_DIFFERS, f"{found} records{where}, {said.count} listed"),)


def custom_fields(
    said: CustomFields, headers: Mapping[str, Collection[str]], source: Source
) -> Iterator[tuple[str, Remark]]:
    """Custom fields that are defined and not exported, or that cannot be called so in Dataverse (A-10a).

    `headers` has the columns of every entity whose file could be read.
    """
    entries, remark = _defined(said.file, source)
    if remark:
        yield said.file, remark
    for entry in entries:
        field, entity = str(entry.get(said.key) or ""), str(entry.get(said.entity) or "")
        if entity in headers and field not in headers[entity]:
            yield said.file, Remark(FindingCode.CUSTOM_FIELD_NOT_EXPORTED, f"defined for {entity}", field)
        if not (field.isascii() and field.replace("_", "").isalnum()):
            yield said.file, Remark(FindingCode.CUSTOM_FIELD_NAME, f"defined for {entity}", field)


def custom_objects(said: CustomObjects, source: Source) -> Iterator[tuple[str, Remark]]:
    """Custom objects that have rows and no file, and whether there are too many of them (A-10b)."""
    entries, remark = _defined(said.file, source)
    if remark:
        yield said.file, remark
    for entry in entries:
        if entry.get(said.count):
            detail = f"{entry.get(said.name)}: {entry[said.count]} rows"
            yield said.file, Remark(FindingCode.CUSTOM_OBJECT_NOT_EXPORTED, detail)
    if len(entries) > said.most:
        yield said.file, Remark(FindingCode.CUSTOM_OBJECTS_MANY, f"{len(entries)}, at most {said.most}")


def _defined(file: str, source: Source) -> tuple[list[dict[str, Any]], Remark | None]:
    if file not in source.files():
        return [], Remark(FindingCode.FILE_MISSING)
    try:
        entries = json.loads(source.content(file).decode("utf-8-sig"))
    except ValueError:
        return [], Remark(FindingCode.FILE_MALFORMED, "not JSON")
    if not isinstance(entries, list):
        return [], Remark(FindingCode.FILE_MALFORMED, "not an array")
    return [entry for entry in entries if isinstance(entry, dict)], None


def _definitions(export: Export) -> set[str]:
    return {said.file for said in (export.custom_fields, export.custom_objects) if said is not None}


def _entries(document: Any, path: str | None) -> list[Mapping[str, Any]]:
    found = document[path] if path else document
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _rows(text: str) -> list[Mapping[str, Any]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _sheet(export: Export, entry: Mapping[str, Any], name: str | None) -> str | None:
    """The sheet an entry speaks of, if the list tells sheets apart and the object has any."""
    sheets = {known.sheet for known in export.objects if known.sheet}
    return str(entry[name]) if name and entry[name] in sheets else None


def _number(entry: Mapping[str, Any], name: str | None) -> int | None:
    value = entry[name] if name else None
    return None if value is None or value == "" else int(value)


def _exported(said: Declared, entry: Mapping[str, Any]) -> datetime | None:
    """When a file was written, as far as the list tells so that it can be read."""
    if said.exported is None or said.clock is None:
        return None
    value: datetime | None = moments.read_instant(entry.get(said.exported), said.clock).value
    return value
