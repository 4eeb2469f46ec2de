"""Names of collection-valued navigation properties: which rows hang from a row, and under which name.

The service names them by relationship; no rule derives all of them. The ones people write in queries are
listed; the rest follow `<referencing table>_<column>_<referenced table>`.
"""

from dataclasses import dataclass

# (referencing table, lookup column, referenced table) -> collection name on the referenced table
_NAMED = {
    ("contact", "parentcustomerid", "account"): "contact_customer_accounts",
    ("contact", "parentcustomerid", "contact"): "contact_customer_contacts",
    ("account", "parentaccountid", "account"): "account_parent_account",
    ("account", "primarycontactid", "contact"): "account_primary_contact",
    ("account", "originatingleadid", "lead"): "account_originating_lead",
    ("contact", "originatingleadid", "lead"): "contact_originating_lead",
    ("opportunity", "customerid", "account"): "opportunity_customer_accounts",
    ("opportunity", "customerid", "contact"): "opportunity_customer_contacts",
    ("opportunity", "parentaccountid", "account"): "opportunity_parent_account",
    ("opportunity", "parentcontactid", "contact"): "opportunity_parent_contact",
    ("opportunity", "originatingleadid", "lead"): "opportunity_originating_lead",
    ("opportunity", "campaignid", "campaign"): "campaign_opportunities",
    ("opportunityproduct", "opportunityid", "opportunity"): "product_opportunities",
    ("opportunityclose", "opportunityid", "opportunity"): "Opportunity_OpportunityClose",
    ("lead", "parentaccountid", "account"): "lead_parent_account",
    ("lead", "parentcontactid", "contact"): "lead_parent_contact",
    ("lead", "customerid", "account"): "lead_customer_accounts",
    ("lead", "customerid", "contact"): "lead_customer_contacts",
    ("lead", "campaignid", "campaign"): "campaign_leads",
    ("lead", "qualifyingopportunityid", "opportunity"): "lead_qualifying_opportunity",
    ("quote", "opportunityid", "opportunity"): "opportunity_quotes",
    ("quote", "customerid", "account"): "quote_customer_accounts",
    ("quote", "customerid", "contact"): "quote_customer_contacts",
    ("quotedetail", "quoteid", "quote"): "quote_details",
    ("quoteclose", "quoteid", "quote"): "quote_close",
    ("incident", "customerid", "account"): "incident_customer_accounts",
    ("incident", "customerid", "contact"): "incident_customer_contacts",
    ("incident", "primarycontactid", "contact"): "contact_as_primary_contact",
    ("incident", "responsiblecontactid", "contact"): "contact_as_responsible_contact",
    ("incident", "parentcaseid", "incident"): "incident_parent_incident",
    ("incidentresolution", "incidentid", "incident"): "Incident_IncidentResolutions",
    ("activitymimeattachment", "objectid", "email"): "email_activity_mime_attachment",
    ("systemuser", "businessunitid", "businessunit"): "business_unit_system_users",
    ("systemuser", "parentsystemuserid", "systemuser"): "user_parent_user",
    ("team", "businessunitid", "businessunit"): "business_unit_teams",
}

_ACTIVITY_PLURALS = {
    "task": "Tasks",
    "phonecall": "Phonecalls",
    "email": "Emails",
    "appointment": "Appointments",
    "activitypointer": "ActivityPointers",
    "campaignresponse": "CampaignResponses",
}


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """A relationship stored as pairs of ids."""

    name: str
    intersect: str
    first: str
    second: str
    first_navigation: str
    second_navigation: str


MANY_TO_MANY = (
    ManyToMany(
        "campaignlist_association",
        "campaignitem",
        "campaign",
        "list",
        "campaignlist_association",
        "campaignlist_association",
    ),
    ManyToMany(
        "teammembership_association",
        "teammembership",
        "team",
        "systemuser",
        "teammembership_association",
        "teammembership_association",
    ),
    ManyToMany(
        "systemuserroles_association",
        "systemuserroles",
        "systemuser",
        "role",
        "systemuserroles_association",
        "systemuserroles_association",
    ),
    ManyToMany(
        "teamroles_association",
        "teamroles",
        "team",
        "role",
        "teamroles_association",
        "teamroles_association",
    ),
    ManyToMany(
        "contactleads_association",
        "contactleads",
        "contact",
        "lead",
        "contactleads_association",
        "contactleads_association",
    ),
)


def collection_name(referencing: str, column: str, referenced: str) -> str:
    """The collection on `referenced` that lists the rows of `referencing` pointing at it by `column`."""
    named = _NAMED.get((referencing, column, referenced))
    if named is not None:
        return named
    if column == "regardingobjectid" and referencing in _ACTIVITY_PLURALS:
        return f"{referenced.capitalize()}_{_ACTIVITY_PLURALS[referencing]}"
    if (referencing, column) == ("annotation", "objectid"):
        return f"{referenced.capitalize()}_Annotation"
    if (referencing, column) == ("activityparty", "activityid"):
        return f"{referenced}_activity_parties"
    if column == "ownerid" and referenced == "systemuser":
        return f"user_{referencing}"
    return f"{referencing}_{column}_{referenced}"
