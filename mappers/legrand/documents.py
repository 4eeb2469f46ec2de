"""Legrand document -> Dynamics 365 note with the file, under the record it is linked to (L-07)."""

from collections.abc import Sequence

from mappers.dataverse import annotation, synced
from mappers.legrand import words
from shared.core.change import Json
from shared.core.mapping.composed import Composed
from shared.core.mapping.files import in_drop
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import owner_by_name, text
from shared.core.mapping.transforms.activities import kind_and_id, lookup_by_kind
from shared.core.mapping.transforms.file import file, told
from shared.core.mapping.transforms.text import clean

MODULES = {
    "Companies": "company",
    "Contacts": "contact",
    "Opportunities": "opportunity",
    "Lead Inbox": "lead",
    "Service Desk Tickets": "ticket",
    "Campaigns": "campaign",
}


def located(parts: Sequence[Json]) -> Json:
    """The file where it lies: below the folder of its drop, where the message names one."""
    exported, name, size, folder = parts
    path, place = clean(exported), clean(folder)
    return told([in_drop(place, path) if place and path else path, name, size])


DOCUMENT = EntityMap(
    entity="document",
    table=annotation.TABLE,
    key="Document ID",
    source_key=synced.tandem_sourcekey,
    drop="Drop",
    one_way="Legrand's import takes workbooks and no files.",
    composed=(
        Composed("linked", ("Linked Module", "Linked Record ID"), kind_and_id),
        Composed("file", ("Exported File", "File Name", "Size (bytes)", "Drop"), located, first_alone=True),
    ),
    fields=(
        Field(
            "linked",
            annotation.objectid,
            lookup_by_kind(words.SYSTEM, MODULES),
            flow=Flow.INBOUND,
            description="The record the document is linked to; the note waits until that is there.",
            alias="LinkedEntityId",
        ),
        Field("File Name", annotation.subject, text(500), flow=Flow.INBOUND),
        Field("File Name", annotation.filename, text(255, required=True), flow=Flow.INBOUND),
        Field(
            "file",
            annotation.documentbody,
            file(words.SYSTEM),
            flow=Flow.INBOUND,
            description="Read from the export's folder when the note is made, and compared with its size.",
            alias="ContentDocument",
        ),
        Field(
            "Folder",
            annotation.tandem_folder,
            text(400),
            flow=Flow.INBOUND,
            description="Notes have no folders; the path is kept as it was.",
        ),
        Field("Uploaded By", synced.tandem_createdby, text(200), flow=Flow.INBOUND),
        Field("Uploaded By", annotation.ownerid, owner_by_name(), flow=Flow.INBOUND, loss=Loss.PARTIAL),
        synced.created("Upload Date", words.instant()),
    ),
)
