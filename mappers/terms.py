"""The words in which the migration was described, and what each of them is in Dataverse (C-03).

The descriptions borrow words from another vendor's product. Maps carry such a word as the alias of a line;
here it stands with its true counterpart, so that whoever reads for the one finds the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the descriptions: the table, column or operation of Dataverse that it means.

    `lines` cites the description (A: the first, L: the second). A word that means no column of a table names
    the table alone; one that means a thing done names the operation. `column` may be a lookup's.
    """

    word: str
    lines: tuple[str, ...]
    table: str = ""
    column: str = ""
    operation: str = ""
    remark: str = ""

    @property
    def target(self) -> str:
        """The counterpart in one word: `opportunity.statuscode`, `WinOpportunity`."""
        return self.operation or (f"{self.table}.{self.column}" if self.column else self.table)


TERMS: tuple[Term, ...] = (
    Term("Account", ("A50", "L45"), "account"),
    Term("Account Type", ("L45",), "account", "customertypecode", remark="The relationship type."),
    Term("ParentId", ("A50",), "account", "parentaccountid"),
    Term("ParentAccountId", ("A50",), "account", "parentaccountid"),
    Term("Industry", ("A50",), "account", "tandem_industry", remark="Free text, no fixed list can hold it."),
    Term("Contact", ("A45", "L50"), "contact"),
    Term(
        "AccountId",
        ("A45", "A60", "L45", "L50"),
        "contact",
        "parentcustomerid",
        remark="On a deal: the account.",
    ),
    Term(
        "Account Contact Relationship",
        ("A45",),
        "connection",
        "record2id",
        remark="One connection for each company that is not the primary one.",
    ),
    Term("Lead", ("A55", "L55"), "lead"),
    Term("Lead.leadqualitycode", ("A55",), "lead", "leadsourcecode", remark="The quality is the rating."),
    Term("leadqualitycode", ("A55",), "lead", "leadsourcecode", remark="The quality is the rating."),
    Term("Lead.statecode", ("A55",), "lead", "statuscode", remark="The state follows from the reason."),
    Term("Lead Status picklist", ("L55",), "lead", "statuscode"),
    Term("lead score", ("A55",), "lead", "tandem_leadscore"),
    Term("Opportunity", ("A60", "L60"), "opportunity"),
    Term("StageName", ("A60", "A70"), "opportunity", "tandem_stagename", remark="The label as it is."),
    Term(
        "Sales Process",
        ("A60", "L60", "L124"),
        "opportunity",
        "tandem_pipelineid",
        remark="The process itself is a business process flow, one per pipeline.",
    ),
    Term("Business Process Flow", ("A65", "A130"), "workflow", remark="Of category 4."),
    Term("Pipeline", ("A65",), "tandem_pipeline", "tandem_name"),
    Term("Pipeline Stage", ("A70",), "processstage", "stagename"),
    Term("Probability", ("A60",), "opportunity", "closeprobability"),
    Term("forecast category", ("A60", "A70"), "opportunity", "tandem_forecastcategory"),
    Term("Stage-entered timestamp", ("A70",), "opportunity", "tandem_stageenteredon"),
    Term("Amount", ("L60",), "opportunity", "estimatedvalue"),
    Term("CloseDate", ("A60", "L60"), "opportunity", "estimatedclosedate"),
    Term("Closed-Won", ("L60",), operation="WinOpportunity"),
    Term("Closed-Lost", ("L60",), operation="LoseOpportunity"),
    Term(
        "Closed-Won, Closed-Lost",
        ("L60",),
        "opportunity",
        "statuscode",
        remark="Reached by WinOpportunity and LoseOpportunity.",
    ),
    Term(
        "Record Type",
        ("L60", "L70", "L124"),
        "incident",
        "tandem_board",
        remark="There are none: a process and a column of our own.",
    ),
    Term("RecordTypeId", ("L128",), "opportunity", "tandem_pipelineid", remark="See Record Type."),
    Term("Price Book", ("A60",), "opportunity", "pricelevelid", remark="The price list."),
    Term("Task", ("A75", "A80", "L80"), "task"),
    Term("Type='Email'", ("A75",), "email", remark="A task has no type; an e-mail is a table of its own."),
    Term("Type='Phone Call'", ("A80",), "phonecall", remark="A task has no type."),
    Term("TaskSubtype", ("L80",), "phonecall", remark="A call is a table of its own."),
    Term("CallDisposition", ("A80",), "phonecall", "description", remark="The outcome of a call."),
    Term("EmailMessage", ("L80",), "email"),
    Term("HtmlBody", ("A75", "L80"), "email", "description"),
    Term("Event", ("A85", "L80"), "appointment"),
    Term("Event Attendees", ("A85",), "activityparty", "partyid"),
    Term("StartDateTime", ("A85",), "appointment", "scheduledstart"),
    Term("EndDateTime", ("A85",), "appointment", "scheduledend"),
    Term(
        "ActivityDate", ("L80",), "activitypointer", "actualend", remark="And the overridden creation time."
    ),
    Term("WhatId", ("A75", "L80"), "activitypointer", "regardingobjectid"),
    Term("ContentDocument", ("L80",), "annotation", "documentbody", remark="A note on the activity."),
    Term("Attachment", ("A100", "L75"), "annotation", "documentbody"),
    Term("Note", ("A100", "L75"), "annotation"),
    Term("LinkedEntityId", ("L75", "L80"), "annotation", "objectid"),
    Term("QuoteLineItem", ("L65", "L128"), "quotedetail"),
    Term("QuoteLineItem.QuoteId", ("L65",), "quotedetail", "quoteid"),
    Term(
        "revision number",
        ("L65",),
        "quote",
        "tandem_revision",
        remark="Dataverse's own, revisionnumber, is read only.",
    ),
    Term("conversion status", ("L65",), "quote", "statuscode"),
    Term("Quote-to-Opportunity link", ("L65",), "quote", "opportunityid"),
    Term("LinkToEntity", ("L65",), "quote", "opportunityid"),
    Term("Case", ("L70",), "incident"),
    Term("Asset link", ("L70",), "incident", "tandem_assetname"),
    Term("internal_comments__c", ("L70",), "annotation", "notetext"),
    Term("Campaign", ("L85",), "campaign"),
    Term(
        "CampaignMember",
        ("L85", "L128"),
        "campaignresponse",
        remark="And a place in the campaign's marketing list.",
    ),
    Term("CampaignMember.CampaignId", ("L85",), "campaignresponse", "regardingobjectid"),
    Term("CampaignMember.ContactId", ("L85",), "campaignresponse", "tandem_contactid"),
    Term("CampaignMember.LeadId", ("L85",), "campaignresponse", "tandem_leadid"),
    Term("OwnerId", ("L126", "L128"), "account", "ownerid", remark="On every table that has an owner."),
    Term("User", ("L55", "L126"), "systemuser", "internalemailaddress"),
    Term("tags", ("A95",), "account", "tandem_tags"),
    Term("__c", ("L70",), "tandem_customfield", "tandem_name", remark="Our own columns begin with tandem_."),
    Term("Bulk API", ("L128",), operation="UpsertMultiple", remark="And CreateMultiple, and batches."),
    Term("CreatedDate", ("A15", "L15"), "account", "overriddencreatedon", remark="On create alone."),
    Term(
        "LastModifiedDate",
        ("A15",),
        "account",
        "tandem_legacymodifiedon",
        remark="modifiedon takes no value.",
    ),
)
"""Every word, each once."""


def page() -> str:
    """The page `docs/reference/terms.md`."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield (
        "# Terms\n\n"
        "The words of the two migration descriptions and what each is in Dataverse. Rendered from\n"
        "`mappers/terms.py` by "
        "`python -m mappers.dataverse.generate`; edit that, not this page. A line is cited with the letter\n"
        "of its description: A for Allegory's, L for Legrand's. What differs from the wording, and why, is\n"
        "in [deviations](deviations.md).\n\n"
        "| word | in Dataverse | lines | remark |\n|---|---|---|---|\n"
    )
    for known in sorted(TERMS, key=lambda entry: entry.word.casefold()):
        yield f"| {known.word} | `{known.target}` | {', '.join(known.lines)} | {known.remark} |\n"
