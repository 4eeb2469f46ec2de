"""What a reader of the legacy CRM's export drops may rely on, in a folder and in a blob container."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import httpx
import pytest

from local.crm import start
from local.crm.drop import file_of, write_drop
from local.crm.systems.allegory import ALLEGORY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def drop(tmp_path: Path) -> str:
    return str(tmp_path / "drop")


@pytest.fixture
def crm(drop: str) -> Iterator[httpx.Client]:
    with (
        start(ALLEGORY, drop_url=drop, now=lambda: NOON) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def test_an_export_holds_every_live_record_and_says_so(crm: httpx.Client, drop: str) -> None:
    crm.post("/companies", json={"name": 'Größe, "Ltd"\nand more', "cf_region": "north"})
    crm.post("/companies", json={"name": "gone"})
    crm.delete("/companies/C-0002")

    answer = crm.post("/admin/export", json={"folder": "first"})

    assert answer.status_code == 201
    folder = Path(drop) / "first"
    assert answer.json() == {
        "url": str(folder),
        "manifest": json.loads((folder / "export_manifest.json").read_text()),
    }
    manifest = answer.json()["manifest"]
    files = manifest.pop("files")
    assert manifest == {
        "system": "Allegory",
        "exported_at": "2026-03-01T12:00:00.000Z",
        "default_time_zone": "America/New_York",
        "date_format": "ISO-8601; legacy screens used MM/dd/yyyy h:mm a",
    }
    assert [(each["file"], each["rows"]) for each in files] == [
        ("companies.csv", 1),
        ("contacts.csv", 0),
        ("pipelines.csv", 0),
        ("pipeline_stages.csv", 0),
        ("custom_fields.json", 0),
        ("tags.csv", 0),
        ("leads.csv", 0),
        ("deals.csv", 0),
        ("activities_email.json", 0),
        ("activities_call.csv", 0),
        ("activities_meeting.csv", 0),
        ("attachments.csv", 0),
    ]
    for each in files:
        content = (folder / each["file"]).read_bytes()
        assert (each["bytes"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    (row,) = csv.DictReader(io.StringIO((folder / "companies.csv").read_bytes().decode(), newline=""))
    assert list(row) == [*ALLEGORY.collections[0].columns, "cf_region"]
    assert row == crm.get("/companies/C-0001").json()


def test_lists_are_arrays_where_the_export_is_json_and_a_file_lies_where_its_record_says(
    crm: httpx.Client, drop: str
) -> None:
    mail = {"subject": "Größe", "to": "a@x.example; b@x.example\nc@x.example", "body_text": "one\ntwo"}
    crm.post("/emails", json=mail).raise_for_status()
    crm.put("/attachments/A-00001/content", content=b"bytes").raise_for_status()
    crm.put("/attachments/A-00001", json={"file_name": "../a b.txt"}).raise_for_status()
    crm.put("/attachments/A-00002", json={"file_name": "none.txt"}).raise_for_status()

    crm.post("/admin/export", json={"folder": "out"}).raise_for_status()

    folder = Path(drop) / "out"
    (told,) = json.loads((folder / "activities_email.json").read_text("utf-8"))
    assert {**told, "created_at": ""} == {
        **dict.fromkeys(told, ""), "activity_id": "E-00001", "subject": "Größe",
        "to": ["a@x.example", "b@x.example", "c@x.example"], "cc": [], "body_text": "one\ntwo",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((folder / "attachments.csv").read_text("utf-8"), newline="")))
    assert [row["path"] for row in rows] == ["attachments/A-00001/a b.txt", ""]
    assert (folder / rows[0]["path"]).read_bytes() == b"bytes"


def test_each_export_has_a_folder_of_its_own_unless_told(crm: httpx.Client, drop: str) -> None:
    crm.post("/admin/export")
    crm.post("/admin/export", json={"folder": ""})

    assert {path.parent.name for path in Path(drop).rglob("export_manifest.json")} == {
        "20260301T120000.000000Z",
        "drop",
    }


def test_the_manifest_is_written_last() -> None:
    filesystem = fsspec.filesystem("memory")
    order: list[str] = []
    url = "memory://manifest-last"

    class Recorded(type(filesystem)):  # type: ignore[misc]  # fsspec carries no types
        protocol = "recorded"
        cachable = False

        def pipe_file(self, path: str, value: bytes, **options: object) -> None:
            order.append(path.rsplit("/", 1)[1])
            super().pipe_file(path, value, **options)

    fsspec.register_implementation("recorded", Recorded, clobber=True)
    write_drop(
        url.replace("memory", "recorded"),
        ALLEGORY,
        "now",
        [file_of(each, []) for each in ALLEGORY.collections],
    )

    assert order == [*(each.exported for each in ALLEGORY.collections), "export_manifest.json"]


def test_a_crm_without_a_drop_says_so() -> None:
    with start(ALLEGORY) as server:
        answer = httpx.post(f"{server.url}/admin/export")

    assert (answer.status_code, answer.json()) == (409, {"error": "started without --drop-url"})


@pytest.mark.parametrize("folder", ["../up", 5])
def test_an_export_stays_inside_its_drop(crm: httpx.Client, folder: object) -> None:
    assert crm.post("/admin/export", json={"folder": folder}).status_code == 400
