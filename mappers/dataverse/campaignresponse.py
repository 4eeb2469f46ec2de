"""The campaignresponse table: a person a campaign is meant for, and what came of it."""

from mappers.dataverse import synced, targets
from shared.core.mapping.columns import Target, choice, lookup, table, text

subject = text("subject", "Subject", 200)
regardingobjectid = lookup(
    "regardingobjectid",
    "Parent Campaign",
    Target("campaign", "campaigns", "regardingobjectid_campaign_campaignresponse"),
    clearable=False,
)
emailaddress = text("emailaddress", "Email", 100)
responsecode = choice(
    "responsecode",
    "Response Code",
    {1: "Interested", 2: "Not Interested", 3: "Do Not Send Marketing Materials", 4: "Error"},
)

tandem_contactid = lookup("tandem_contactid", "Contact", targets.contact("tandem_contactid"))
tandem_leadid = lookup("tandem_leadid", "Lead", targets.lead("tandem_leadid"))
tandem_response = text("tandem_response", "Response (legacy)", 100)

TABLE = table(
    "campaignresponse",
    "campaignresponses",
    "activityid",
    subject,
    regardingobjectid,
    emailaddress,
    responsecode,
    tandem_contactid,
    tandem_leadid,
    tandem_response,
    synced.tandem_sourcekey,
    synced.tandem_createdby,
    synced.tandem_modifiedby,
    keys=synced.KEYS,
)
