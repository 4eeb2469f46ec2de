"""The campaign table: what was done to win customers."""

from mappers.dataverse import lifecycles, synced
from shared.core.mapping.columns import choice, day, integer, money, status, table, text

name = text("name", "Name", 128)
typecode = choice(
    "typecode",
    "Campaign Type",
    {1: "Advertisement", 2: "Direct Marketing", 3: "Event", 4: "Co-branding", 5: "Other"},
)
proposedstart = day("proposedstart", "Proposed Start")
proposedend = day("proposedend", "Proposed End")
budgetedcost = money("budgetedcost", "Budget Allocated", 0, 1_000_000_000_000)
statuscode = status(lifecycles.CAMPAIGN_STATUS)
ownerid = synced.ownerid

tandem_campaigntype = text("tandem_campaigntype", "Campaign type (legacy)", 100)
tandem_campaignstatus = text("tandem_campaignstatus", "Status (legacy)", 100)
tandem_targetmembers = integer("tandem_targetmembers", "Target member count", 0, 1_000_000_000)

TABLE = table(
    "campaign",
    "campaigns",
    "campaignid",
    name,
    typecode,
    proposedstart,
    proposedend,
    budgetedcost,
    statuscode,
    tandem_campaigntype,
    tandem_campaignstatus,
    tandem_targetmembers,
    *synced.COLUMNS,
    keys=synced.KEYS,
    lifecycle=lifecycles.CAMPAIGN,
)
