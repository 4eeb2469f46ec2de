"""Every column of Legrand that goes both ways goes out as well, in each module that is imported."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mappers.legrand import LEGRAND
from mappers.legrand.imports import IMPORTS
from shared.core.mapping.columns import Option, Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import Flow
from tests.integration.files.office import Office, office_at

ANNA, BERT = UUID(int=101), UUID(int=102)
EURO = UUID(int=201)

COMPANY = {"Company Name": "Harbour Cycles", "Company Type": "Partner", "City": "Balmain"}
FIRST: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "company": ("companies", "CMP9", {"Company Name": "Before", "Account Manager": "Anna Berg"}),
    "contact": (
        "contacts",
        "CON9",
        {"Last Name": "Before", "Full Name": "Before", "Company ID": "CMP1", "Role": "User"},
    ),
    "lead": (
        "leads",
        "LEAD9",
        {"Last Name": "Before", "Lead Status": "New", "Received": "2026-01-30T09:00:00"},
    ),
    "opportunity": (
        "opportunities",
        "OPP9",
        {"Opportunity Name": "Before", "Stage": "Lead-in", "Status": "Open", "Company ID": "CMP1"},
    ),
    "ticket": ("tickets", "T9", {"Subject": "Before", "Board": "Support", "Status": "Open"}),
}
"""A record of each module, as a person types it: module, id, columns."""

EDITS: Mapping[str, tuple[dict[str, Value], dict[str, str]]] = {
    "company": (
        {
            "name": "After",
            "customertypecode": Option(9),
            "tandem_industry": "Bicycles",
            "telephone1": "+61 2 5550 1",
            "fax": "02 5550 2",
            "emailaddress1": "hello@harbour.example",
            "websiteurl": "harbour.example",
            "address1_line1": "1 Wharf Road",
            "address1_city": "Balmain",
            "address1_stateorprovince": "NSW",
            "address1_postalcode": "0800",
            "address1_country": "Australia",
            "tandem_tags": "a, b",
            "ownerid": RowRef("systemuser", BERT),
            "tandem_accountingcontact": "Cleo",
            "numberofemployees": 14,
            "revenue": Decimal("800000.55"),
            "tandem_bikebrands": "Road",
            "tandem_contractsigned": True,
        },
        {
            "Company Name": "After",
            "Company Type": "Reseller",
            "Industry": "Bicycles",
            "Phone": "+61 2 5550 1",
            "Fax": "02 5550 2",
            "Email": "hello@harbour.example",
            "Website": "harbour.example",
            "Street": "1 Wharf Road",
            "City": "Balmain",
            "State": "NSW",
            "Postal Code": "0800",
            "Country": "Australia",
            "Keywords": "a, b",
            "Account Manager": "Bert Cole",
            "Accounting Contact": "Cleo",
            "No. of Employees": "14",
            "Annual Sales": "800000.55",
            "Bike Brands Stocked (custom)": "Road",
            "Contract Signed (custom)": "Yes",
        },
    ),
    "contact": (
        {
            "firstname": "Ada",
            "lastname": "After",
            "emailaddress1": "ada@harbour.example",
            "telephone1": "1",
            "mobilephone": "2",
            "jobtitle": "Buyer",
            "accountrolecode": Option(1),
            "parentcustomerid": RowRef("account", UUID(int=0)),
            "tandem_isprimary": True,
            "tandem_tags": "x",
            "ownerid": RowRef("systemuser", BERT),
            "donotbulkemail": True,
            "birthdate": date(1899, 12, 31),
        },
        {
            "First Name": "Ada",
            "Last Name": "After",
            "Full Name": "Ada After",
            "Email": "ada@harbour.example",
            "Phone": "1",
            "Mobile": "2",
            "Job Title": "Buyer",
            "Role": "Decision maker",
            "Company ID": "CMP2",
            "Company": "Second",
            "Primary Contact": "Yes",
            "Keywords": "x",
            "Owner": "Bert Cole",
            "Opt Out": "Yes",
            "Date of Birth (custom)": "1899-12-31",
        },
    ),
    "lead": (
        {
            "firstname": "Ada",
            "lastname": "After",
            "companyname": "Harbour",
            "emailaddress1": "ada@harbour.example",
            "telephone1": "1",
            "address1_city": "Balmain",
            "address1_country": "Australia",
            "leadsourcecode": Option(3),
            "statuscode": Option(2),
            "ownerid": RowRef("systemuser", BERT),
            "description": "Two lines\nof text",
        },
        {
            "First Name": "Ada",
            "Last Name": "After",
            "Company Name": "Harbour",
            "Email": "ada@harbour.example",
            "Phone": "1",
            "City": "Balmain",
            "Country": "Australia",
            "Lead Source": "Referral",
            "Lead Status": "Contacted",
            "Owner": "Bert Cole",
            "Message": "Two lines\nof text",
        },
    ),
    "opportunity": (
        {
            "name": "After",
            "parentaccountid": RowRef("account", UUID(int=0)),
            "tandem_stagename": "Quoting",
            "closeprobability": 40,
            "estimatedvalue": Decimal("1234.56"),
            "transactioncurrencyid": RowRef("transactioncurrency", EURO),
            "estimatedclosedate": date(2026, 3, 31),
            "statuscode": Option(3),
            "tandem_outcomereason": "Price",
            "actualclosedate": date(2026, 1, 31),
            "ownerid": RowRef("systemuser", BERT),
        },
        {
            "Opportunity Name": "After",
            "Company ID": "CMP2",
            "Company": "Second",
            "Stage": "Quoting",
            "Stage Probability": "40",
            "Estimated Value": "1234.56",
            "Currency": "EUR",
            "Expected Close Date": "2026-03-31",
            "Status": "Closed-Won",
            "Outcome Reason": "Price",
            "Closed Date": "2026-01-31",
            "Owner": "Bert Cole",
        },
    ),
    "ticket": (
        {
            "title": "After",
            "tandem_board": "Warranty",
            "statuscode": Option(3),
            "prioritycode": Option(1),
            "customerid": RowRef("account", UUID(int=0)),
            "tandem_assetname": "Frame 12",
            "ownerid": RowRef("systemuser", BERT),
            "description": "=1+1",
            "tandem_warranty": False,
        },
        {
            "Subject": "After",
            "Board": "Warranty",
            "Status": "Waiting on customer",
            "Priority": "High",
            "Company ID": "CMP2",
            "Company": "Second",
            "Asset": "Frame 12",
            "Assigned To": "Bert Cole",
            "Description": "=1+1",
            "Warranty (custom)": "No",
        },
    ),
}
"""What a person changes in Dataverse, and what Legrand holds afterwards."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        for row, name in ((ANNA, "Anna Berg"), (BERT, "Bert Cole")):
            address = f"{name.split()[0].lower()}@nordwind.example"
            made.rows.put("systemuser", row, {"fullname": name, "internalemailaddress": address})
            user = {"Name": name, "Email": address, "Active": "Yes"}
            made.desk.put(f"/admin/records/users/{name.split()[0]}", json=user).raise_for_status()
        made.rows.put("transactioncurrency", EURO, {"isocurrencycode": "EUR"})
        yield made


