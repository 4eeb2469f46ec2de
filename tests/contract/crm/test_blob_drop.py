"""An export drop in a blob container: the same code as a folder, against Azurite."""

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from adlfs import AzureBlobFileSystem
from azure.storage.blob import BlobServiceClient

from local.crm import start
from local.crm.sheets.desk import start as start_desk
from local.crm.systems.allegory import ALLEGORY
from local.crm.systems.legrand import LEGRAND
from tests.ready import said_when_ready

AZURITE = Path(__file__).parents[3] / ".local/npm/node_modules/azurite/dist/src/blob/main.js"
LISTENING = r"Azurite Blob service successfully listens on (http://127\.0\.0\.1:\d+)"
# Azurite's well-known development account.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[str]:
    """A blob service's connection string."""
    if not AZURITE.exists():
        pytest.skip("Azurite is not installed under .local/npm")
    # A file system is kept per protocol, and would go on asking the service of the test before.
    AzureBlobFileSystem.clear_instance_cache()
    command = ["node", str(AZURITE), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    options = ["--location", str(tmp_path), "--skipApiVersionCheck", "--disableTelemetry"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            endpoint = f"{said_when_ready(process, LISTENING)[1]}/devstoreaccount1"
            yield (
                "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
                f"AccountKey={KEY};BlobEndpoint={endpoint};"
            )
        finally:
            process.terminate()


def test_a_drop_is_written_to_a_container_made_on_the_way(
    blobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", blobs)
    with start(ALLEGORY, drop_url="az://allegory-drop") as server:
        httpx.put(f"{server.url}/companies/C-0001", json={"name": "Größe"})
        httpx.put(f"{server.url}/attachments/A-1/content", content=b"plan")
        httpx.put(f"{server.url}/attachments/A-1", json={"file_name": "plan.txt"})
        answers = [httpx.post(f"{server.url}/admin/export", json={"folder": name}) for name in ("one", "two")]

    assert [answer.status_code for answer in answers] == [201, 201]
    with BlobServiceClient.from_connection_string(blobs) as service:
        container = service.get_container_client("allegory-drop")
        names = {blob.name for blob in container.list_blobs()}
        assert names == {
            f"{folder}/{name}"
            for folder in ("one", "two")
            for name in (
                *(each.exported for each in ALLEGORY.collections),
                "export_manifest.json",
                "attachments/A-1/plan.txt",
            )
        }
        manifest = json.loads(container.download_blob("two/export_manifest.json").readall())
        rows = list(
            csv.DictReader(io.StringIO(container.download_blob("two/companies.csv").readall().decode()))
        )
    assert manifest == answers[1].json()["manifest"]
    assert [row["name"] for row in rows] == ["Größe"]


def test_the_folders_of_a_drop_of_workbooks_lie_in_the_container(
    blobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", blobs)
    with start_desk(LEGRAND, "az://legrand-drop") as server:
        document = {"File Name": "plan.txt", "Content": "cGxhbg=="}
        httpx.put(f"{server.url}/admin/records/documents/DOC1", json=document).raise_for_status()
        call = f"{server.url}/admin/records/activities/ACT-000001.txt"
        httpx.put(call, json={"Type": "Call"}).raise_for_status()
        export = f"{server.url}/admin/export"
        answers = [httpx.post(export, json={"folder": name}) for name in ("one", "two")]

    assert [answer.status_code for answer in answers] == [201, 201]
    with BlobServiceClient.from_connection_string(blobs) as service:
        container = service.get_container_client("legrand-drop")
        names = {blob.name for blob in container.list_blobs()}
        assert names == {
            f"{folder}/{name}" for folder in ("one", "two") for name in answers[0].json()["files"]
        }
        assert {"two/Documents/plan.txt", "two/Activities/ACT-000001.txt"} <= names
        assert container.download_blob("two/Documents/plan.txt").readall() == b"plan"
