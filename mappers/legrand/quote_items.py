"""Legrand quote item -> Dynamics 365 quote line, `Q-10265/2/1`: written in, with a price of its own."""

from mappers.dataverse import quotedetail, synced
from mappers.legrand import words
from shared.core.mapping.composed import Composed
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import decimal, integer, lookup, money, text

_MOST = 1_000_000_000_000
_FURTHEST = 922_337_203_685_477

QUOTE_ITEM = EntityMap(
    entity="quote_item",
    table=quotedetail.TABLE,
    unit=quotedetail.quoteid,
    key="Quote Item",
    source_key=synced.tandem_sourcekey,
    one_way="The lines of a quote change with a revision made in Legrand.",
    composed=(
        Composed("Quote Item", ("Quote No", "Revision", "Line")),
        Composed("Quote", ("Quote No", "Revision")),
        Composed("Discount", ("Quantity", "Unit Price", "Discount %"), words.discount),
    ),
    # No catalogue is synced: a line says itself what it is and what it costs.
    constants={
        quotedetail.isproductoverridden.name: True,
        quotedetail.ispriceoverridden.name: True,
    },
    fields=(
        Field(
            "Quote",
            quotedetail.quoteid,
            lookup(words.SYSTEM, "quote"),
            flow=Flow.INBOUND,
            description="The revision it belongs to: Quote No and Revision.",
            alias="QuoteLineItem.QuoteId",
        ),
        Field("Line", quotedetail.lineitemnumber, integer(0, 1_000_000_000), flow=Flow.INBOUND),
        Field("Product Code", quotedetail.tandem_productcode, text(100), flow=Flow.INBOUND),
        Field(
            "Description",
            quotedetail.productdescription,
            text(500),
            flow=Flow.INBOUND,
            description="Written in: Legrand's catalogue is not synced.",
        ),
        Field(
            "Quantity",
            quotedetail.quantity,
            decimal(-100_000_000_000, 100_000_000_000, quotedetail.quantity.precision or 0),
            flow=Flow.INBOUND,
        ),
        Field("Unit Price", quotedetail.priceperunit, money(-_FURTHEST, _FURTHEST), flow=Flow.INBOUND),
        Field("Discount %", quotedetail.tandem_discountpercent, decimal(0, 100, 4), flow=Flow.INBOUND),
        Field(
            "Discount",
            quotedetail.manualdiscountamount,
            money(0, _MOST),
            flow=Flow.INBOUND,
            loss=Loss.FORMAT,
            description="Quantity times price times discount, to the cent: Dataverse knows no percentage.",
        ),
        Field(
            "Line Total",
            quotedetail.tandem_linetotal,
            money(0, _MOST),
            flow=Flow.INBOUND,
            description="Dataverse computes its own; this is what Legrand said, to compare.",
        ),
    ),
)
