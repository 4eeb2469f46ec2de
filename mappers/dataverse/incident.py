"""The incident table: cases, which a service desk calls tickets."""

from mappers.dataverse import lifecycles, synced, targets
from shared.core.mapping.columns import boolean, choice, instant, lookup, memo, status, table, text

title = text("title", "Case Title", 200)
customerid = lookup(
    "customerid",
    "Customer",
    targets.account("customerid_account"),
    targets.contact("customerid_contact"),
    clearable=False,
)
prioritycode = choice("prioritycode", "Priority", {1: "High", 2: "Normal", 3: "Low"})
description = memo("description", "Description", 2000)
statuscode = status(lifecycles.INCIDENT_STATUS)
ownerid = synced.ownerid

tandem_board = text("tandem_board", "Board (legacy)", 100)
tandem_boardstatus = text("tandem_boardstatus", "Status (legacy)", 100)
tandem_contactname = text("tandem_contactname", "Contact (legacy)", 200)
tandem_assetname = text("tandem_assetname", "Asset (legacy)", 200)
tandem_closedon = instant("tandem_closedon", "Closed on (legacy)")
tandem_warranty = boolean("tandem_warranty", "Warranty (legacy)")

TABLE = table(
    "incident",
    "incidents",
    "incidentid",
    title,
    customerid,
    prioritycode,
    description,
    statuscode,
    tandem_board,
    tandem_boardstatus,
    tandem_contactname,
    tandem_assetname,
    tandem_closedon,
    tandem_warranty,
    *synced.COLUMNS,
    keys=synced.KEYS,
    lifecycle=lifecycles.INCIDENT,
)
