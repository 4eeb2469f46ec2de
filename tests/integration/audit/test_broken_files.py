"""Each broken file, put in the place of its original: named with its rule, and the rest is audited."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Told = Mapping[str, Any]
AuditOf = Callable[[str, Path], list[Told]]

BROKEN = [
    (
        "allegory",
        "activities_email_truncated.json",
        "activities_email.json",
        "file.malformed",
        None,
        "line 112",
    ),
    (
        "allegory",
        "companies_missing_key_column.csv",
        "companies.csv",
        "file.column_missing",
        "company_id",
        "line 1",
    ),
    (
        "allegory",
        "companies_missing_owner_column.csv",
        "companies.csv",
        "file.column_missing",
        "owner_email",
        "line 1",
    ),
    ("allegory", "companies_nul_byte.csv", "companies.csv", "file.nul_byte", None, "byte 209, line 2"),
    ("allegory", "companies_renamed_header.csv", "companies.csv", "file.column_missing", "name", "line 1"),
    ("allegory", "companies_semicolon.csv", "companies.csv", "file.delimiter", None, "line 1"),
    ("allegory", "contacts_cp1252.csv", "contacts.csv", "file.encoding", None, "byte 865, line 5"),
    ("allegory", "contacts_duplicate_header.csv", "contacts.csv", "file.column_repeated", "email", "line 1"),
    ("allegory", "contacts_utf16le.csv", "contacts.csv", "file.encoding", None, "byte 0, line 1"),
    ("allegory", "deals_truncated.csv", "deals.csv", "file.quote_unclosed", None, "line 29"),
    ("allegory", "leads_header_only.csv", "leads.csv", "file.count_differs", None, "0 records, 16 listed"),
    ("allegory", "leads_zero_bytes.csv", "leads.csv", "file.empty", None, ""),
    (
        "legrand",
        "Companies_is_html.xlsx",
        "Companies.xlsx",
        "file.not_a_workbook",
        None,
        "byte 0: a web page",
    ),
    (
        "legrand",
        "Companies_truncated_export.xlsx",
        "Companies.xlsx",
        "file.count_differs",
        None,
        "17 records",
    ),
    (
        "legrand",
        "Contacts_missing_company_linkage.xlsx",
        "Contacts.xlsx",
        "file.column_missing",
        "Company ID",
        "line 1",
    ),
    ("legrand", "Contacts_truncated.xlsx", "Contacts.xlsx", "file.not_a_workbook", None, "byte 4146"),
    ("legrand", "Contacts_wrong_sheet_name.xlsx", "Contacts.xlsx", "file.sheet_missing", None, "Contacts"),
    ("legrand", "Lead Inbox_no_header.xlsx", "Lead Inbox.xlsx", "file.header_missing", None, "line 1"),
    (
        "legrand",
        "Opportunities_missing_company.xlsx",
        "Opportunities.xlsx",
        "file.column_missing",
        "Company",
        "line 4",
    ),
]
STILL_READ = {"file.count_differs"}


@pytest.mark.parametrize(
    ("system", "broken", "file", "code", "field", "where"), BROKEN, ids=[b[1] for b in BROKEN]
)
def test_a_broken_file_is_named_and_stops_nothing_else(
    data: Path, copied: Callable[[str], Path], audit_small: AuditOf,
    of_sample: Callable[[str, str], list[Told]], system: str, broken: str, file: str, code: str,
    field: str | None, where: str,
) -> None:  # fmt: skip
    folder = copied(system)
    shutil.copyfile(data / system / "broken" / broken, folder / file)

    found = audit_small(system, folder)

    (named,) = [
        told for told in found if (told["file"], told["finding"], told["field"]) == (file, code, field)
    ]
    assert (named["severity"], named["record"]) == ("refuse", None)
    assert where in named["detail"]
    if code not in STILL_READ:
        assert [told for told in found if told["file"] == file and told["record"] is not None] == []
    # What the others' own cells say does not depend on the broken file.
    own = ("text.", "date.", "number.", "choice.", "row.", "html.", "state.", "value.")
    before = [
        told
        for told in of_sample(system, "small")
        if told["file"] != file and told["finding"].startswith(own)
    ]
    assert {json.dumps(told) for told in before} - {json.dumps(told) for told in found} == set()


def test_the_list_names_every_broken_file(data: Path) -> None:
    there = {path.name for system in ("allegory", "legrand") for path in (data / system / "broken").iterdir()}

    assert {entry[1] for entry in BROKEN} == there


def test_an_object_whose_parents_cannot_be_read_says_so_once(
    copied: Callable[[str], Path], audit_small: AuditOf
) -> None:
    folder = copied("allegory")
    (folder / "companies.csv").write_bytes(b"")

    found = audit_small("allegory", folder)

    unchecked = [
        told for told in found if told["finding"] == "reference.unchecked" and told["file"] == "contacts.csv"
    ]
    assert [(told["field"], told["detail"]) for told in unchecked] == [
        ("primary_company_id", "33 references to company"),
        ("company_ids", "35 references to company"),
    ]


@pytest.mark.parametrize(
    ("system", "file", "code"),
    [
        ("allegory", "export_manifest.json", "drop.incomplete"),
        ("legrand", "export_log.csv", "drop.incomplete"),
        ("allegory", "deals.csv", "file.missing"),
        ("legrand", "Contacts.xlsx", "file.missing"),
        ("allegory", "custom_fields.json", "file.missing"),
    ],
)
def test_a_half_written_drop_is_named(
    copied: Callable[[str], Path], audit_small: AuditOf, system: str, file: str, code: str
) -> None:
    folder = copied(system)
    (folder / file).unlink()

    found = {(told["file"], told["finding"]) for told in audit_small(system, folder)}

    assert (file, code) in found


def test_a_changed_byte_shows_and_so_does_a_stranger(
    copied: Callable[[str], Path], audit_small: AuditOf
) -> None:
    folder = copied("allegory")
    pipelines = folder / "pipelines.csv"
    pipelines.write_bytes(pipelines.read_bytes().replace(b"GTX Series", b"GTX series"))
    (folder / "notes.txt").write_text("left behind")

    found = {(told["file"], told["finding"]) for told in audit_small("allegory", folder)}

    assert {("pipelines.csv", "file.hash_differs"), ("notes.txt", "file.unlisted")} <= found
