"""The export drop: the CRM's file export, written to a folder or a blob container."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import fsspec

from local.crm.declaration import Collection, System
from local.crm.records import Fields

MANIFEST = "export_manifest.json"

_BETWEEN = re.compile(r"[;\n]")


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One collection as CSV (UTF-8, a header, a comma, one line feed) or as an array of JSON."""

    name: str
    rows: int
    content: bytes

    def entry(self) -> dict[str, Any]:
        """Its line in the manifest."""
        return {
            "file": self.name,
            "rows": self.rows,
            "bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }


def file_of(collection: Collection, records: Iterable[Fields]) -> ExportFile:
    """The collection's file: declared columns first, then whatever custom ones its records have."""
    rows = list(records)
    name = collection.exported
    if name.endswith(".json"):
        told = [{column: _told(collection, column, value) for column, value in row.items()} for row in rows]
        return ExportFile(name, len(rows), json.dumps(told, indent=1, ensure_ascii=False).encode())
    custom = sorted({name for row in rows for name in row} - set(collection.columns))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*collection.columns, *custom), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return ExportFile(name, len(rows), text.getvalue().encode())


def _told(collection: Collection, column: str, value: str) -> str | list[str]:
    if column not in collection.lists:
        return value
    return [entry.strip() for entry in _BETWEEN.split(value) if entry.strip()]


def laid_out(
    collection: Collection, records: Iterable[tuple[str, Fields]], content: Callable[[str], bytes]
) -> tuple[list[Fields], dict[str, bytes]]:
    """The records by id, each saying where its file lies in the export, and those files by their paths.

    `content` has a record's bytes and raises LookupError where nobody has put any.
    """
    rows: list[Fields] = []
    files: dict[str, bytes] = {}
    for record_id, fields in records:
        row = dict(fields)
        if collection.folder:
            with suppress(LookupError):
                held = content(record_id)
                row["path"] = f"{collection.folder}/{record_id}/{PurePosixPath(row[collection.content]).name}"
                files[row["path"]] = held
        rows.append(row)
    return rows, files


def write_drop(
    url: str,
    system: System,
    exported_at: str,
    files: Iterable[ExportFile],
    contents: Mapping[str, bytes] = MappingProxyType({}),
) -> Mapping[str, Any]:
    """Write the files under `url` (a folder, or `az://container/...`), then the manifest; returns that.

    `contents` are the files that records tell of, by path; the manifest does not list them.
    The manifest comes last, so a reader that waits for it never sees half an export. A blob container is
    made when missing; the account comes from AZURE_STORAGE_CONNECTION_STRING, which adlfs reads.
    Raises OSError.
    """
    # A blob store has no folders to make.
    options = {} if "://" in url else {"auto_mkdir": True}
    filesystem, root = fsspec.core.url_to_fs(url, **options)
    # Listings are kept per process by default, and a container made meanwhile would stay unseen.
    filesystem.invalidate_cache()
    # Not makedirs: on a blob store only mkdir makes the container.
    with suppress(FileExistsError):
        filesystem.mkdir(root, create_parents=True)
    for path, content in contents.items():
        filesystem.pipe_file(f"{root}/{path}", content)
    written = list(files)
    for each in written:
        filesystem.pipe_file(f"{root}/{each.name}", each.content)
    manifest = {
        "system": system.name,
        "exported_at": exported_at,
        "default_time_zone": system.default_time_zone,
        "date_format": system.date_format,
        "files": [each.entry() for each in written],
    }
    filesystem.pipe_file(f"{root}/{MANIFEST}", json.dumps(manifest, indent=1).encode())
    return manifest
