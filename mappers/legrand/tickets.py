"""Legrand ticket -> Dynamics 365 case (incident)."""

from mappers.dataverse import incident, synced
from mappers.legrand import words
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, lookup, memo, owner_by_name, status, text, yes_no

TICKET = EntityMap(
    entity="ticket",
    table=incident.TABLE,
    key="Ticket No",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("Subject", incident.title, text(200, required=True)),
        Field("Board", incident.tandem_board, text(100), alias="Record Type"),
        Field(
            "Status",
            incident.tandem_boardstatus,
            text(100),
            flow=Flow.INBOUND,
            description="Each board has statuses of its own; the label is kept as it is.",
        ),
        Field(
            "Status",
            incident.statuscode,
            status(words.TICKET_STATUS, unknown=1),
            loss=Loss.PARTIAL,
            description="A closed ticket is resolved by the action of that name, after everything else.",
        ),
        Field("Priority", incident.prioritycode, choice(words.PRIORITY)),
        Field(
            "Company ID",
            incident.customerid,
            lookup(words.SYSTEM, "company", placeholder="account"),
            loss=Loss.PARTIAL,
            description="A case must have a customer; a ticket without a company hangs from the placeholder.",
            alias="AccountId",
        ),
        Field(
            "Contact",
            incident.tandem_contactname,
            text(200),
            flow=Flow.INBOUND,
            description="A name, and no link: whom a case is about is told in Legrand.",
        ),
        Field("Asset", incident.tandem_assetname, text(200), alias="Asset link"),
        Field(
            "Assigned To",
            incident.ownerid,
            owner_by_name(),
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        synced.created("Date Logged", words.instant()),
        Field(
            "Date Closed",
            incident.tandem_closedon,
            words.instant(),
            flow=Flow.INBOUND,
            loss=Loss.FORMAT,
            description="Legrand stamps it when a ticket is closed.",
        ),
        Field("Description", incident.description, memo(2000)),
        Field("Warranty (custom)", incident.tandem_warranty, yes_no("Yes", "No")),
    ),
    dropped=(Dropped("Company", "Company ID names the same company without doubt."),),
)
