"""Legrand email, call and meeting -> Dynamics 365 email, phone call and appointment, or tasks (L-08, C-04).

Each is a text file of its own; its name is the record's id. The files are a log of what took place, so a
meeting in it is over. Its attachments are documents of their own.
"""

from collections.abc import Sequence

from mappers.dataverse import activity, appointment, email, phonecall, synced, task
from mappers.legrand import words
from shared.core.change import Json
from shared.core.mapping.columns import Column, Reference
from shared.core.mapping.composed import Composed
from shared.core.mapping.parties import Role
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Line, Loss
from shared.core.mapping.transforms import Slashes, integer, memo, owner_by_name, status, text
from shared.core.mapping.transforms.activities import ending, flag, lookup_by_kind, shortened, whole_number
from shared.core.mapping.transforms.mail import is_mail, part
from shared.core.mapping.transforms.markup import plain_text, simplified
from shared.core.mapping.transforms.parties import addresses, listed, participants, who
from shared.core.mapping.transforms.text import clean

_MARK = "<"
DIRECTIONS = ("Outgoing", "Incoming")
KINDS = {"Company": "company", "Contact": "contact"}


def _about(parts: Sequence[Json]) -> Json:
    """The company; the contact takes part in it, and is what it is about only where there is no company."""
    company, contact = (clean(part) for part in parts)
    return f"Company/{company}" if company else f"Contact/{contact}" if contact else ""


def _written(parts: Sequence[Json]) -> Json:
    """Sender and recipients; the contact is the one recipient, where there is only one."""
    sender, to, cc, contact, direction = parts
    recipients = addresses(to)
    if clean(direction) == "Incoming":
        sender = who(sender, "contact", contact)
    elif len(recipients) == 1:
        recipients = [who(recipients[0], "contact", contact)]
    return listed(("from", [clean(sender) or ""]), ("to", recipients), ("cc", addresses(cc)))


def _called(parts: Sequence[Json]) -> Json:
    """Who called whom: our user at one end, the contact at the other."""
    direction, name, contact, owner = parts
    there, here = [who(name, "contact", contact)], [clean(owner) or ""]
    incoming = clean(direction) == "Incoming"
    return listed(("from", there if incoming else here), ("to", here if incoming else there))


def _met(parts: Sequence[Json]) -> Json:
    """Everybody who was there, and the owner as the one who asked them."""
    attendees, owner = addresses(parts[0]), clean(parts[1]) or ""
    return listed(("organizer", [owner]), ("required", attendees))


def _seen(parts: Sequence[Json]) -> str:
    """The words: of a whole mail message those of its text part."""
    written = clean(parts[0]) or ""
    if is_mail(written):
        written, _ = part(written, "plain", "html")
    return plain_text(written) if written.lstrip().startswith(_MARK) else written.strip()


def _body(parts: Sequence[Json]) -> Json:
    """The page where there is one, and the words where there is none."""
    written = clean(parts[0]) or ""
    if is_mail(written):
        written, _ = part(written, "html", "plain")
    return simplified(written) if written.lstrip().startswith(_MARK) else written.strip()


def _summary(parts: Sequence[Json]) -> Json:
    return shortened(_seen(parts), 2000)


def _state(parts: Sequence[Json]) -> Json:
    return clean(parts[0]) or "unknown"


def _done(_parts: Sequence[Json]) -> Json:
    return "done"


def _ended(parts: Sequence[Json]) -> Json:
    return ending(parts, words.ZONE, Slashes.DAY_FIRST, unit=60)


def _minutes(parts: Sequence[Json]) -> Json:
    minutes = whole_number(parts[0])
    return "" if minutes is None else str(minutes)


