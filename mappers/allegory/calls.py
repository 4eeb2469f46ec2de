"""Allegory call -> Dynamics 365 phone call, or a task of category Phone Call in the `seed` profile (A-08)."""

from collections.abc import Sequence

from mappers.allegory import words
from mappers.allegory.activities import ABOUT, DIRECTIONS, OVER, SLASHES, created, shared_fields
from mappers.dataverse import activity, phonecall, synced, task
from shared.core.change import Json
from shared.core.mapping.composed import Composed
from shared.core.mapping.parties import Role
from shared.core.mapping.spec import EntityMap, Field, Flow, Line, Loss
from shared.core.mapping.transforms import integer, memo, status, text, yes_no
from shared.core.mapping.transforms.activities import ending, flag, whole_minutes
from shared.core.mapping.transforms.parties import listed, participants, who
from shared.core.mapping.transforms.text import clean


def _participants(parts: Sequence[Json]) -> Json:
    """Who called whom: our user at one end, the number with its contact at the other."""
    direction, number, contact, owner = parts
    there, here = [who(number, "contact", contact)], [clean(owner) or ""]
    inbound = clean(direction) == "inbound"
    return listed(("from", there if inbound else here), ("to", here if inbound else there))


def _ended(parts: Sequence[Json]) -> Json:
    return ending(parts, words.ZONE, SLASHES)


def _minutes(parts: Sequence[Json]) -> Json:
    return whole_minutes(parts[0])


def _voicemail(parts: Sequence[Json]) -> Json:
    outcome = clean(parts[0])
    return "" if outcome is None else "true" if outcome.casefold() == "left voicemail" else "false"


_COMPOSED = (
    ABOUT,
    Composed(
        "participants",
        ("direction", "phone_number", "contact_id", "owner_email"),
        _participants,
        first_alone=True,
    ),
    Composed("ended_at", ("started_at", "duration_seconds"), _ended, first_alone=True),
    Composed("minutes", ("duration_seconds",), _minutes),
)
_TIMES: tuple[Line, ...] = (
    Field("started_at", activity.actualstart, words.instant(), flow=Flow.INBOUND, alias="ActivityDate"),
    created("started_at"),
    Field("ended_at", activity.actualend, words.instant(), flow=Flow.INBOUND),
    Field(
        "minutes",
        activity.actualdurationminutes,
        integer(0, 2_147_483_647),
        flow=Flow.INBOUND,
        loss=Loss.FORMAT,
        description="Every minute begun.",
    ),
    Field("duration_seconds", activity.tandem_durationseconds, integer(0, 2_147_483_647), flow=Flow.INBOUND),
    Field("outcome", activity.tandem_outcome, text(200), flow=Flow.INBOUND, alias="CallDisposition"),
)

CALL = EntityMap(
    entity="call",
    table=phonecall.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=(*_COMPOSED, Composed("voicemail", ("outcome",), _voicemail)),
    fields=(
        *shared_fields(phonecall.regardingobjectid, phonecall.ownerid),
        *_TIMES,
        Field("voicemail", phonecall.leftvoicemail, yes_no(), flow=Flow.INBOUND),
        Field("phone_number", phonecall.phonenumber, text(200), flow=Flow.INBOUND),
        Field("notes", phonecall.description, memo(2000), flow=Flow.INBOUND),
        Field("direction", phonecall.directioncode, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "participants",
            phonecall.phonecall_activity_parties,
            participants(words.SYSTEM, Role.SENDER, Role.TO),
            flow=Flow.INBOUND,
            description=(
                "The user by address, the contact by its id; whoever is not found stays in the column of "
                "participants unknown here. Written with the call and never again."
            ),
        ),
        Field(
            "direction",
            phonecall.statuscode,
            status({"outbound": (2,), "inbound": (4,)}),
            flow=Flow.INBOUND,
            description="Made or Received.",
        ),
    ),
)

CALL_TASK = EntityMap(
    entity="call",
    table=task.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=_COMPOSED,
    constants={"category": "Phone Call"},
    fields=(
        *shared_fields(task.regardingobjectid, task.ownerid),
        *_TIMES,
        Field("phone_number", task.tandem_phonenumber, text(200), flow=Flow.INBOUND),
        Field("notes", task.description, memo(2000), flow=Flow.INBOUND),
        Field("direction", task.tandem_outgoing, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "direction",
            task.statuscode,
            status({"done": (5,)}, unknown=5),
            flow=Flow.INBOUND,
            description="A call that was made or received is done.",
        ),
    ),
)
