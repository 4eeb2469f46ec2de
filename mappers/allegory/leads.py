"""Allegory lead <-> Dynamics 365 lead."""

from mappers.allegory import words
from mappers.dataverse import lead, synced
from shared.core.mapping.spec import EntityMap, Field, Loss
from shared.core.mapping.transforms import choice, decimal, email, owner_by_email, status, text

LEAD = EntityMap(
    entity="lead",
    table=lead.TABLE,
    key="lead_id",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("topic", lead.subject, text(300)),
        Field("first_name", lead.firstname, text(50)),
        Field("last_name", lead.lastname, text(50)),
        Field("company_name", lead.companyname, text(100)),
        Field("email", lead.emailaddress1, email(100)),
        Field("phone", lead.telephone1, text(50)),
        Field("city", lead.address1_city, text(80)),
        Field("country", lead.address1_country, text(80)),
        Field(
            "lead_source",
            lead.leadsourcecode,
            choice(words.LEAD_SOURCE),
            description="The quality column holds the rating (Hot, Warm, Cold): a source has no place there.",
            alias="leadqualitycode",
        ),
        Field(
            "lead_status",
            lead.statuscode,
            status(words.LEAD_STATUS),
            loss=Loss.PARTIAL,
            description=(
                "Qualified by the action of that name, which makes no rows of its own here. Dataverse tells "
                "four ways to be disqualified, which are all Unqualified in Allegory."
            ),
            alias="Lead.statecode",
        ),
        Field("lead_score", lead.tandem_leadscore, decimal(-1_000_000, 1_000_000, 4)),
        Field("cf_gdpr_consent", lead.tandem_gdprconsent, words.date()),
        Field("converted_contact_id", lead.parentcontactid, words.contact()),
        Field("owner_email", lead.ownerid, owner_by_email(), loss=Loss.PARTIAL, alias="OwnerId"),
        synced.created("created_at", words.instant()),
        synced.modified("updated_at", words.instant()),
    ),
)