_TEXT = Composed("text", ("(body)",), _seen)
_SUMMARY = Composed("summary", ("(body)",), _summary)
_ABOUT = Composed("about", ("Company ID", "Contact ID"), _about, any_alone=True)
_CALL = (
    Composed("participants", ("Direction", "Contact", "Contact ID", "Owner"), _called, any_alone=True),
    Composed("ended", ("Date", "Duration"), _ended, first_alone=True),
    Composed("minutes", ("Duration",), _minutes),
)
_EMAIL = (
    Composed("participants", ("From", "To", "Cc", "Contact ID", "Direction"), _written, first_alone=True),
)
_MEETING = (Composed("participants", ("Attendees", "Owner"), _met, first_alone=True),)
_DROPPED = (
    Dropped("Type", "It says which of the three this is."),
    Dropped("Company", "Company ID names the same company without doubt."),
    Dropped("Attachments", "Each is a record of its own, an attachment."),
)
_OVER = "What was written and said is over; Legrand takes no activities back."
_KEY = "(file name)"


def _fields(about: Column[Reference], owner: Column[Reference]) -> tuple[Line, ...]:
    return (
        Field("Subject", activity.subject, text(200), flow=Flow.INBOUND),
        Field(
            "about",
            about,
            lookup_by_kind(words.SYSTEM, KINDS),
            flow=Flow.INBOUND,
            description="The company, or the contact where there is none; it waits until that is there.",
        ),
        Field(
            "Owner",
            owner,
            owner_by_name(),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
        ),
        Field(
            "participants",
            activity.tandem_participants,
            memo(100_000),
            flow=Flow.INBOUND,
            description="Everybody as the file names them, found in Dataverse or not.",
        ),
        Field(
            "Date",
            synced.overriddencreatedon,
            words.instant(),
            flow=Flow.INBOUND,
            loss=Loss.FORMAT,
            description="The date of the activity, so that timelines keep their order.",
            alias="ActivityDate",
        ),
    )


_CALL_TIMES: tuple[Line, ...] = (
    Field("Date", activity.actualstart, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT),
    Field("ended", activity.actualend, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT),
    Field("minutes", activity.actualdurationminutes, integer(0, 2_147_483_647), flow=Flow.INBOUND),
    Field("Outcome", activity.tandem_outcome, text(200), flow=Flow.INBOUND),
)
_MEETING_TIMES: tuple[Line, ...] = (
    Field("Start", activity.scheduledstart, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT),
    Field("End", activity.scheduledend, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT),
)
_SENT: tuple[Line, ...] = (
    Field("Date", activity.actualend, words.instant(), flow=Flow.INBOUND, loss=Loss.FORMAT),
    Field("text", activity.tandem_bodytext, memo(activity.LONG), flow=Flow.INBOUND),
)
_DONE = status({"done": (5,)}, unknown=5)

EMAIL = EntityMap(
    entity="email",
    table=email.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(
        *_EMAIL,
        _ABOUT,
        _TEXT,
        Composed("body", ("(body)",), _body),
        Composed("state", ("Direction",), _state),
    ),
    fields=(
        *_fields(email.regardingobjectid, email.ownerid),
        *_SENT,
        Field("Direction", email.directioncode, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "participants",
            email.email_activity_parties,
            participants(words.SYSTEM, Role.SENDER, Role.TO, Role.CC),
            flow=Flow.INBOUND,
        ),
        Field(
            "body",
            email.description,
            memo(1_073_741_823),
            flow=Flow.INBOUND,
            description="HTML made simple, without what runs or loads.",
        ),
        Field(
            "state",
            email.statuscode,
            status({"Outgoing": (3,), "Incoming": (4,), "unknown": (2,)}),
            flow=Flow.INBOUND,
            description="Sent or Received; Completed where the file tells no direction.",
        ),
    ),
    dropped=(*_DROPPED, Dropped("Contact", "Contact ID names the same contact without doubt.")),
)

