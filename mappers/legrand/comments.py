"""Legrand ticket comment -> Dynamics 365 note on the case, `T00001/2`.

Comments come from an extraction of their own: an export without it is partial, and its tickets have no notes.
"""

from mappers.dataverse import annotation, synced
from mappers.legrand import words
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, lookup, memo, owner_by_name, text

COMMENT = EntityMap(
    entity="comment",
    table=annotation.TABLE,
    key="Ticket Comment",
    source_key=synced.tandem_sourcekey,
    one_way="Comments come from an extraction of their own, and Legrand imports none.",
    composed=(Composed("Ticket Comment", ("Ticket No", "Comment #")),),
    fields=(
        Field(
            "Ticket No",
            annotation.objectid,
            lookup(words.SYSTEM, "ticket"),
            flow=Flow.INBOUND,
            description="The comment waits until its ticket is there.",
            alias="Case",
        ),
        Field(
            "Type",
            annotation.tandem_visibility,
            choice(words.VISIBILITY),
            flow=Flow.INBOUND,
            description="Internal comments are notes, too: whoever shows notes outside filters by this.",
            alias="internal_comments__c",
        ),
        Field("Type", annotation.subject, text(500), flow=Flow.INBOUND, description="What people see first."),
        Field(
            "Author",
            annotation.ownerid,
            owner_by_name(),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
        ),
        Field(
            "Author",
            synced.tandem_createdby,
            text(200),
            flow=Flow.INBOUND,
            description="The name as it is.",
        ),
        Field(
            "Date",
            synced.overriddencreatedon,
            words.instant(),
            flow=Flow.INBOUND,
            loss=Loss.FORMAT,
            description="Dataverse takes it on create alone; the notes of a case are listed by it.",
        ),
        Field("Comment", annotation.notetext, memo(100_000), flow=Flow.INBOUND),
    ),
)
