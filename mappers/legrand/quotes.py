"""Legrand sales quote -> Dynamics 365 quote. Each revision is a quote of its own: `Q-10265/2`."""

from mappers.dataverse import quote, synced
from mappers.legrand import words
from shared.core.mapping.composed import Composed, Parts
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import (
    by_name,
    currency_by_code,
    integer,
    money,
    owner_by_name,
    status,
    text,
)

_MOST = 1_000_000_000_000

QUOTE = EntityMap(
    entity="quote",
    table=quote.TABLE,
    key="Quote",
    source_key=synced.tandem_sourcekey,
    one_way="A quote is a document that Legrand numbers, revises and sends; it is written there.",
    composed=(Composed("Quote", ("Quote No", "Revision")),),
    parts=Parts("quote_item", "Lines"),
    fields=(
        Field(
            "Quote No",
            quote.name,
            text(300, required=True),
            flow=Flow.INBOUND,
            description="Legrand's quotes have no name; this is what people call them.",
        ),
        Field("Quote No", quote.tandem_quotenumber, text(100), flow=Flow.INBOUND),
        Field(
            "Revision",
            quote.tandem_revision,
            integer(0, 1_000_000),
            flow=Flow.INBOUND,
            description="Dataverse numbers its own revisions and lets nobody else do it.",
            alias="revision number",
        ),
        Field("Company", quote.tandem_companyname, text(160), flow=Flow.INBOUND),
        Field(
            "Company ID",
            quote.customerid,
            words.company(),
            flow=Flow.INBOUND,
            description="A quote without a company hangs from the one placeholder account.",
            alias="AccountId",
        ),
        Field("Contact", quote.tandem_contactname, text(200), flow=Flow.INBOUND),
        Field(
            "Opportunity",
            quote.opportunityid,
            by_name("opportunity", "name", within=("parentaccountid", "customerid")),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description=(
                "Legrand names it by text. A name its company has once is linked; none or several are not, "
                "and the quote is linked when it is sent again after that is put right."
            ),
            alias="Quote-to-Opportunity link",
        ),
        Field(
            "Opportunity",
            quote.tandem_opportunityname,
            text(300),
            flow=Flow.INBOUND,
            description="The text as it is: with no opportunity beside it, the quote is not linked.",
        ),
        Field(
            "Status",
            quote.statuscode,
            status(words.QUOTE_STATUS),
            flow=Flow.INBOUND,
            description="Follows once every line is there: an active quote takes none any more.",
            alias="conversion status",
        ),
        Field("Status", quote.tandem_quotestatus, text(100), flow=Flow.INBOUND, description="As written."),
        Field("Quote Date", quote.effectivefrom, words.date(), flow=Flow.INBOUND),
        Field("Valid Until", quote.effectiveto, words.date(), flow=Flow.INBOUND),
        Field("Currency", quote.transactioncurrencyid, currency_by_code(), flow=Flow.INBOUND),
        Field("Freight", quote.freightamount, money(0, _MOST), flow=Flow.INBOUND),
        Field(
            "Subtotal",
            quote.tandem_subtotal,
            money(0, _MOST),
            flow=Flow.INBOUND,
            description="Dataverse adds up the lines itself; this is what Legrand said, to compare.",
        ),
        Field("Total", quote.tandem_total, money(0, _MOST), flow=Flow.INBOUND),
        Field("Ship To Street", quote.shipto_line1, text(250), flow=Flow.INBOUND),
        Field("Ship To City", quote.shipto_city, text(80), flow=Flow.INBOUND),
        Field("Ship To Region", quote.shipto_stateorprovince, text(50), flow=Flow.INBOUND),
        Field("Ship To Postal Code", quote.shipto_postalcode, text(20), flow=Flow.INBOUND),
        Field("Ship To Country", quote.shipto_country, text(80), flow=Flow.INBOUND),
        Field(
            "Owner",
            quote.ownerid,
            owner_by_name(),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field("Customer Order", quote.tandem_customerorder, text(100), flow=Flow.INBOUND),
    ),
)
