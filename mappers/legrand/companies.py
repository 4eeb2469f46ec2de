"""Legrand company -> Dynamics 365 account."""

from mappers.dataverse import account, synced
from mappers.legrand import words
from shared.core.mapping.spec import EntityMap, Field, Loss
from shared.core.mapping.transforms import choice, email, integer, money, owner_by_name, text, url, yes_no

COMPANY = EntityMap(
    entity="company",
    table=account.TABLE,
    key="Company ID",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("Company Name", account.name, text(160, required=True)),
        Field(
            "Company Type",
            account.customertypecode,
            choice(words.COMPANY_TYPE),
            loss=Loss.PARTIAL,
            description="Dataverse knows more types; one that Legrand has no word for is not sent.",
            alias="Account Type",
        ),
        Field("Industry", account.tandem_industry, text(100)),
        Field("Phone", account.telephone1, text(50)),
        Field("Fax", account.fax, text(50)),
        Field("Email", account.emailaddress1, email(100)),
        Field("Website", account.websiteurl, url(200)),
        Field("Street", account.address1_line1, text(250)),
        Field("City", account.address1_city, text(80)),
        Field("State", account.address1_stateorprovince, text(50)),
        Field("Postal Code", account.address1_postalcode, text(20)),
        Field("Country", account.address1_country, text(80)),
        Field("Keywords", account.tandem_tags, text(2000)),
        Field(
            "Account Manager",
            account.ownerid,
            owner_by_name(),
            loss=Loss.PARTIAL,
            description="Legrand names its users; two users of one name cannot be told apart.",
            alias="OwnerId",
        ),
        Field("Accounting Contact", account.tandem_accountingcontact, text(200)),
        synced.created("Created Date", words.instant()),
        synced.modified("Modified Date", words.instant()),
        Field("No. of Employees", account.numberofemployees, integer(0, 1_000_000_000)),
        Field("Annual Sales", account.revenue, money(0, 100_000_000_000_000)),
        Field("Bike Brands Stocked (custom)", account.tandem_bikebrands, text(200)),
        Field("Contract Signed (custom)", account.tandem_contractsigned, yes_no("Yes", "No")),
    ),
)
