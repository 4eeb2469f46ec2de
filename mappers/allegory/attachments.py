"""Allegory attachment -> Dynamics 365 note with the file (A-12)."""

from collections.abc import Sequence

from mappers.allegory import words
from mappers.allegory.activities import KINDS
from mappers.dataverse import annotation, synced
from shared.core.change import Json
from shared.core.mapping.composed import Composed
from shared.core.mapping.files import DROPPED, in_drop
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import owner_by_email, text
from shared.core.mapping.transforms.activities import kind_and_id, lookup_by_kind
from shared.core.mapping.transforms.file import file, told
from shared.core.mapping.transforms.text import clean

PARENTS = {**KINDS, "email": "email", "call": "call", "meeting": "meeting"}


def _located(parts: Sequence[Json]) -> Json:
    """The file by the id of its attachment; by its path, where the message names the drop it lies in.

    A record that was changed without its file says nothing of the file.
    """
    record, name, size, sha256, path, folder = parts
    if not clean(name):
        return ""
    place, where = clean(folder), clean(path)
    return told([DROPPED + in_drop(place, where) if place and where else record, name, size, sha256])


ATTACHMENT = EntityMap(
    entity="attachment",
    table=annotation.TABLE,
    key="attachment_id",
    drop="Drop",
    source_key=synced.tandem_sourcekey,
    one_way="A file stays where it was put; Allegory's interface takes none.",
    composed=(
        Composed("object", ("object_type", "object_id"), kind_and_id),
        Composed(
            "file",
            ("attachment_id", "file_name", "size_bytes", "sha256", "path", "Drop"),
            _located,
            first_alone=True,
        ),
    ),
    fields=(
        Field(
            "object",
            annotation.objectid,
            lookup_by_kind(words.SYSTEM, PARENTS),
            flow=Flow.INBOUND,
            description="The record the file belongs to; the note waits until that is there.",
            alias="LinkedEntityId",
        ),
        Field("file_name", annotation.subject, text(500), flow=Flow.INBOUND),
        Field("file_name", annotation.filename, text(255, required=True), flow=Flow.INBOUND),
        Field("mime_type", annotation.mimetype, text(256), flow=Flow.INBOUND),
        Field(
            "file",
            annotation.documentbody,
            file(words.SYSTEM),
            flow=Flow.INBOUND,
            description=(
                "Fetched when the note is made, compared with its size and SHA-256, and written with it. Too "
                "large or of a blocked kind: refused by name, and nothing else waits for it."
            ),
            alias="ContentDocument",
        ),
        Field("sha256", annotation.tandem_filehash, text(64), flow=Flow.INBOUND),
        Field("uploaded_by", synced.tandem_createdby, text(200), flow=Flow.INBOUND),
        Field("uploaded_by", annotation.ownerid, owner_by_email(), flow=Flow.INBOUND, loss=Loss.PARTIAL),
        synced.created("uploaded_at", words.instant()),
        Field(
            "updated_at", synced.tandem_legacymodifiedon, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT
        ),
    ),
    dropped=(
        Dropped("path", "The file is asked for by the id of its attachment, or read from its drop."),
        Dropped("created_at", "When it was uploaded tells the same."),
    ),
)
