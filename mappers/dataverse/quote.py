"""The quote table: offers. A quote takes changes and lines while it is a draft, not once it is active."""

from mappers.dataverse import lifecycles, synced, targets
from shared.core.mapping.columns import day, integer, lookup, money, status, table, text

name = text("name", "Name", 300)
customerid = lookup(
    "customerid",
    "Potential Customer",
    targets.account("customerid_account"),
    targets.contact("customerid_contact"),
    clearable=False,
)
opportunityid = lookup("opportunityid", "Opportunity", targets.opportunity("opportunityid"))
transactioncurrencyid = lookup("transactioncurrencyid", "Currency", targets.currency(), clearable=False)
effectivefrom = day("effectivefrom", "Effective From")
effectiveto = day("effectiveto", "Effective To")
freightamount = money("freightamount", "Freight Amount", 0, 1_000_000_000_000)
shipto_line1 = text("shipto_line1", "Ship To Street 1", 250)
shipto_city = text("shipto_city", "Ship To City", 80)
shipto_stateorprovince = text("shipto_stateorprovince", "Ship To State/Province", 50)
shipto_postalcode = text("shipto_postalcode", "Ship To ZIP/Postal Code", 20)
shipto_country = text("shipto_country", "Ship To Country/Region", 80)
statuscode = status(lifecycles.QUOTE_STATUS)
ownerid = synced.ownerid

# Dataverse numbers its own revisions and lets nobody else do it.
tandem_revision = integer("tandem_revision", "Revision (legacy)", 0, 1_000_000)
tandem_quotenumber = text("tandem_quotenumber", "Quote number (legacy)", 100)
tandem_quotestatus = text("tandem_quotestatus", "Status (legacy)", 100)
tandem_companyname = text("tandem_companyname", "Company (legacy)", 160)
tandem_contactname = text("tandem_contactname", "Contact (legacy)", 200)
tandem_opportunityname = text("tandem_opportunityname", "Opportunity (legacy)", 300)
tandem_customerorder = text("tandem_customerorder", "Customer order", 100)
tandem_subtotal = money("tandem_subtotal", "Subtotal (legacy)", 0, 1_000_000_000_000)
tandem_total = money("tandem_total", "Total (legacy)", 0, 1_000_000_000_000)

TABLE = table(
    "quote",
    "quotes",
    "quoteid",
    name,
    customerid,
    opportunityid,
    transactioncurrencyid,
    effectivefrom,
    effectiveto,
    freightamount,
    shipto_line1,
    shipto_city,
    shipto_stateorprovince,
    shipto_postalcode,
    shipto_country,
    statuscode,
    tandem_revision,
    tandem_quotenumber,
    tandem_quotestatus,
    tandem_companyname,
    tandem_contactname,
    tandem_opportunityname,
    tandem_customerorder,
    tandem_subtotal,
    tandem_total,
    *synced.COLUMNS,
    keys=synced.KEYS,
    lifecycle=lifecycles.QUOTE,
)
