"""Allegory deal <-> Dynamics 365 opportunity."""

from mappers.allegory import words
from mappers.allegory.pipelines import instance
from mappers.dataverse import opportunity, synced
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import (
    choice,
    currency_by_code,
    decimal,
    integer,
    money,
    owner_by_email,
    price_list_by_currency,
    status,
    text,
    yes_no,
)

DEAL = EntityMap(
    entity="deal",
    table=opportunity.TABLE,
    key="deal_id",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("name", opportunity.name, text(300, required=True)),
        Field("company_id", opportunity.parentaccountid, words.company(), alias="AccountId"),
        Field("primary_contact_id", opportunity.parentcontactid, words.contact()),
        Field("pipeline_id", opportunity.tandem_pipelineid, text(100), alias="Sales Process"),
        Field("stage_id", opportunity.tandem_stageid, text(100)),
        Field(
            "stage_name",
            opportunity.tandem_stagename,
            text(200),
            description="The label as it is: a stage nobody has translated is data, not an error.",
            alias="StageName",
        ),
        Field("amount", opportunity.estimatedvalue, money(-1_000_000_000_000, 1_000_000_000_000)),
        Field("currency", opportunity.transactioncurrencyid, currency_by_code()),
        Field(
            "currency",
            opportunity.pricelevelid,
            price_list_by_currency(words.PRICE_LIST),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="The organisation's list of this name; without one it stays as it is.",
            alias="Price Book",
        ),
        Field("probability", opportunity.closeprobability, integer(0, 100)),
        Field(
            "forecast_category",
            opportunity.tandem_forecastcategory,
            choice(words.FORECAST_CATEGORY, words.FORECAST_ALIASES),
            description=(
                "Dataverse's own forecast category tells won from lost where Allegory says Closed, "
                "so the way back would be a guess."
            ),
        ),
        Field("engage_date", opportunity.tandem_engagedon, words.date()),
        Field("expected_close_date", opportunity.estimatedclosedate, words.date(), alias="CloseDate"),
        Field("close_date", opportunity.actualclosedate, words.date()),
        Field(
            "status",
            opportunity.statuscode,
            status(words.STATUS),
            loss=Loss.PARTIAL,
            description=(
                "Won and lost by the actions of these names, after everything else is written. Dataverse "
                "tells more kinds of open and lost than Allegory does."
            ),
        ),
        Field("lost_reason", opportunity.tandem_lostreason, text(200)),
        Field("product", opportunity.tandem_product, text(200)),
        Field("owner_email", opportunity.ownerid, owner_by_email(), loss=Loss.PARTIAL, alias="OwnerId"),
        Field("tags", opportunity.tandem_tags, text(2000), description="The whole string, as it is."),
        Field("stage_entered_at", opportunity.tandem_stageenteredon, words.instant(), loss=Loss.FORMAT),
        synced.created("created_at", words.instant()),
        synced.modified("updated_at", words.instant()),
        Field("cf_margin_pct", opportunity.tandem_marginpercent, decimal(-100_000, 100_000, 4)),
        Field("cf_decision", opportunity.tandem_decision, yes_no()),
        Field("cf_Décision interne", opportunity.tandem_decisioninterne, text(200)),
    ),
    satellites=(instance,),
)
