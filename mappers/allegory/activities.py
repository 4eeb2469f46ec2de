"""What Allegory's e-mails, calls and meetings have in common."""

from mappers.allegory import words
from mappers.dataverse import activity, synced
from shared.core.mapping.columns import Column, Reference
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import Field, Flow, Line, Loss
from shared.core.mapping.transforms import Slashes, memo, owner_by_email, text
from shared.core.mapping.transforms.activities import kind_and_id, lookup_by_kind

SLASHES = Slashes.MONTH_FIRST
DIRECTIONS = ("outbound", "inbound")
KINDS = {"company": "company", "contact": "contact", "lead": "lead", "deal": "deal"}
"""Allegory's words for what an activity is about, and the entities they mean."""
OVER = "What was written and said is over, and a history stays where it was made."
"""Why no activity goes back."""
ABOUT = Composed("related", ("related_type", "related_id"), kind_and_id)


def shared_fields(about: Column[Reference], owner: Column[Reference]) -> tuple[Line, ...]:
    """Subject, what it is about, owner, everybody named, and when the record was last changed."""
    return (
        Field("subject", activity.subject, text(200), flow=Flow.INBOUND),
        Field(
            "related",
            about,
            lookup_by_kind(words.SYSTEM, KINDS),
            flow=Flow.INBOUND,
            description="The record the activity hangs from; it waits until that is there.",
            alias="WhatId",
        ),
        Field("owner_email", owner, owner_by_email(), flow=Flow.INBOUND, loss=Loss.PARTIAL, alias="OwnerId"),
        Field(
            "participants",
            activity.tandem_participants,
            memo(100_000),
            flow=Flow.INBOUND,
            description="Everybody as the record names them, found in Dataverse or not.",
        ),
        synced.modified("updated_at", words.instant()),
    )


def created(legacy: str) -> Line:
    """When the record was made, or happened where it says no more: timelines are in this order (L-08c)."""
    return synced.created(legacy, words.instant())
