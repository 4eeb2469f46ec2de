"""Allegory email -> Dynamics 365 email, or a task of category Email in the `seed` profile (A-07, C-04)."""

from collections.abc import Sequence

from mappers.allegory import words
from mappers.allegory.activities import ABOUT, DIRECTIONS, OVER, created, shared_fields
from mappers.dataverse import activity, email, synced, task
from shared.core.change import Json
from shared.core.mapping.composed import Composed
from shared.core.mapping.parties import Role
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Line
from shared.core.mapping.transforms import memo, status
from shared.core.mapping.transforms.activities import flag, shortened
from shared.core.mapping.transforms.markup import body
from shared.core.mapping.transforms.markup import words as visible_words
from shared.core.mapping.transforms.parties import addresses, listed, participants, who
from shared.core.mapping.transforms.text import clean


def _participants(parts: Sequence[Json]) -> Json:
    """Sender and recipients; the contact is the one person at the other end, where there is only one."""
    sender, to, cc, direction, contact = parts
    recipients = addresses(to)
    if clean(direction) == "inbound":
        sender = who(sender, "contact", contact)
    elif len(recipients) == 1:
        recipients = [who(recipients[0], "contact", contact)]
    return listed(("from", [clean(sender) or ""]), ("to", recipients), ("cc", addresses(cc)))


def _state(parts: Sequence[Json]) -> Json:
    """The direction, for which a word is needed even when the record has none."""
    return clean(parts[0]) or "unknown"


def _shortened(parts: Sequence[Json]) -> Json:
    return shortened(visible_words(parts), 2000)


_BODY = ("body_html", "body_text")
_COMPOSED = (
    ABOUT,
    Composed(
        "participants", ("from", "to", "cc", "direction", "contact_id"), _participants, first_alone=True
    ),
    Composed("state", ("direction",), _state),
    Composed("body", _BODY, body, any_alone=True),
    Composed("words", _BODY, visible_words, any_alone=True),
    Composed("summary", _BODY, _shortened, any_alone=True),
)
_DROPPED = (Dropped("type", "It says email, which the table says already."),)
_WORDS: tuple[Line, ...] = (
    Field("sent_at", activity.actualend, words.instant(), flow=Flow.INBOUND, alias="ActivityDate"),
    created("created_at"),
    Field(
        "words",
        activity.tandem_bodytext,
        memo(activity.LONG),
        flow=Flow.INBOUND,
        description="Every visible word as plain text: the record's own, else read from its HTML.",
    ),
)

EMAIL = EntityMap(
    entity="email",
    table=email.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=_COMPOSED[:-1],
    fields=(
        *shared_fields(email.regardingobjectid, email.ownerid),
        *_WORDS,
        Field("direction", email.directioncode, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "participants",
            email.email_activity_parties,
            participants(words.SYSTEM, Role.SENDER, Role.TO, Role.CC),
            flow=Flow.INBOUND,
            description=(
                "Found by address among users, contacts and leads, in this order; whoever is not found, or "
                "found twice, stays an address. Written with the e-mail and never again."
            ),
        ),
        Field(
            "body",
            email.description,
            memo(1_073_741_823),
            flow=Flow.INBOUND,
            description="HTML made simple, without what runs or loads; plain text where there is none.",
            alias="HtmlBody",
        ),
        Field(
            "state",
            email.statuscode,
            status({"outbound": (3,), "inbound": (4,), "unknown": (2,)}),
            flow=Flow.INBOUND,
            description="Sent or Received; Completed where the record tells no direction.",
        ),
    ),
    dropped=_DROPPED,
)

EMAIL_TASK = EntityMap(
    entity="email",
    table=task.TABLE,
    key="activity_id",
    source_key=synced.tandem_sourcekey,
    one_way=OVER,
    composed=tuple(entry for entry in _COMPOSED if entry.name != "body"),
    constants={"category": "Email"},
    fields=(
        *shared_fields(task.regardingobjectid, task.ownerid),
        *_WORDS,
        Field("direction", task.tandem_outgoing, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "summary",
            task.description,
            memo(2000),
            flow=Flow.INBOUND,
            description="The text as far as a task can hold it; the whole stands in the column beside.",
        ),
        Field(
            "state",
            task.statuscode,
            status({"done": (5,)}, unknown=5),
            flow=Flow.INBOUND,
            description="What was written is done.",
        ),
    ),
    dropped=_DROPPED,
)
