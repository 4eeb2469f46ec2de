"""The contact table: people."""

from mappers.dataverse import synced, targets
from shared.core.mapping.columns import boolean, choice, day, lookup, table, text

firstname = text("firstname", "First Name", 50)
lastname = text("lastname", "Last Name", 50)
emailaddress1 = text("emailaddress1", "Email", 100)
telephone1 = text("telephone1", "Business Phone", 50)
mobilephone = text("mobilephone", "Mobile Phone", 50)
jobtitle = text("jobtitle", "Job Title", 100)
donotemail = boolean("donotemail", "Do not allow Emails")
donotbulkemail = boolean("donotbulkemail", "Do not allow Bulk Emails")
accountrolecode = choice("accountrolecode", "Role", {1: "Decision Maker", 2: "Employee", 3: "Influencer"})
birthdate = day("birthdate", "Birthday")
parentcustomerid = lookup(
    "parentcustomerid",
    "Company Name",
    targets.account("parentcustomerid_account"),
    targets.contact("parentcustomerid_contact"),
)
ownerid = synced.ownerid

tandem_companyids = text("tandem_companyids", "Companies (legacy)", 2000)
tandem_lifecyclestage = choice(
    "tandem_lifecyclestage",
    "Lifecycle stage",
    {
        100_000_000: "Subscriber",
        100_000_001: "Lead",
        100_000_002: "MQL",
        100_000_003: "SQL",
        100_000_004: "Customer",
    },
)
tandem_tags = text("tandem_tags", "Tags", 2000)
tandem_linkedin = text("tandem_linkedin", "LinkedIn", 500)
tandem_preferredlanguage = text("tandem_preferredlanguage", "Preferred language", 10)
tandem_role = text("tandem_role", "Role (legacy)", 100)
tandem_companyname = text("tandem_companyname", "Company (legacy)", 160)
tandem_isprimary = boolean("tandem_isprimary", "Primary contact (legacy)")

TABLE = table(
    "contact",
    "contacts",
    "contactid",
    firstname,
    lastname,
    emailaddress1,
    telephone1,
    mobilephone,
    jobtitle,
    donotemail,
    donotbulkemail,
    accountrolecode,
    birthdate,
    parentcustomerid,
    tandem_companyids,
    tandem_lifecyclestage,
    tandem_tags,
    tandem_linkedin,
    tandem_preferredlanguage,
    tandem_role,
    tandem_companyname,
    tandem_isprimary,
    *synced.merged_away(targets.contact("masterid")),
    *synced.COLUMNS,
    keys=synced.KEYS,
)
