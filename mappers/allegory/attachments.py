"""Allegory attachment -> Dynamics 365 note with the file (A-12)."""

from mappers.allegory import words
from mappers.allegory.activities import KINDS
from mappers.dataverse import activity, annotation, synced
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import owner_by_email, text
from shared.core.mapping.transforms.activities import kind_and_id, lookup_by_kind
from shared.core.mapping.transforms.file import file, told

PARENTS = {**KINDS, "email": "email", "call": "call", "meeting": "meeting"}

ATTACHMENT = EntityMap(
    entity="attachment",
    table=annotation.TABLE,
    key="attachment_id",
    source_key=synced.tandem_sourcekey,
    composed=(
        Composed("object", ("object_type", "object_id"), kind_and_id),
        Composed("file", ("attachment_id", "file_name", "size_bytes", "sha256"), told),
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
        Field("uploaded_by", activity.tandem_createdby, text(200), flow=Flow.INBOUND),
        Field("uploaded_by", annotation.ownerid, owner_by_email(), flow=Flow.INBOUND, loss=Loss.PARTIAL),
        synced.created("uploaded_at", words.instant()),
        Field(
            "updated_at", synced.tandem_legacymodifiedon, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT
        ),
    ),
    dropped=(
        Dropped("path", "The file is asked for by the id of its attachment."),
        Dropped("created_at", "When it was uploaded tells the same."),
    ),
)
