"""The export drop: the CRM's file export, written to a folder or a blob container."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import fsspec

from local.crm.declaration import Collection, System
from local.crm.records import Fields

MANIFEST = "export_manifest.json"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One collection as CSV: UTF-8, a header, a comma, one line feed."""

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
    custom = sorted({name for row in rows for name in row} - set(collection.columns))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*collection.columns, *custom), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return ExportFile(f"{collection.name}.csv", len(rows), text.getvalue().encode())


def write_drop(url: str, system: System, exported_at: str, files: Iterable[ExportFile]) -> Mapping[str, Any]:
    """Write the files under `url` (a folder, or `az://container/...`), then the manifest; returns that.

    The manifest comes last, so a reader that waits for it never sees half an export. A blob container is
    made when missing; the account comes from AZURE_STORAGE_CONNECTION_STRING, which adlfs reads.
    Raises OSError.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    # Listings are kept per process by default, and a container made meanwhile would stay unseen.
    filesystem.invalidate_cache()
    # Not makedirs: on a blob store only mkdir makes the container.
    with suppress(FileExistsError):
        filesystem.mkdir(root, create_parents=True)
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
