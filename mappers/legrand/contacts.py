"""Legrand contact -> Dynamics 365 contact."""

from mappers.dataverse import contact, synced
from mappers.legrand import words
from shared.core.mapping.spec import Dropped, EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, email, owner_by_name, text, yes_no

CONTACT = EntityMap(
    entity="contact",
    table=contact.TABLE,
    key="Contact ID",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("First Name", contact.firstname, text(50)),
        Field("Last Name", contact.lastname, text(50)),
        Field("Email", contact.emailaddress1, email(100)),
        Field("Phone", contact.telephone1, text(50)),
        Field("Mobile", contact.mobilephone, text(50)),
        Field("Job Title", contact.jobtitle, text(100)),
        Field(
            "Role",
            contact.accountrolecode,
            choice(words.ROLE, known_only=True),
            loss=Loss.PARTIAL,
            description="Only the roles Dataverse knows; a User is not an Employee.",
        ),
        Field(
            "Role",
            contact.tandem_role,
            text(100),
            flow=Flow.INBOUND,
            description="The role as it is; the option beside it is what goes back.",
        ),
        Field(
            "Company",
            contact.tandem_companyname,
            text(160),
            flow=Flow.INBOUND,
            description="The name as it is: what an admin goes by where there is no id; not sent.",
        ),
        Field(
            "Company ID",
            contact.parentcustomerid,
            words.company(),
            loss=Loss.PARTIAL,
            description="A contact without a company hangs from the one placeholder account.",
            alias="AccountId",
        ),
        Field(
            "Primary Contact",
            contact.tandem_isprimary,
            yes_no("Yes", "No"),
            description="Kept with the contact: the account's own column holds one contact, Legrand several.",
        ),
        Field("Keywords", contact.tandem_tags, text(2000)),
        Field(
            "Owner",
            contact.ownerid,
            owner_by_name(),
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field(
            "Opt Out",
            contact.donotbulkemail,
            yes_no("Yes", "No"),
            description="Of mailings; a single e-mail may still be written.",
        ),
        synced.created("Created Date", words.instant()),
        synced.modified("Modified Date", words.instant()),
        Field("Date of Birth (custom)", contact.birthdate, words.date()),
    ),
    dropped=(Dropped("Full Name", "Dataverse puts it together from first and last name."),),
)
