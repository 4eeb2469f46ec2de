"""The sample export's records go in as they are and come out as they went in."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from local.crm import start
from local.crm.declaration import Collection
from local.crm.systems.allegory import ALLEGORY
from shared.core.mapping.composed import composed_id

DATA = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared/data"))


def named(collection: Collection, row: Mapping[str, str]) -> str:
    """A record's id; a tag is named by all it says."""
    return row.get(collection.key) or str(composed_id(list(row.values())))


@pytest.mark.parametrize("collection", ALLEGORY.collections, ids=lambda collection: collection.name)
def test_a_sample_export_survives_the_crm(collection: Collection, tmp_path: Path) -> None:
    source = DATA / "allegory/small" / collection.exported
    if not source.exists():
        pytest.skip("the sample data is not on this machine")
    if source.suffix == ".json":
        pytest.skip("its lists are text over REST")
    read = csv.DictReader(io.StringIO(source.read_text("utf-8-sig"), newline=""), restval="")
    # Short and long rows are the audit's subject; here each row is what its header has room for.
    rows = [{name: value for name, value in row.items() if name is not None} for row in read]
    with start(ALLEGORY, drop_url=str(tmp_path)) as server, httpx.Client(base_url=server.url) as client:
        for row in rows:
            answer = client.put(f"/{collection.name}/{quote(named(collection, row), safe='')}", json=row)
            assert answer.status_code in {200, 201}, answer.text
        client.post("/admin/export", json={"folder": "out"})

    exported = (tmp_path / "out" / collection.exported).read_text("utf-8")
    stamped = {"updated_at", "created_at"}
    latest = {named(collection, row): row for row in rows}
    assert [
        {name: value for name, value in row.items() if name not in stamped}
        for row in csv.DictReader(io.StringIO(exported, newline=""))
    ] == [{name: value for name, value in row.items() if name not in stamped} for row in latest.values()]
