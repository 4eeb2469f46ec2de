"""The quotedetail table: the lines of quotes. A line has its quote's owner and none of its own."""

from mappers.dataverse import synced, targets
from shared.core.mapping.columns import boolean, decimal, integer, lookup, money, table, text

quoteid = lookup("quoteid", "Quote", targets.quote("quoteid"), clearable=False)
lineitemnumber = integer("lineitemnumber", "Line Item Number", 0, 1_000_000_000)
isproductoverridden = boolean("isproductoverridden", "Select Product")
ispriceoverridden = boolean("ispriceoverridden", "Pricing")
productdescription = text("productdescription", "Write-In Product", 500)
quantity = decimal("quantity", "Quantity", -100_000_000_000, 100_000_000_000, 10)
priceperunit = money("priceperunit", "Price Per Unit", -922_337_203_685_477, 922_337_203_685_477)
manualdiscountamount = money("manualdiscountamount", "Manual Discount", 0, 1_000_000_000_000)

tandem_productcode = text("tandem_productcode", "Product code (legacy)", 100)
tandem_discountpercent = decimal("tandem_discountpercent", "Discount %", 0, 100, 4)
tandem_linetotal = money("tandem_linetotal", "Line total (legacy)", 0, 1_000_000_000_000)

TABLE = table(
    "quotedetail",
    "quotedetails",
    "quotedetailid",
    quoteid,
    lineitemnumber,
    isproductoverridden,
    ispriceoverridden,
    productdescription,
    quantity,
    priceperunit,
    manualdiscountamount,
    tandem_productcode,
    tandem_discountpercent,
    tandem_linetotal,
    synced.tandem_sourcekey,
    synced.tandem_createdby,
    synced.tandem_modifiedby,
    synced.overriddencreatedon,
    keys=synced.KEYS,
)
