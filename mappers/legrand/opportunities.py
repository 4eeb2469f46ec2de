"""Legrand opportunity -> Dynamics 365 opportunity."""

from mappers.dataverse import opportunity, synced
from mappers.legrand import words
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import currency_by_code, integer, money, owner_by_name, status, text

OPPORTUNITY = EntityMap(
    entity="opportunity",
    table=opportunity.TABLE,
    key="Opportunity ID",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("Opportunity Name", opportunity.name, text(300, required=True)),
        Field(
            "Company",
            opportunity.tandem_companyname,
            text(160),
            flow=Flow.INBOUND,
            description="Legrand fills it in by the id.",
        ),
        Field(
            "Company ID",
            opportunity.parentaccountid,
            words.company(),
            loss=Loss.PARTIAL,
            description="An opportunity without a company hangs from the one placeholder account.",
            alias="AccountId",
        ),
        Field(
            "Contact",
            opportunity.tandem_contactname,
            text(200),
            flow=Flow.INBOUND,
            description="Legrand names the contact and gives no id; a name is no link.",
        ),
        Field(
            "Sales Process",
            opportunity.tandem_pipelineid,
            text(100),
            flow=Flow.INBOUND,
            description="Legrand knows its processes by name alone; moving to another one is done there.",
            alias="RecordTypeId",
        ),
        Field(
            "Stage",
            opportunity.tandem_stagename,
            text(200),
            description="The label as it is: a stage nobody has translated is data, not an error.",
            alias="StageName",
        ),
        Field("Stage Probability", opportunity.closeprobability, integer(0, 100)),
        Field(
            "Estimated Value",
            opportunity.estimatedvalue,
            money(-1_000_000_000_000, 1_000_000_000_000),
            alias="Amount",
        ),
        Field("Currency", opportunity.transactioncurrencyid, currency_by_code()),
        Field(
            "Expected Close Date",
            opportunity.estimatedclosedate,
            words.date(),
            alias="CloseDate",
        ),
        Field(
            "Status",
            opportunity.statuscode,
            status(words.OPPORTUNITY_STATUS),
            loss=Loss.PARTIAL,
            description="Won and lost by the actions of these names, after everything else is written.",
            alias="Closed-Won, Closed-Lost",
        ),
        Field("Outcome Reason", opportunity.tandem_outcomereason, text(200)),
        Field(
            "Closed Date",
            opportunity.actualclosedate,
            words.date(),
            description="Goes along with the action that closes it.",
        ),
        Field(
            "Owner",
            opportunity.ownerid,
            owner_by_name(),
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        synced.created("Created Date", words.instant()),
        synced.modified("Modified Date", words.instant()),
    ),
)
