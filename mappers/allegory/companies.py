"""Allegory company <-> Dynamics 365 account."""

from mappers.allegory import words
from mappers.dataverse import account, synced
from shared.core.mapping.spec import EntityMap, Field, Loss
from shared.core.mapping.transforms import choice, integer, memo, money, owner_by_email, text, url

COMPANY = EntityMap(
    entity="company",
    table=account.TABLE,
    key="company_id",
    row_id=words.ROW_ID,
    source_key=synced.tandem_sourcekey,
    fields=(
        Field("name", account.name, text(160, required=True)),
        Field(
            "domain", account.websiteurl, url(200), description="Kept as written; a bare domain stays one."
        ),
        Field(
            "industry",
            account.tandem_industry,
            text(100),
            description="Free text in Allegory, misspellings included; no fixed choice can hold it.",
            alias="Industry",
        ),
        Field("employees", account.numberofemployees, integer(0, 1_000_000_000)),
        Field(
            "annual_revenue_musd",
            account.revenue,
            money(0, 100_000_000_000_000, factor=1_000_000),
            loss=Loss.FORMAT,
            description=(
                "Millions of US dollars there, single units here, exact both ways. "
                "The account's currency is left as it is, so it should be the US dollar."
            ),
        ),
        Field("year_founded", account.tandem_yearfounded, integer(0, 9999)),
        Field("street", account.address1_line1, text(250)),
        Field("city", account.address1_city, text(80)),
        Field("state", account.address1_stateorprovince, text(50)),
        Field("postal_code", account.address1_postalcode, text(20)),
        Field("country", account.address1_country, text(80)),
        Field("phone", account.telephone1, text(50)),
        Field(
            "parent_company_id",
            account.parentaccountid,
            words.company(),
            description="The company it belongs to; waits until that one has arrived.",
            alias="ParentId",
        ),
        Field("owner_email", account.ownerid, owner_by_email(), loss=Loss.PARTIAL, alias="OwnerId"),
        Field("tags", account.tandem_tags, text(2000), description="The whole string, as it is."),
        synced.created("created_at", words.instant()),
        synced.modified("updated_at", words.instant()),
        Field("cf_tier", account.tandem_tier, choice(words.TIER)),
        Field("cf_customer_since", account.tandem_customersince, integer(0, 9999)),
        Field("cf_scoring_blob", account.tandem_scoringblob, memo(100_000), description="JSON kept as text."),
    ),
)
