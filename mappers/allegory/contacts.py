"""Allegory contact <-> Dynamics 365 contact, with a connection to each further company (A-01c)."""

from collections.abc import Mapping
from uuid import UUID

from mappers.allegory import words
from mappers.dataverse import connection, contact, synced
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RecordRef, RowRef
from shared.core.mapping.satellites import Companion, Following, companion_id, entries
from shared.core.mapping.spec import EntityMap, Field, Loss
from shared.core.mapping.transforms import choice, email, owner_by_email, text, url, yes_no

SEPARATOR = "|"


def further_companies(row_id: UUID, values: Mapping[str, Value]) -> Following:
    """A connection for each company of the contact that is not its primary one."""
    named = dict.fromkeys(entries(values.get(contact.tandem_companyids.name), SEPARATOR))
    return Following(
        tuple(
            Companion(
                connection.TABLE,
                companion_id(connection.TABLE.name, row_id, company),
                {
                    connection.record1id.name: RowRef("contact", row_id),
                    connection.record2id.name: RecordRef(RecordKey(words.SYSTEM, "company", company)),
                    connection.description.name: "A further company of this contact, kept in step by Tandem.",
                },
                besides=values.get(contact.parentcustomerid.name),
            )
            for company in named
        )
    )


CONTACT = EntityMap(
    entity="contact",
    table=contact.TABLE,
    key="contact_id",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("first_name", contact.firstname, text(50)),
        Field("last_name", contact.lastname, text(50)),
        Field("email", contact.emailaddress1, email(100)),
        Field("phone", contact.telephone1, text(50)),
        Field("mobile", contact.mobilephone, text(50)),
        Field("job_title", contact.jobtitle, text(100)),
        Field(
            "primary_company_id",
            contact.parentcustomerid,
            words.company(placeholder="account"),
            loss=Loss.PARTIAL,
            description=(
                "A contact without a company hangs from the one placeholder account, and so does one whose "
                "company is taken away in Dataverse."
            ),
            alias="AccountId",
        ),
        Field(
            "company_ids",
            contact.tandem_companyids,
            text(2000),
            loss=Loss.FORMAT,
            description="Every company of the contact; each further one is a connection, too.",
            alias="Account Contact Relationship",
        ),
        Field("owner_email", contact.ownerid, owner_by_email(), loss=Loss.PARTIAL, alias="OwnerId"),
        Field("lifecycle_stage", contact.tandem_lifecyclestage, choice(words.LIFECYCLE_STAGE)),
        Field("do_not_email", contact.donotemail, yes_no()),
        Field("tags", contact.tandem_tags, text(2000), description="The whole string, as it is."),
        Field("birthday", contact.birthdate, words.date()),
        synced.created("created_at", words.instant()),
        synced.modified("updated_at", words.instant()),
        Field("cf_linkedin", contact.tandem_linkedin, url(500)),
        Field("cf_preferred_language", contact.tandem_preferredlanguage, text(10)),
    ),
    satellites=(further_companies,),
)