CALL = EntityMap(
    entity="call",
    table=phonecall.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(*_CALL, _ABOUT, _SUMMARY),
    fields=(
        *_fields(phonecall.regardingobjectid, phonecall.ownerid),
        *_CALL_TIMES,
        Field("Direction", phonecall.directioncode, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field(
            "participants",
            phonecall.phonecall_activity_parties,
            participants(words.SYSTEM, Role.SENDER, Role.TO),
            flow=Flow.INBOUND,
        ),
        Field("summary", phonecall.description, memo(2000), flow=Flow.INBOUND),
        Field(
            "Direction",
            phonecall.statuscode,
            status({"Outgoing": (2,), "Incoming": (4,)}),
            flow=Flow.INBOUND,
            description="Made or Received.",
        ),
    ),
    dropped=_DROPPED,
)

MEETING = EntityMap(
    entity="meeting",
    table=appointment.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(*_MEETING, _ABOUT, _TEXT, Composed("state", ("Start",), _done)),
    fields=(
        *_fields(appointment.regardingobjectid, appointment.ownerid),
        *_MEETING_TIMES,
        Field("Location", appointment.location, text(200), flow=Flow.INBOUND),
        Field("text", appointment.description, memo(activity.LONG), flow=Flow.INBOUND),
        Field(
            "participants",
            appointment.appointment_activity_parties,
            participants(words.SYSTEM, Role.ORGANIZER, Role.REQUIRED),
            flow=Flow.INBOUND,
        ),
        Field(
            "state",
            appointment.statuscode,
            status({"done": (3,)}),
            flow=Flow.INBOUND,
            description="Completed: the files are a log of what took place.",
        ),
    ),
    dropped=(*_DROPPED, Dropped("Contact", "Contact ID names the same contact without doubt.")),
)

EMAIL_TASK = EntityMap(
    entity="email",
    table=task.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(*_EMAIL, _ABOUT, _TEXT, _SUMMARY, Composed("state", ("Date",), _done)),
    constants={"category": "Email"},
    fields=(
        *_fields(task.regardingobjectid, task.ownerid),
        *_SENT,
        Field("Direction", task.tandem_outgoing, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field("summary", task.description, memo(2000), flow=Flow.INBOUND),
        Field("state", task.statuscode, _DONE, flow=Flow.INBOUND),
    ),
    dropped=EMAIL.dropped,
)

CALL_TASK = EntityMap(
    entity="call",
    table=task.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(*_CALL, _ABOUT, _SUMMARY, Composed("state", ("Date",), _done)),
    constants={"category": "Phone Call"},
    fields=(
        *_fields(task.regardingobjectid, task.ownerid),
        *_CALL_TIMES,
        Field("Direction", task.tandem_outgoing, flag(*DIRECTIONS), flow=Flow.INBOUND),
        Field("summary", task.description, memo(2000), flow=Flow.INBOUND),
        Field("state", task.statuscode, _DONE, flow=Flow.INBOUND),
    ),
    dropped=_DROPPED,
)

MEETING_TASK = EntityMap(
    entity="meeting",
    table=task.TABLE,
    key=_KEY,
    source_key=synced.tandem_sourcekey,
    one_way=_OVER,
    composed=(*_MEETING, _ABOUT, _TEXT, _SUMMARY, Composed("state", ("Date",), _done)),
    constants={"category": "Meeting"},
    fields=(
        *_fields(task.regardingobjectid, task.ownerid),
        *_MEETING_TIMES,
        Field("Location", task.tandem_location, text(200), flow=Flow.INBOUND),
        Field("text", activity.tandem_bodytext, memo(activity.LONG), flow=Flow.INBOUND),
        Field("summary", task.description, memo(2000), flow=Flow.INBOUND),
        Field("state", task.statuscode, _DONE, flow=Flow.INBOUND),
    ),
    dropped=MEETING.dropped,
)

SEED = (EMAIL_TASK, CALL_TASK, MEETING_TASK)
"""What takes the place of the maps of the same entities in the `seed` profile."""