def entry_of(entity: str) -> Any:
    entry = LEGRAND.map_of(entity)
    assert entry is not None
    return entry


@pytest.mark.parametrize("entity", FIRST)
async def test_every_two_way_column_reaches_legrand_and_the_next_drop_brings_nothing_back(
    office: Office, entity: str
) -> None:
    module, number, typed = FIRST[entity]
    table = entry_of(entity).table.name
    for record, name in (("CMP1", "First"), ("CMP2", "Second")):
        office.desk.put(f"/admin/records/companies/{record}", json={"Company Name": name}).raise_for_status()
    office.desk.put(f"/admin/records/{module}/{number}", json=typed).raise_for_status()
    await office.drop("first")
    row = await office.row_of(f"legrand:{entity}:{number}")
    await office.tell(table, row)
    second = await office.row_of("legrand:company:CMP2")
    values, expected = EDITS[entity]
    values = {
        name: RowRef("account", second) if value == RowRef("account", UUID(int=0)) else value
        for name, value in values.items()
    }

    edit = await office.save(table, row, **values)
    await office.exchange()
    assert await office.fate(edit) == "applied"
    held = office.record(module, number)
    assert {name: held[name] for name in expected} == expected
    await office.drop("second")
    after = await office.values(table, row)
    assert {name: after.get(name) for name in values} == values
    assert await office.pending() == []


@pytest.mark.parametrize("entity", FIRST)
def test_the_edits_of_this_test_are_all_the_two_way_columns(entity: str) -> None:
    both = {line.column.name for line in entry_of(entity).fields if line.flow is Flow.BOTH}

    assert set(EDITS[entity][0]) == both


def test_what_is_imported_is_what_goes_out() -> None:
    assert [declared.entity for declared in IMPORTS.modules] == [
        entry.entity for entry in LEGRAND.maps if entry.outbound
    ]
    assert all(entry.outbound or entry.one_way for entry in LEGRAND.maps)
