"""What Legrand's people quote and whom they campaign to, saved at the desk, is told by the next drop."""

import json

from mappers.legrand.export import EXPORT
from shared.connectors.exports import pages
from shared.connectors.exports.folder import Folder
from shared.migration.audit import Audit
from shared.migration.users import Users
from tests.integration.files.conftest import COMPANY, House

QUOTE = {
    "Company": "Harbour Cycles",
    "Company ID": "CMP1",
    "Contact": "Ann Lee",
    "Opportunity": "Bells",
    "Status": "Sent",
    "Quote Date": "2026-01-30",
    "Valid Until": "2026-02-28",
    "Currency": "AUD",
    "Freight": "10",
    "Subtotal": "95.5",
    "Total": "105.5",
    "Owner": "Kim Ray",
}
CAMPAIGN = {
    "Campaign Name": "Spring",
    "Campaign Type": "Email",
    "Status": "Active",
    "Start Date": "2026-01-01",
    "End Date": "2026-03-01",
    "Target Member Count": "1",
    "Owner": "Kim Ray",
    "Budget": "500",
}
SAVED = {
    "users/U1": {"Name": "Kim Ray", "Email": "kim@example.test", "Active": "Yes"},
    "companies/CMP1": COMPANY,
    "contacts/CON1": {
        "First Name": "Ann",
        "Last Name": "Lee",
        "Full Name": "Ann Lee",
        "Email": "ann@example.test",
        "Company": "Harbour Cycles",
        "Company ID": "CMP1",
    },
    "opportunities/OPP1": {
        "Opportunity Name": "Bells",
        "Company": "Harbour Cycles",
        "Company ID": "CMP1",
        "Stage": "Quoting",
        "Status": "Open",
    },
    "quotes/Q-7/1": QUOTE | {"Status": "Superseded", "Freight": "", "Subtotal": "0", "Total": "0"},
    "quotes/Q-7/2": QUOTE,
    "quote_items/Q-7/2/1": {
        "Product Code": "0815",
        "Description": "Bell",
        "Quantity": "2",
        "Unit Price": "50",
        "Discount %": "5",
        "Line Total": "95",
    },
    "quote_items/Q-7/2/2": {
        "Product Code": "0816",
        "Description": "Screw",
        "Quantity": "1",
        "Unit Price": "0.5",
        "Line Total": "0.5",
    },
    "campaigns/CPN1": CAMPAIGN,
    "campaign_members/CPN1/Contact/CON1": {
        "Campaign Name": "Spring",
        "Email": "ann@example.test",
        "Response": "Opened",
    },
}
USERS = {
    "value": [
        {
            "systemuserid": "5e01e874-e796-52e8-8ed9-8bc9df35e021",
            "fullname": "Kim Ray",
            "internalemailaddress": "kim@example.test",
            "domainname": "kim@example.test",
            "isdisabled": False,
            "accessmode": 0,
            "azureactivedirectoryobjectid": "e2a162cf-bca0-5a4e-917f-f7cbbecbeadf",
            "_businessunitid_value": "a98c022e-74a3-557d-a2e5-440fa3a0469d",
        }
    ]
}
OURS = {"quote", "quote_item", "campaign", "campaign_member"}


def save(house: House) -> None:
    """People in Legrand save all of it."""
    for record, fields in SAVED.items():
        module, record_id = record.split("/", 1)
        house.put(module, record_id, fields)


async def test_a_drop_tells_quotes_by_revision_with_their_lines_and_campaigns_with_their_members(
    house: House,
) -> None:
    save(house)
    house.drop("first")

    told = [event for event in await house.look() if event["entity"] in OURS]

    assert {(event["entity"], event["sourceKey"], event["operation"]) for event in told} == {
        ("quote", "Q-7/1", "upsert"),
        ("quote", "Q-7/2", "upsert"),
        ("quote_item", "Q-7/2/1", "upsert"),
        ("quote_item", "Q-7/2/2", "upsert"),
        ("campaign", "CPN1", "upsert"),
        ("campaign_member", "CPN1/Contact/CON1", "upsert"),
    }
    by_key = {event["sourceKey"]: event["data"] for event in told}
    assert (by_key["Q-7/2"]["Revision"], by_key["Q-7/2"]["Total"]) == ("2", "105.5")
    assert by_key["Q-7/2/1"]["Product Code"] == "0815"
    assert by_key["CPN1"]["Start Date"] == "2026-01-01"
    assert by_key["CPN1/Contact/CON1"]["Response"] == "Opened"
    assert (await house.told())["kept_out"] == []
    modules = [await house.module(entity) for entity in sorted(OURS)]
    assert [(module["entity"], module["state"], module["listed"]) for module in modules] == [
        ("campaign", "read", 1),
        ("campaign_member", "read", 1),
        ("quote", "read", 2),
        ("quote_item", "read", 2),
    ]


async def test_a_line_that_people_take_out_of_a_quote_is_told_as_gone(house: House) -> None:
    save(house)
    house.drop("first")
    await house.look()

    house.desk.delete("/admin/records/quote_items/Q-7/2/2").raise_for_status()
    house.put("quotes", "Q-7/2", QUOTE | {"Subtotal": "95", "Total": "105"})
    house.drop("second")

    told = {(event["entity"], event["sourceKey"], event["operation"]) for event in await house.look()}
    assert told == {("quote_item", "Q-7/2/2", "delete"), ("quote", "Q-7/2", "upsert")}


def test_an_audit_finds_nothing_in_what_was_saved_and_a_total_that_people_mistyped(house: House) -> None:
    save(house)
    house.drop("first")
    assert findings(house, "first") == []

    house.put("quotes", "Q-7/2", QUOTE | {"Subtotal": "96"})
    house.drop("second")

    assert findings(house, "second") == [
        ("Q-7/2", "Total", "sum.differs"),
        ("Q-7/2", "Subtotal", "sum.differs"),
    ]


def findings(house: House, drop: str) -> list[tuple[str, str, str]]:
    """What an audit of a drop finds in the workbooks of quotes and of campaigns."""
    told = [finding.told() for finding in audit(house, drop).run()]
    files = {"Sales Quotes.xlsx", "Campaigns.xlsx"}
    return [(found["record"], found["field"], found["finding"]) for found in told if found["file"] in files]


def audit(house: House, drop: str) -> Audit:
    """An audit of a drop, with the one user it names."""
    users = Users.read(json.dumps(USERS).encode())
    return Audit(EXPORT, Folder(str(house.folder / drop)), users, pages.plain, pages.is_html)


async def test_quotes_wait_while_the_sheet_of_their_lines_is_cut(house: House) -> None:
    save(house)
    house.drop("first")
    log = house.folder / "first" / "export_log.csv"
    said = log.read_text("utf-8")
    line = "Quote Items,Sales Quotes.xlsx,{},"
    assert line.format(2) in said
    log.write_text(said.replace(line.format(2), line.format(3)), "utf-8")

    await house.look()

    states = {entity: (await house.module(entity))["state"] for entity in ("quote", "quote_item", "company")}
    assert states == {"quote": "stopped", "quote_item": "stopped", "company": "read"}
