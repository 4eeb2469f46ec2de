"""What leaves the audit: the list, the screen, the page; and what never does."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from shared.core.reading.codes import RULES, FindingCode
from shared.core.reading.finding import Entry
from shared.ops.cli import main

Told = Mapping[str, Any]

PERSONAL = {
    "first_name", "last_name", "full_name", "email", "owner_email", "phone", "mobile", "phone_number",
    "uploaded_by",
    "organizer", "First Name", "Last Name", "Full Name", "Email", "Phone", "Fax", "Mobile", "Owner", "Name",
    "Account Manager", "Assigned To", "Author", "Uploaded By", "Contact",
}  # fmt: skip


def cells(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.glob("*.csv"):
        for record in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))):
            yield from ((str(name), value) for name, value in record.items() if isinstance(value, str))
    for path in folder.glob("*.xlsx"):
        book = CalamineWorkbook.from_path(path)
        for sheet in book.sheet_names:
            rows = book.get_sheet_by_name(sheet).to_python()
            head = next((row for row in rows if sum(1 for cell in row if cell != "") > 4), [])
            for row in rows:
                yield from ((str(name), str(cell)) for name, cell in zip(head, row, strict=False))


@pytest.mark.parametrize("system", ["allegory", "legrand"])
@pytest.mark.parametrize("size", ["small", "medium"])
def test_no_detail_repeats_an_address_a_number_or_a_name(
    data: Path, of_sample: Callable[[str, str], list[Told]], system: str, size: str
) -> None:
    details = "\n".join(told["detail"] for told in of_sample(system, size))
    words = set(re.findall(r"[\w@.+-]+", details.casefold()))
    values = {
        value.strip() for name, value in cells(data / system / size) if name in PERSONAL and name != value
    }
    # Words of one's own vocabulary (“contact”) are no names, though somebody may be called so.
    ours = set(re.findall(r"\w+", " ".join(rule.meaning + rule.action for rule in RULES.values()).casefold()))

    repeated = {
        value
        for value in values
        if len(value) > 2 and (value.casefold() in words - ours or (" " in value and value in details))
    }

    assert "@" not in details
    assert repeated == set()


@pytest.mark.parametrize("system", ["allegory", "legrand"])
def test_every_finding_has_exactly_the_columns_of_the_list(
    of_sample: Callable[[str, str], list[Told]], system: str
) -> None:
    found = of_sample(system, "small")

    assert {tuple(told) for told in found} == {tuple(entry.value for entry in Entry)}
    assert {told["finding"] for told in found} <= {code.value for code in FindingCode}
    assert {told["system"] for told in found} == {system}
    assert [told for told in found if not told["detail"] or not told["action"]] == []


@pytest.mark.parametrize("system", ["allegory", "legrand"])
def test_the_command_writes_its_report_and_nothing_else(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], system: str
) -> None:
    out, page = tmp_path / "findings.jsonl", tmp_path / "page.html"

    status = main(
        [
            "migrate",
            "audit",
            "--system",
            system,
            "--export",
            str(data / system / "small"),
            "--users",
            str(data / "dynamics_users_small.json"),
            "--out",
            str(out),
            "--html",
            str(page),
        ]
    )

    lines = [json.loads(line) for line in out.read_text().splitlines()]
    html = page.read_text()
    assert status == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.jsonl", "page.html"]
    assert f"{len(lines)} findings" in capsys.readouterr().out
    assert f"{len(lines)} findings" in html
    assert re.findall(r"""(?:src|href)\s*=|url\(|@import|<script""", html) == []


def test_owners_are_counted_per_object(of_sample: Callable[[str, str], list[Told]]) -> None:
    found = of_sample("allegory", "small")

    unmatched = {told["file"]: told["detail"] for told in found if told["finding"] == "owners.unmatched"}
    for file, detail in unmatched.items():
        owner = {"owner.blank", "owner.unknown", "owner.disabled", "owner.ambiguous"}
        held = [
            told
            for told in found
            if told["file"] == file and told["finding"] in owner and told["severity"] == "hold"
        ]
        assert detail.startswith(f"{len(held)} records of "), file


def test_who_is_in_both_systems_shows_when_both_are_given(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "findings.jsonl"
    main(
        [
            "migrate",
            "audit",
            "--system",
            "allegory",
            "--export",
            str(data / "allegory/small"),
            "--users",
            str(data / "dynamics_users_small.json"),
            "--out",
            str(out),
            "--also",
            f"legrand={data / 'legrand/small'}",
        ]
    )

    found = [json.loads(line) for line in out.read_text().splitlines()]
    shared = {told["record"] for told in found if "legrand" in told["detail"]}
    assert {"C-0017", "P-00001", "P-00003", "P-00004"} <= shared


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--system", "salesforce"], "no system is called"),
        (["--export", "nowhere"], "nowhere"),
        (["--users", "nobody.json"], "nobody.json"),
    ],
)
def test_a_question_that_cannot_be_put_ends_with_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    users = tmp_path / "users.json"
    users.write_text('{"value": []}')
    usual = {
        "--system": "allegory",
        "--export": str(tmp_path),
        "--users": str(users),
        "--out": str(tmp_path / "o"),
    }
    asked = usual | dict([arguments])

    status = main(["migrate", "audit", *(part for pair in asked.items() for part in pair)])

    assert status == 2
    assert problem in capsys.readouterr().err


def test_a_list_of_users_that_goes_on_elsewhere_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users.json"
    users.write_text('{"value": [], "@odata.nextLink": "https://next.example"}')

    status = main(
        [
            "migrate",
            "audit",
            "--system",
            "allegory",
            "--export",
            str(tmp_path),
            "--users",
            str(users),
            "--out",
            str(tmp_path / "o"),
        ]
    )

    assert status == 2
    assert "users.incomplete" in capsys.readouterr().err


@pytest.mark.parametrize("system", ["allegory", "legrand"])
def test_ten_thousand_records_are_audited_in_seconds(
    audit_anew: Callable[[str, str], list[Told]], system: str
) -> None:
    began = time.process_time()

    found = audit_anew(system, "medium")

    assert found != []
    assert time.process_time() - began < 10
