"""Legrand campaign -> Dynamics 365 campaign."""

from mappers.dataverse import campaign, synced
from mappers.legrand import words
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, integer, money, owner_by_name, status, text

CAMPAIGN = EntityMap(
    entity="campaign",
    table=campaign.TABLE,
    key="Campaign ID",
    source_key=synced.tandem_sourcekey,
    one_way="Legrand runs the campaign; Dataverse shows it.",
    fields=(
        Field("Campaign Name", campaign.name, text(128, required=True), flow=Flow.INBOUND),
        Field(
            "Campaign Type",
            campaign.typecode,
            choice(words.CAMPAIGN_TYPE, words.CAMPAIGN_TYPE_ALIASES, otherwise=5),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Fairs and webinars are events, mailings direct marketing, and the rest is Other.",
        ),
        Field(
            "Campaign Type",
            campaign.tandem_campaigntype,
            text(100),
            flow=Flow.INBOUND,
            description="As written.",
        ),
        Field(
            "Status",
            campaign.statuscode,
            status(words.CAMPAIGN_STATUS, unknown=0),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="A status nobody has translated leaves the campaign Proposed.",
        ),
        Field(
            "Status", campaign.tandem_campaignstatus, text(100), flow=Flow.INBOUND, description="As written."
        ),
        Field("Start Date", campaign.proposedstart, words.date(), flow=Flow.INBOUND),
        Field("End Date", campaign.proposedend, words.date(), flow=Flow.INBOUND),
        Field(
            "Target Member Count",
            campaign.tandem_targetmembers,
            integer(0, 1_000_000_000),
            flow=Flow.INBOUND,
            description="Dataverse's expected response is a percentage, so a count has no place there.",
        ),
        Field(
            "Owner",
            campaign.ownerid,
            owner_by_name(),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field(
            "Budget",
            campaign.budgetedcost,
            money(0, 1_000_000_000_000),
            flow=Flow.INBOUND,
            description="Legrand names no currency here; the organisation's own is taken.",
        ),
    ),
)
