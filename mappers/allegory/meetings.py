"""Allegory meeting -> Dynamics 365 appointment, or a task in the `seed` profile (A-09)."""

from collections.abc import Sequence

from mappers.allegory import words
from mappers.allegory.activities import ABOUT, OVER, SLASHES, created, shared_fields
from mappers.dataverse import activity, appointment, synced, task
from shared.core.change import Json
from shared.core.mapping.composed import Composed
from shared.core.mapping.parties import Role
from shared.core.mapping.spec import EntityMap, Field, Flow, Line
from shared.core.mapping.transforms import memo, status, text, yes_no
from shared.core.mapping.transforms.activities import local_instant, shortened
from shared.core.mapping.transforms.parties import addresses, listed, participants
from shared.core.mapping.transforms.text import clean


def _participants(parts: Sequence[Json]) -> Json:
    """The organizer, and everybody else who was asked to come."""
    organizer, attendees = clean(parts[0]) or "", addresses(parts[1])
    others = [each for each in attendees if each.casefold() != organizer.casefold()]
    return listed(("organizer", [organizer]), ("required", others))


def _local(parts: Sequence[Json]) -> Json:
    return local_instant(parts, words.ZONE, SLASHES)


def _state(parts: Sequence[Json]) -> Json:
    """Held, if the record was written after the meeting's end; else nothing but planned is known of it."""
    end, zone, created_at, updated_at = parts
    clock = words.instant()
    ended = clock.to_dataverse(_local((end, zone)))
    told = [at for each in (created_at, updated_at) if (at := clock.to_dataverse(each)) is not None]
    return "held" if ended is not None and told and max(told) >= ended else "planned"


def _shortened(parts: Sequence[Json]) -> Json:
    return shortened(clean(parts[0]) or "", 2000)


_COMPOSED = (
    ABOUT,
    Composed("participants", ("organizer", "attendees"), _participants, first_alone=True),
    Composed("start", ("start_at", "time_zone"), _local, first_alone=True),
    Composed("end", ("end_at", "time_zone"), _local, first_alone=True),
    Composed("state", ("end_at", "time_zone", "created_at", "updated_at"), _state, first_alone=True),
)
_TIMES: tuple[Line, ...] = (
    Field(
        "start",
        activity.scheduledstart,
        words.instant(),
        flow=Flow.INBOUND,
        description="On the clock of the meeting's own zone; an all-day meeting begins at its midnight.",
        alias="StartDateTime",
    ),
    Field("end", activity.scheduledend, words.instant(), flow=Flow.INBOUND, alias="EndDateTime"),
    Field("time_zone", activity.tandem_timezone, text(100), flow=Flow.INBOUND),
    created("created_at"),
)

MEETING = EntityMap(
    entity="meeting",
    table=appointment.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=_COMPOSED,
    fields=(
        *shared_fields(appointment.regardingobjectid, appointment.ownerid),
        *_TIMES,
        Field("location", appointment.location, text(200), flow=Flow.INBOUND),
        Field("all_day", appointment.isalldayevent, yes_no(), flow=Flow.INBOUND),
        Field("description", appointment.description, memo(activity.LONG), flow=Flow.INBOUND),
        Field(
            "participants",
            appointment.appointment_activity_parties,
            participants(words.SYSTEM, Role.ORGANIZER, Role.REQUIRED),
            flow=Flow.INBOUND,
            description=(
                "Found by address among users, contacts and leads, in this order; whoever is not found stays "
                "in the column of participants unknown here. Written with the appointment and never again."
            ),
            alias="Event Attendees",
        ),
        Field(
            "state",
            appointment.statuscode,
            status({"planned": (5,), "held": (3,)}),
            flow=Flow.INBOUND,
            description=(
                "Completed when the record was written after the meeting; else scheduled (Busy), because the "
                "record does not tell that it took place."
            ),
        ),
    ),
)

MEETING_TASK = EntityMap(
    entity="meeting",
    table=task.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=(*_COMPOSED, Composed("summary", ("description",), _shortened)),
    constants={"category": "Meeting"},
    fields=(
        *shared_fields(task.regardingobjectid, task.ownerid),
        *_TIMES,
        Field("location", task.tandem_location, text(200), flow=Flow.INBOUND),
        Field("all_day", task.tandem_allday, yes_no(), flow=Flow.INBOUND),
        Field("summary", task.description, memo(2000), flow=Flow.INBOUND),
        Field("description", activity.tandem_bodytext, memo(activity.LONG), flow=Flow.INBOUND),
        Field("state", task.statuscode, status({"planned": (2,), "held": (5,)}), flow=Flow.INBOUND),
    ),
)
