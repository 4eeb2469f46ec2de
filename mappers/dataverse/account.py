"""The account table: companies."""

from mappers.dataverse import synced, targets
from shared.core.mapping.columns import boolean, choice, integer, lookup, memo, money, table, text

name = text("name", "Account Name", 160)
websiteurl = text("websiteurl", "Website", 200)
telephone1 = text("telephone1", "Main Phone", 50)
fax = text("fax", "Fax", 50)
emailaddress1 = text("emailaddress1", "Email", 100)
numberofemployees = integer("numberofemployees", "Number of Employees", 0, 1_000_000_000)
revenue = money("revenue", "Annual Revenue", 0, 100_000_000_000_000)
address1_line1 = text("address1_line1", "Address 1: Street 1", 250)
address1_city = text("address1_city", "Address 1: City", 80)
address1_stateorprovince = text("address1_stateorprovince", "Address 1: State/Province", 50)
address1_postalcode = text("address1_postalcode", "Address 1: ZIP/Postal Code", 20)
address1_country = text("address1_country", "Address 1: Country/Region", 80)
customertypecode = choice(
    "customertypecode",
    "Relationship Type",
    {
        1: "Competitor",
        2: "Consultant",
        3: "Customer",
        4: "Investor",
        5: "Partner",
        6: "Influencer",
        7: "Press",
        8: "Prospect",
        9: "Reseller",
        10: "Supplier",
        11: "Vendor",
        12: "Other",
    },
)
parentaccountid = lookup("parentaccountid", "Parent Account", targets.account("parentaccountid"))
ownerid = synced.ownerid

tandem_industry = text("tandem_industry", "Industry (legacy)", 100)
tandem_yearfounded = integer("tandem_yearfounded", "Year founded", 0, 9999)
tandem_customersince = integer("tandem_customersince", "Customer since (year)", 0, 9999)
tandem_tier = choice(
    "tandem_tier", "Tier", {100_000_000: "Gold", 100_000_001: "Silver", 100_000_002: "Bronze"}
)
tandem_tags = text("tandem_tags", "Tags", 2000)
tandem_scoringblob = memo("tandem_scoringblob", "Scoring blob", 100_000)
tandem_accountingcontact = text("tandem_accountingcontact", "Accounting contact (legacy)", 200)
tandem_bikebrands = text("tandem_bikebrands", "Bike brands stocked", 200)
tandem_contractsigned = boolean("tandem_contractsigned", "Contract signed (legacy)")

TABLE = table(
    "account",
    "accounts",
    "accountid",
    name,
    websiteurl,
    telephone1,
    fax,
    emailaddress1,
    numberofemployees,
    revenue,
    address1_line1,
    address1_city,
    address1_stateorprovince,
    address1_postalcode,
    address1_country,
    customertypecode,
    parentaccountid,
    tandem_industry,
    tandem_yearfounded,
    tandem_customersince,
    tandem_tier,
    tandem_tags,
    tandem_scoringblob,
    tandem_accountingcontact,
    tandem_bikebrands,
    tandem_contractsigned,
    *synced.merged_away(targets.account("masterid")),
    *synced.COLUMNS,
    keys=synced.KEYS,
)
