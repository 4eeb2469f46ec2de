"""Legrand lead -> Dynamics 365 lead."""

from mappers.dataverse import lead, synced
from mappers.legrand import words
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, email, memo, owner_by_name, status, text

LEAD = EntityMap(
    entity="lead",
    table=lead.TABLE,
    key="Lead ID",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        synced.created("Received", words.instant()),
        Field("First Name", lead.firstname, text(50)),
        Field("Last Name", lead.lastname, text(50)),
        Field("Company Name", lead.companyname, text(100)),
        Field("Email", lead.emailaddress1, email(100)),
        Field("Phone", lead.telephone1, text(50)),
        Field("City", lead.address1_city, text(80)),
        Field("Country", lead.address1_country, text(80)),
        Field(
            "Lead Source",
            lead.leadsourcecode,
            choice(words.LEAD_SOURCE, known_only=True),
            loss=Loss.PARTIAL,
            description="The nearest of Dataverse's own sources; Phone In has none and is Other.",
        ),
        Field(
            "Lead Source",
            lead.tandem_leadsource,
            text(100),
            flow=Flow.INBOUND,
            description="As it is written; the option beside it is what goes back.",
        ),
        Field(
            "Lead Status",
            lead.statuscode,
            status(words.LEAD_STATUS, unknown=1),
            loss=Loss.PARTIAL,
            description=(
                "Qualified by the action of that name, which makes no rows of its own here. "
                "A status nobody has translated leaves the lead New."
            ),
            alias="Lead Status picklist",
        ),
        Field(
            "Lead Status",
            lead.tandem_leadstatus,
            text(100),
            flow=Flow.INBOUND,
            description=(
                "The label as it is: a status nobody has translated is data, not an error. "
                "The status beside it is what goes back."
            ),
        ),
        Field(
            "Owner",
            lead.ownerid,
            owner_by_name(),
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field("Message", lead.description, memo(2000)),
    ),
)
