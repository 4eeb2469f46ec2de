"""The sample export against the maps: every field has a place, every row maps or says why not."""

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from mappers.legrand import LEGRAND
from shared.core.errors import Fault
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import read_row
from shared.core.mapping.spec import EntityMap
from shared.core.system import LegacySystem

SAMPLES = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
EXPORT = SAMPLES / "allegory" / "small"

pytestmark = pytest.mark.skipif(
    not EXPORT.is_dir(), reason="the sample data is not here; TANDEM_SAMPLE_DATA names its folder"
)

every_entity = pytest.mark.parametrize("entity", ["company", "contact", "lead", "deal"])


def entry_of(system: LegacySystem, entity: str) -> EntityMap:
    entry = system.map_of(entity)
    assert entry is not None
    return entry


def records(entity: str) -> Iterator[dict[str, str]]:
    with (EXPORT / f"{ALLEGORY.collections[entity]}.csv").open(encoding="utf-8-sig", newline="") as lines:
        # Cells beyond the header are the audit's subject.
        yield from (
            {name: cell for name, cell in row.items() if name is not None} for row in csv.DictReader(lines)
        )


def places(entry: EntityMap) -> set[str]:
    return {entry.key, *(line.legacy for line in entry.fields), *(line.legacy for line in entry.dropped)}


@every_entity
def test_every_exported_and_every_custom_field_is_mapped_or_dropped(entity: str) -> None:
    custom = json.loads((EXPORT / "custom_fields.json").read_text("utf-8"))
    exported = set(next(records(entity)))

    assert exported | {field["key"] for field in custom if field["object"] == entity} == places(
        entry_of(ALLEGORY, entity)
    )


@every_entity
def test_every_row_maps_or_names_field_and_rule(entity: str) -> None:
    entry = entry_of(ALLEGORY, entity)
    faults: Counter[Fault] = Counter()
    for record in records(entity):
        mapped = entry.to_columns(record)
        faults.update(mapped.faults)
        back = entry.to_fields(mapped.values)
        again = entry.to_columns(back.values).values
        assert back.faults == ()
        assert {name: mapped.values[name] for name in again} == dict(again)

    assert {f"{fault.field} {fault.code}": count for fault, count in faults.items()} == KNOWN[entity]


KNOWN = {
    "company": {
        "/data/annual_revenue_musd value.not_a_number": 2,
        "/data/city value.too_long": 1,
        "/data/name value.too_long": 1,
    },
    "contact": {
        "/data/birthday value.not_a_date": 1,
        "/data/cf_linkedin value.too_long": 1,
        "/data/created_at value.not_a_time": 2,
        "/data/email value.not_an_email": 1,
        "/data/first_name value.too_long": 1,
        "/data/job_title value.too_long": 1,
    },
    "lead": {
        "/data/company_name value.too_long": 1,
        "/data/created_at value.not_a_time": 1,
        "/data/email value.not_an_email": 1,
        "/data/lead_score value.not_a_number": 1,
        "/data/lead_source value.no_option": 2,
        "/data/lead_status value.no_option": 2,
        "/data/updated_at value.not_a_time": 1,
    },
    "deal": {
        "/data/amount value.not_a_number": 1,
        "/data/name value.too_long": 1,
        "/data/tags value.forbidden_character": 1,
    },
}
"""What is wrong with the sample on purpose, by field and rule."""


@pytest.mark.parametrize(
    "name",
    [
        "inbound_allegory_deal_update",
        "inbound_allegory_deal_with_dataverse_id",
        "inbound_legrand_company_upsert",
        "inbound_legrand_ticket",
    ],
)
def test_a_sample_message_maps_without_a_fault(name: str) -> None:
    body = json.loads((SAMPLES / "messages" / f"{name}.json").read_text("utf-8"))["body"]
    system = {"allegory": ALLEGORY, "legrand": LEGRAND}[body["source"]]

    mapped = entry_of(system, body["entity"]).to_columns(body["data"])

    assert mapped.faults == ()
    assert len(mapped.values) >= min(2, len(body["data"]))


def test_the_row_of_a_flow_message_is_read_with_its_types() -> None:
    message = json.loads((SAMPLES / "messages" / "outbound_opportunity_update.json").read_text("utf-8"))
    row = message["body"]["data"]

    assert read_row(TABLES["opportunity"], row) == {
        "name": row["name"],
        "parentaccountid": RowRef("account", UUID(row["_parentaccountid_value"])),
        "estimatedvalue": Decimal("1054.00"),
        "transactioncurrencyid": RowRef("transactioncurrency", UUID(row["_transactioncurrencyid_value"])),
        "closeprobability": 40,
        "estimatedclosedate": date(2025, 6, 30),
        "statuscode": 1,
        "ownerid": RowRef("systemuser", UUID(row["_ownerid_value"])),
    }
