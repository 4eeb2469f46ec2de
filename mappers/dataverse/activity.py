"""What every activity has, whatever its table: subject, time, owner, what it is about, who took part."""

from mappers.dataverse.synced import (
    overriddencreatedon,
    tandem_createdby,
    tandem_legacymodifiedon,
    tandem_modifiedby,
    tandem_sourcekey,
)
from shared.core.mapping.columns import Column, Reference, Target, instant, integer, lookup, memo, text

LONG = 1_048_576
"""The longest text a memo column takes that is no e-mail's body."""

subject = text("subject", "Subject", 200)
actualstart = instant("actualstart", "Actual Start")
actualend = instant("actualend", "Actual End")
scheduledstart = instant("scheduledstart", "Start Date")
scheduledend = instant("scheduledend", "Due Date")
actualdurationminutes = integer("actualdurationminutes", "Duration", 0, 2_147_483_647)

tandem_participants = memo("tandem_participants", "Participants (legacy)", 100_000)
tandem_unresolved = memo("tandem_unresolved", "Participants unknown here", 100_000, create_only=True)
tandem_bodytext = memo("tandem_bodytext", "Body as text (legacy)", LONG)
tandem_durationseconds = integer("tandem_durationseconds", "Duration in seconds (legacy)", 0, 2_147_483_647)
tandem_outcome = text("tandem_outcome", "Outcome (legacy)", 200)
tandem_timezone = text("tandem_timezone", "Time zone (legacy)", 100)

_ABOUT = {
    "account": "accounts",
    "contact": "contacts",
    "lead": "leads",
    "opportunity": "opportunities",
    "incident": "incidents",
}
_OWNERS = {"systemuser": "systemusers", "team": "teams"}


def about(activity: str) -> Column[Reference]:
    """What an activity of a table is about."""
    targets = (
        Target(table, entity_set, f"regardingobjectid_{table}_{activity}")
        for table, entity_set in _ABOUT.items()
    )
    return lookup("regardingobjectid", "Regarding", *targets)


def owner(activity: str) -> Column[Reference]:
    """Who owns an activity of a table."""
    targets = (Target(table, entity_set, f"ownerid_{activity}") for table, entity_set in _OWNERS.items())
    return lookup("ownerid", "Owner", *targets, clearable=False)


COLUMNS = (
    subject,
    actualstart,
    actualend,
    actualdurationminutes,
    tandem_participants,
    tandem_createdby,
    tandem_modifiedby,
    tandem_sourcekey,
    tandem_legacymodifiedon,
    overriddencreatedon,
)
"""The columns that are the same in every table of activities."""
