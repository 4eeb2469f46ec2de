"""Where Tandem does otherwise than the words of the migration descriptions, and why (PROMISES C-..)."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deviation: what the lines cited say, what is done instead, and the reason."""

    lines: tuple[str, ...]
    said: str
    done: str
    why: str


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        ("A45",),
        "A contact requires an account.",
        "A contact without a company hangs from one placeholder account, and is listed.",
        "Dataverse asks for no account; the placeholder is a policy of ours.",
    ),
    Deviation(
        ("A45",),
        "Further companies go into the Account Contact Relationship table.",
        "Each is a connection between contact and account; the list is kept as text, too.",
        "There is no such table in Dynamics 365 Sales.",
    ),
    Deviation(
        ("A55",),
        "The lead source goes to the lead quality column.",
        "It goes to the lead source column.",
        "The quality column is the rating (Hot, Warm, Cold); a source has no place in it.",
    ),
    Deviation(
        ("A55", "L55"),
        "The lead status goes to the state.",
        "It goes to the status reason, and with it to the state; a lead is qualified by the action.",
        "The state has three fixed values, and a closed lead is not written but closed.",
    ),
    Deviation(
        ("A60",),
        "A deal requires an account.",
        "A deal without a company keeps its contact, and has no account.",
        "Dataverse asks for none.",
    ),
    Deviation(
        ("A60", "A70"),
        "The stage goes to a StageName picklist.",
        "The label is kept as text, the stage is a row of its own, and the deal stands in that stage of its "
        "pipeline's process where the organisation has the process.",
        "An opportunity has no such picklist; what a process shows is a row of the process.",
    ),
    Deviation(
        ("A60",),
        "The probability is a custom field.",
        "It goes to the column Dataverse has for it.",
        "There is one, from 0 to 100.",
    ),
    Deviation(
        ("A60", "A70"),
        "The forecast category comes from the process.",
        "It is kept in a choice of our own.",
        "Dataverse's own tells won from lost where Allegory says Closed: a way back would be a guess.",
    ),
    Deviation(
        ("A65", "L60"),
        "Each pipeline becomes a business process flow.",
        "The schema plan names the process with its stages; it is installed by a solution, the sync moves "
        "deals through it. Before that they keep pipeline and stage as text.",
        "A process cannot be made row by row: its definition is a component of a solution.",
    ),
    Deviation(
        ("L60", "L70", "L124"),
        "Sales processes and record types are configured.",
        "The process is a business process flow; what a record type tells is a column of our own.",
        "Dynamics 365 has no record types.",
    ),
    Deviation(
        ("A75", "L80"),
        "An e-mail is a task of type Email, or an EmailMessage with a task.",
        "It is an e-mail activity with its parties.",
        "A task has no type; an e-mail is a table of its own.",
    ),
    Deviation(
        ("A80", "L80"),
        "A call is a task of type Phone Call, or of subtype Call.",
        "It is a phone call activity with direction and duration.",
        "A task has neither.",
    ),
    Deviation(
        ("A85", "L80"),
        "A meeting is an Event with its attendees.",
        "It is an appointment with its parties; whoever is unknown stays as text.",
        "Events are another product's name for them.",
    ),
    Deviation(
        ("A15", "L15"),
        "Creation and modification times are the original ones.",
        "The creation time is; the modification time is kept in a column of our own.",
        "Dataverse sets the modification time itself, whatever is written.",
    ),
    Deviation(
        ("A15",),
        "Who created and who modified a record stays.",
        "They are kept by name in columns of our own, where a message tells; exports tell it of files alone.",
        "Dataverse names its own users there, and sets both itself.",
    ),
    Deviation(
        ("A90", "A124", "L114"),
        "Custom fields must be made by hand, and fifteen tables are all there may be.",
        "Columns are shipped as a file of customisations; tables are counted, fields are not.",
        "Metadata can be written over the Web API, and the licence counts tables.",
    ),
    Deviation(
        ("A95",),
        "Tags are one text column.",
        "They are, and each tag is a row as well.",
        "A tag that comes and goes alone must not overwrite its neighbours.",
    ),
    Deviation(
        ("A100", "L75"),
        "Files become notes and go to SharePoint, at most 25 MB each.",
        "They become notes, of at most 26,214,400 bytes, or less where the organisation says so.",
        "Notes are kept in Dataverse's own file storage.",
    ),
    Deviation(
        ("L65",),
        "A quote names its opportunity as text until it is reconnected.",
        "The link is written with the quote where exactly one opportunity bears the name; the text is kept.",
        "An opportunity takes quotes while it is open, and it is closed last.",
    ),
    Deviation(
        ("L80",),
        "Attachments are ContentDocuments.",
        "Each is a record of its own and becomes a note on its activity, an e-mail's, too.",
        "ContentDocument is another product's name for them; an e-mail that was sent takes no attachments.",
    ),
    Deviation(
        ("L85",),
        "Campaign members are CampaignMember records.",
        "They are campaign responses, with a place in the campaign's marketing list of their kind.",
        "Membership of a list has no status of its own, and a list holds one kind of row.",
    ),
    Deviation(
        ("L128",),
        "Custom field data comes last.",
        "It is written with its record.",
        "A custom field is a column of the record's own row.",
    ),
    Deviation(
        ("L128", "A162"),
        "Mass loads go through the Bulk API.",
        "They go through UpsertMultiple and CreateMultiple, and through batches where rows are contested.",
        "Dataverse has no other bulk interface.",
    ),
    Deviation(
        ("A138",),
        "A rollback restores the environment.",
        "What Tandem wrote is undone record by record; what people changed since is listed.",
        "Restoring an environment would undo the work of everybody else.",
    ),
)
"""Every deviation, in the order of the descriptions' subjects."""


def page() -> str:
    """The page `docs/reference/deviations.md`."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield (
        "# Deviations\n\n"
        "Where Tandem does otherwise than the migration descriptions say. Rendered from\n"
        "`mappers/deviations.py` by "
        "`python -m mappers.dataverse.generate`; edit that, not this page. The words themselves are in\n"
        "[terms](terms.md).\n\n"
        "| lines | said | done | why |\n|---|---|---|---|\n"
    )
    for one in DEVIATIONS:
        yield f"| {', '.join(one.lines)} | {one.said} | {one.done} | {one.why} |\n"
