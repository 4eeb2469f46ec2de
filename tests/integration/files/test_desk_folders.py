"""What people at Legrand's desk keep as files and do with customers crosses by the folders of its drops."""

import base64
import json
import shutil

import pytest

from mappers.legrand import LEGRAND
from mappers.legrand.export import EXPORT
from shared.connectors.exports import pages
from shared.connectors.exports.folder import Folder
from shared.connectors.legacy.files import DropFiles
from shared.core.mapping.files import FileRef
from shared.migration.audit import Audit
from shared.migration.users import Users
from tests.integration.files.conftest import COMPANY, House

CONTENT = b"\x00\xff bytes, not text"
USER = {
    "systemuserid": "70000000-0000-4000-8000-00000000000a",
    "internalemailaddress": "anna.berg@nordwind.example",
    "isdisabled": False,
    "accessmode": 0,
}
HEAD = {
    "Subject": "Offer",
    "Company": "Harbour Cycles",
    "Company ID": "CMP1",
    "Contact": "Mara Okafor",
    "Contact ID": "CON1",
    "Owner": "Anna Berg",
}


@pytest.fixture
def worked(house: House) -> House:
    user = {"Name": "Anna Berg", "Email": "anna.berg@nordwind.example", "Active": "Yes"}
    house.put("users", "USR1", user)
    house.put("companies", "CMP1", COMPANY | {"Account Manager": "Anna Berg"})
    mara = {"First Name": "Mara", "Last Name": "Okafor", "Full Name": "Mara Okafor", "Owner": "Anna Berg"}
    house.put("contacts", "CON1", mara | {"Company": "Harbour Cycles", "Company ID": "CMP1"})
    linked = {
        "Linked Module": "Companies",
        "Linked Record ID": "CMP1",
        "Uploaded By": "Anna Berg",
        "Folder": "/Sales",
    }
    for number, content in (("DOC1", b"first"), ("DOC2", CONTENT)):
        encoded = base64.b64encode(content).decode()
        house.put("documents", number, linked | {"File Name": "Offer.pdf", "Content": encoded})
    mail = {
        "Type": "Email",
        "Date": "2026-01-30T15:05:00",
        "From": "anna.berg@nordwind.example",
        "To": "anna.berg@nordwind.example",
        "Attachments": "DOC2; DOC1",
        "(body)": "<p>Hello</p>\n<p>Anna</p>",
    }
    call = {"Type": "Call", "Date": "2026-01-30T00:30:00", "Direction": "Incoming", "Duration": "3 min"}
    meeting = {
        "Type": "Meeting",
        "Date": "2026-01-30T12:00:00",
        "Start": "2026-01-30T12:00:00",
        "End": "2026-01-30T13:00:00",
        "Attendees": "anna.berg@nordwind.example",
        "(body)": "Notes:\n- one",
    }
    for place, said in enumerate((mail, call, meeting), 1):
        house.put("activities", f"ACT-00000{place}.txt", HEAD | said)
    return house


async def test_documents_and_activities_of_the_desk_are_told_with_their_files(worked: House) -> None:
    worked.drop("monday")

    said = await worked.look()

    assert [(one["entity"], one["sourceKey"], one["operation"]) for one in said] == [
        ("company", "CMP1", "upsert"),
        ("contact", "CON1", "upsert"),
        ("document", "DOC1", "upsert"),
        ("document", "DOC2", "upsert"),
        ("email", "ACT-000001.txt", "upsert"),
        ("call", "ACT-000002.txt", "upsert"),
        ("meeting", "ACT-000003.txt", "upsert"),
        ("attachment", "ACT-000001.txt/Offer (1).pdf", "upsert"),
        ("attachment", "ACT-000001.txt/Offer.pdf", "upsert"),
    ]
    email, call = said[4]["data"], said[5]["data"]
    # 15:05 in Sydney's summer, and half past midnight of the day before there.
    assert (email["Date"], call["Date"]) == ("2026-01-30T04:05:00Z", "2026-01-29T13:30:00Z")
    assert email["(body)"] == "<p>Hello</p>\n<p>Anna</p>"


async def test_the_bytes_a_person_saved_are_those_that_a_note_gets(worked: House) -> None:
    worked.drop("monday")
    document = (await worked.look())[3]

    entry = LEGRAND.map_of("document")
    assert entry is not None
    found = entry.to_columns(document["data"]).values["documentbody"]

    assert found == FileRef("legrand", "monday/Documents/Offer (1).pdf", "Offer.pdf", len(CONTENT))
    assert await DropFiles(str(worked.folder)).piece(found, 0, 100) == CONTENT


async def test_an_audit_finds_nothing_in_folders_that_people_filled_well(worked: House) -> None:
    worked.drop("monday")
    users = Users.read(json.dumps({"value": [USER]}).encode())

    told = Audit(EXPORT, Folder(str(worked.folder / "monday")), users, pages.plain, pages.is_html).run()

    found = [finding.told() for finding in told]
    folders = ("Documents", "Activities", "export_log.csv")
    assert [one for one in found if one["file"].startswith(folders)] == []


async def test_what_is_deleted_at_the_desk_ends_with_its_files(worked: House) -> None:
    worked.drop("monday")
    await worked.look()
    for number in (1, 2):
        worked.desk.delete(f"/admin/records/activities/ACT-00000{number}.txt").raise_for_status()
    worked.desk.delete("/admin/records/documents/DOC1").raise_for_status()

    worked.drop("tuesday")

    ended = {(one["entity"], one["sourceKey"], one["operation"]) for one in await worked.look()}
    assert ended == {
        ("email", "ACT-000001.txt", "delete"),
        ("attachment", "ACT-000001.txt/Offer.pdf", "delete"),
        ("attachment", "ACT-000001.txt/Offer (1).pdf", "delete"),
        ("call", "ACT-000002.txt", "delete"),
        ("document", "DOC1", "delete"),
        # Its file is called otherwise now that the one it shared the name with is gone.
        ("document", "DOC2", "upsert"),
    }


async def test_the_last_activity_that_is_deleted_ends_though_its_folder_is_gone_with_it(
    worked: House,
) -> None:
    """The log says that there are none, and that is as good as an empty folder."""
    worked.drop("monday")
    await worked.look()
    for number in (1, 2, 3):
        worked.desk.delete(f"/admin/records/activities/ACT-00000{number}.txt").raise_for_status()

    worked.drop("tuesday")

    assert not (worked.folder / "tuesday" / "Activities").exists()
    ended = {(one["entity"], one["sourceKey"], one["operation"]) for one in await worked.look()}
    assert ended == {
        ("email", "ACT-000001.txt", "delete"),
        ("attachment", "ACT-000001.txt/Offer.pdf", "delete"),
        ("attachment", "ACT-000001.txt/Offer (1).pdf", "delete"),
        ("call", "ACT-000002.txt", "delete"),
        ("meeting", "ACT-000003.txt", "delete"),
    }
    module = await worked.module("activity")
    assert (module["state"], module["listed"], module["found"], module["deleted"]) == ("read", 0, 0, 3)


async def test_a_module_that_the_log_does_not_name_ends_nothing_and_says_what_is_kept(worked: House) -> None:
    worked.drop("monday")
    await worked.look()
    worked.drop("tuesday")
    tuesday = worked.folder / "tuesday"
    shutil.rmtree(tuesday / "Activities")
    log = tuesday / "export_log.csv"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(line for line in lines if not line.startswith("Activities")))

    assert await worked.look() == []

    module = await worked.module("activity")
    assert (module["state"], module["note"]) == ("absent", "not in this drop; its 3 records stay as they are")
