"""Legrand activity attachment -> Dynamics 365 note with the file, on the activity (L-08b).

The text of an activity names the files it came with; each is a record of its own,
`ACT-000001.txt/Price list.csv`, and lies among the exported documents.
"""

from mappers.dataverse import annotation, synced
from mappers.legrand import words
from mappers.legrand.documents import located
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import text
from shared.core.mapping.transforms.activities import kind_and_id, lookup_by_kind
from shared.core.mapping.transforms.file import file

KINDS = {"Email": "email", "Call": "call", "Meeting": "meeting"}
"""Legrand's words for its activities, and the entities they mean."""

ATTACHMENT = EntityMap(
    entity="attachment",
    table=annotation.TABLE,
    unit=annotation.objectid,
    key="Activity Attachment",
    source_key=synced.tandem_sourcekey,
    one_way="Legrand's import takes workbooks and no files.",
    drop="Drop",
    composed=(
        Composed("Activity Attachment", ("(file name)", "Attachment")),
        Composed("activity", ("Type", "(file name)"), kind_and_id),
        Composed("file", ("Attachment", "Attachment", "Size (bytes)", "Drop"), located, first_alone=True),
    ),
    fields=(
        Field(
            "activity",
            annotation.objectid,
            lookup_by_kind(words.SYSTEM, KINDS),
            flow=Flow.INBOUND,
            description="The activity it came with; the note waits until that is there.",
            alias="LinkedEntityId",
        ),
        Field("Attachment", annotation.subject, text(500), flow=Flow.INBOUND),
        Field("Attachment", annotation.filename, text(255, required=True), flow=Flow.INBOUND),
        Field(
            "file",
            annotation.documentbody,
            file(words.SYSTEM),
            flow=Flow.INBOUND,
            description="Read from the export's folder of documents, where it lies under its name.",
            alias="ContentDocument",
        ),
        Field(
            "Date",
            synced.overriddencreatedon,
            words.instant(),
            flow=Flow.INBOUND,
            loss=Loss.FORMAT,
            description="The date of the activity.",
        ),
    ),
)
