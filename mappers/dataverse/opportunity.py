"""The opportunity table: deals."""

from mappers.dataverse import lifecycles, synced, targets
from shared.core.mapping.columns import (
    boolean,
    choice,
    day,
    decimal,
    instant,
    integer,
    lookup,
    money,
    status,
    table,
    text,
)

name = text("name", "Topic", 300)
parentaccountid = lookup("parentaccountid", "Account", targets.account("parentaccountid"))
parentcontactid = lookup("parentcontactid", "Contact", targets.contact("parentcontactid"))
estimatedvalue = money("estimatedvalue", "Est. Revenue", -1_000_000_000_000, 1_000_000_000_000)
transactioncurrencyid = lookup("transactioncurrencyid", "Currency", targets.currency(), clearable=False)
pricelevelid = lookup("pricelevelid", "Price List", targets.price_list())
closeprobability = integer("closeprobability", "Probability", 0, 100)
estimatedclosedate = day("estimatedclosedate", "Est. Close Date")
actualclosedate = day("actualclosedate", "Actual Close Date")
statuscode = status(lifecycles.OPPORTUNITY_STATUS)
ownerid = synced.ownerid

tandem_pipelineid = text("tandem_pipelineid", "Pipeline id (legacy)", 100)
tandem_stageid = text("tandem_stageid", "Stage id (legacy)", 100)
tandem_stagename = text("tandem_stagename", "Stage (legacy)", 200)
tandem_stageenteredon = instant("tandem_stageenteredon", "Stage entered on")
tandem_forecastcategory = choice(
    "tandem_forecastcategory",
    "Forecast category (legacy)",
    {
        100_000_000: "Pipeline",
        100_000_001: "Best Case",
        100_000_002: "Commit",
        100_000_003: "Closed",
        100_000_004: "Omitted",
    },
)
tandem_lostreason = text("tandem_lostreason", "Lost reason", 200)
tandem_outcomereason = text("tandem_outcomereason", "Outcome reason (legacy)", 200)
tandem_companyname = text("tandem_companyname", "Company (legacy)", 160)
tandem_contactname = text("tandem_contactname", "Contact (legacy)", 200)
tandem_product = text("tandem_product", "Product (legacy)", 200)
tandem_engagedon = day("tandem_engagedon", "Engaged on")
tandem_tags = text("tandem_tags", "Tags", 2000)
tandem_marginpercent = decimal("tandem_marginpercent", "Margin %", -100_000, 100_000, 4)
tandem_decision = boolean("tandem_decision", "Decision?")
tandem_decisioninterne = text("tandem_decisioninterne", "Décision interne", 200)

TABLE = table(
    "opportunity",
    "opportunities",
    "opportunityid",
    name,
    parentaccountid,
    parentcontactid,
    estimatedvalue,
    transactioncurrencyid,
    pricelevelid,
    closeprobability,
    estimatedclosedate,
    actualclosedate,
    statuscode,
    tandem_pipelineid,
    tandem_stageid,
    tandem_stagename,
    tandem_stageenteredon,
    tandem_forecastcategory,
    tandem_lostreason,
    tandem_outcomereason,
    tandem_companyname,
    tandem_contactname,
    tandem_product,
    tandem_engagedon,
    tandem_tags,
    tandem_marginpercent,
    tandem_decision,
    tandem_decisioninterne,
    *synced.COLUMNS,
    keys=synced.KEYS,
    lifecycle=lifecycles.OPPORTUNITY,
)
