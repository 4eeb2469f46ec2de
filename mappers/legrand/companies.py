"""Legrand company -> Dynamics 365 account."""

from mappers.dataverse import account, synced
from mappers.legrand import words
from shared.core.mapping.spec import EntityMap, Field, Flow, Loss
from shared.core.mapping.transforms import choice, email, integer, money, owner_by_name, text, url, yes_no

COMPANY = EntityMap(
    entity="company",
    table=account.TABLE,
    key="Company ID",
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("Company Name", account.name, text(160, required=True), flow=Flow.INBOUND),
        Field(
            "Company Type",
            account.customertypecode,
            choice(words.COMPANY_TYPE),
            flow=Flow.INBOUND,
            alias="Account Type",
        ),
        Field("Industry", account.tandem_industry, text(100), flow=Flow.INBOUND),
        Field("Phone", account.telephone1, text(50), flow=Flow.INBOUND),
        Field("Fax", account.fax, text(50), flow=Flow.INBOUND),
        Field("Email", account.emailaddress1, email(100), flow=Flow.INBOUND),
        Field("Website", account.websiteurl, url(200), flow=Flow.INBOUND),
        Field("Street", account.address1_line1, text(250), flow=Flow.INBOUND),
        Field("City", account.address1_city, text(80), flow=Flow.INBOUND),
        Field("State", account.address1_stateorprovince, text(50), flow=Flow.INBOUND),
        Field("Postal Code", account.address1_postalcode, text(20), flow=Flow.INBOUND),
        Field("Country", account.address1_country, text(80), flow=Flow.INBOUND),
        Field("Keywords", account.tandem_tags, text(2000), flow=Flow.INBOUND),
        Field(
            "Account Manager",
            account.ownerid,
            owner_by_name(),
            flow=Flow.INBOUND,
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field("Accounting Contact", account.tandem_accountingcontact, text(200), flow=Flow.INBOUND),
        synced.created("Created Date", words.instant()),
        synced.modified("Modified Date", words.instant()),
        Field("No. of Employees", account.numberofemployees, integer(0, 1_000_000_000), flow=Flow.INBOUND),
        Field("Annual Sales", account.revenue, money(0, 100_000_000_000_000), flow=Flow.INBOUND),
        Field("Bike Brands Stocked (custom)", account.tandem_bikebrands, text(200), flow=Flow.INBOUND),
        Field(
            "Contract Signed (custom)", account.tandem_contractsigned, yes_no("Yes", "No"), flow=Flow.INBOUND
        ),
    ),
)
