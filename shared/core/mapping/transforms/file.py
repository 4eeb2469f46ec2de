"""Files: what a record tells of one, written as a JSON list so that it is text like any other field."""

import json
import re
from collections.abc import Sequence

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.files import FileRef
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms.activities import whole_number
from shared.core.mapping.transforms.text import clean

_SHA256 = re.compile(r"[0-9a-f]{64}")


def told(parts: Sequence[Json]) -> Json:
    """Place, name, size and, where the system tells it, SHA-256 as one field; blank without a place."""
    return json.dumps([clean(str(part)) if part is not None else None for part in parts]) if parts[0] else ""


def _parts(written: str) -> tuple[str | None, str | None, str | None, str | None]:
    """What `told` was told; raises Unfit for a text that it has not written."""
    try:
        place, name, size, *rest = json.loads(written)
    except (ValueError, TypeError, RecursionError):
        raise Unfit(Code.VALUE_REQUIRED, "a place and a file name") from None
    parts = (place, name, size, *(rest or [None]))
    if len(parts) != 4 or not all(part is None or isinstance(part, str) for part in parts):
        raise Unfit(Code.VALUE_REQUIRED, "a place and a file name")
    return parts


def file(system: str) -> Transform[Json, FileRef]:
    """A file by reference; its size is a whole number of bytes, its SHA-256 64 hexadecimal digits."""

    def to_dataverse(value: Json) -> FileRef | None:
        written = clean(value)
        if written is None:
            return None
        place, name, size, sha256 = _parts(written)
        if not place or not name:
            raise Unfit(Code.VALUE_REQUIRED, "a place and a file name")
        count = whole_number(size)
        if count is None:
            raise Unfit(Code.VALUE_REQUIRED, "the size in bytes")
        digest = (sha256 or "").casefold()
        if digest and not _SHA256.fullmatch(digest):
            raise Unfit(Code.VALUE_FORBIDDEN_CHARACTER, "a SHA-256 of 64 hexadecimal digits")
        return FileRef(system, place, name, count, digest)

    def to_legacy(value: FileRef | None) -> Json:
        if value is None:
            return ""
        return json.dumps([value.place, value.name, str(value.size), value.sha256 or None])

    example = told(["A-00001", "offer.txt", "38", "ab" * 32])
    return Transform(to_dataverse, to_legacy, (example, "", None), "file, by reference")
