"""The lead table: people who may become customers."""

from mappers.dataverse import lifecycles, synced, targets
from shared.core.mapping.columns import choice, day, decimal, lookup, memo, status, table, text

subject = text("subject", "Topic", 300)
firstname = text("firstname", "First Name", 50)
lastname = text("lastname", "Last Name", 50)
companyname = text("companyname", "Company Name", 100)
emailaddress1 = text("emailaddress1", "Email", 100)
telephone1 = text("telephone1", "Business Phone", 50)
address1_city = text("address1_city", "City", 80)
address1_country = text("address1_country", "Country/Region", 80)
leadsourcecode = choice(
    "leadsourcecode",
    "Lead Source",
    {
        1: "Advertisement",
        2: "Employee Referral",
        3: "External Referral",
        4: "Partner",
        5: "Public Relations",
        6: "Seminar",
        7: "Trade Show",
        8: "Web",
        9: "Word of Mouth",
        10: "Other",
    },
)
statuscode = status(lifecycles.LEAD_STATUS)
description = memo("description", "Description", 2000)
parentcontactid = lookup("parentcontactid", "Parent Contact for lead", targets.contact("parentcontactid"))
ownerid = synced.ownerid

tandem_tags = text("tandem_tags", "Tags", 2000)
tandem_gdprconsent = day("tandem_gdprconsent", "GDPR consent")
tandem_leadscore = decimal("tandem_leadscore", "Lead score", -1_000_000, 1_000_000, 4)
tandem_leadsource = text("tandem_leadsource", "Lead source (legacy)", 100)
tandem_leadstatus = text("tandem_leadstatus", "Lead status (legacy)", 100)

TABLE = table(
    "lead",
    "leads",
    "leadid",
    subject,
    firstname,
    lastname,
    companyname,
    emailaddress1,
    telephone1,
    address1_city,
    address1_country,
    leadsourcecode,
    statuscode,
    description,
    parentcontactid,
    tandem_leadscore,
    tandem_gdprconsent,
    tandem_tags,
    tandem_leadsource,
    tandem_leadstatus,
    *synced.merged_away(targets.lead("masterid"), {0: "Open", 1: "Qualified", 2: "Disqualified"}),
    *synced.COLUMNS,
    keys=synced.KEYS,
    lifecycle=lifecycles.LEAD,
)
