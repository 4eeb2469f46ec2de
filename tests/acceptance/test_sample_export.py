"""Every company, contact and deal of a real, dirty export goes through the bus."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from mappers import SYSTEMS
from mappers.dataverse import TABLES
from shared.core.body_fields import instant
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef
from shared.core.mapping.rows import read_row
from tests.acceptance.conftest import Stack, running_stack, session_of

FILES = {"company": "companies.csv", "contact": "contacts.csv", "deal": "deals.csv"}
PLACED = {"parked", "held"}
ALLEGORY = next(system for system in SYSTEMS if system.name == "allegory")
SETS = {table.name: table.entity_set for table in TABLES.values()}


def export_rows(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every row as a message: an id of its own, and the values as the strings they are."""
    found = []
    for entity, file in FILES.items():
        with (folder / file).open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                key = row[f"{entity}_id"]
                body = {
                    "schemaVersion": "1.0",
                    "source": "allegory",
                    "entity": entity,
                    "sourceKey": key,
                    "operation": "upsert",
                    "changedOn": row["updated_at"],
                    "data": row,
                }
                found.append((str(uuid5(NAMESPACE_OID, f"{file}:{number}")), body))
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: the export's ids must not meet those that Allegory gave to other tests' records."""
    with running_stack(tmp_path_factory.mktemp("export")) as running:
        yield running


@pytest.fixture(scope="module")
def users(stack: Stack, sample_data: Path) -> dict[str, UUID]:
    """The destination's users, by e-mail; only enabled ones can own a row."""
    told = json.loads((sample_data / "dynamics_users_small.json").read_text("utf-8"))["value"]
    enabled: dict[str, UUID] = {}
    with stack.dataverse() as client:
        for user in told:
            body = {
                "fullname": user["fullname"],
                "internalemailaddress": user["internalemailaddress"],
                "domainname": user["domainname"],
                "isdisabled": user["isdisabled"],
            }
            first, _, last = user["fullname"].partition(" ")
            body |= {"firstname": first, "lastname": last}
            del body["fullname"]
            client.patch(f"systemusers({user['systemuserid']})", json=body).raise_for_status()
            if not user["isdisabled"]:
                enabled[user["internalemailaddress"].lower()] = UUID(user["systemuserid"])
    return enabled


@pytest.fixture(scope="module")
def fed(
    stack: Stack, sample_data: Path, users: dict[str, UUID]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every message with its fate."""
    messages = export_rows(sample_data / "allegory" / "small")
    stack.send_all("inbound", [(key, session_of(body), body) for key, body in messages])
    for key, _ in messages:
        stack.fate(key)
    stack.quiet()
    return [(body, stack.fate(key)) for key, body in messages]


def test_every_row_of_the_export_ends_in_exactly_one_outcome_or_place(
    stack: Stack, fed: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    outcomes = Counter(fate["outcome"] for _, fate in fed)

    assert sum(outcomes.values()) == len(fed) == 100
    assert outcomes["applied"] > 30, "the rest hangs from nothing, waits for owners, or is refused"
    ends = {"applied", "merged", "stale", "echo", "conflict", "rejected", "parked", "held", "failed"}
    assert outcomes.keys() <= ends
    assert stack.now()["conserved"]


def test_of_each_ring_of_companies_one_link_is_refused(
    fed: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    rings = ({"C-0008", "C-0009"}, {"C-0010", "C-0011", "C-0012"}, {"C-0013"})
    failed = {body["sourceKey"] for body, fate in fed if fate["outcome"] == "failed"}

    assert [len(failed & ring) for ring in rings] == [1, 1, 1]
    assert failed <= set.union(*rings)


def test_every_refused_row_names_its_field_and_rule(
    fed: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    refused = [(body, fate) for body, fate in fed if fate["outcome"] == "rejected"]

    assert refused, "the export is known to be dirty"
    for body, fate in refused:
        assert fate["faults"], body["sourceKey"]
        for fault in fate["faults"]:
            assert fault["pointer"].startswith("/"), fault
            assert fault["code"], fault
            assert fault["expected"], fault
            value = body["data"].get(fault["pointer"].removeprefix("/data/"))
            assert not value or value not in fault["expected"], "a fault never repeats the value"


def test_a_row_that_waits_says_for_whom(fed: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    parked = [fate for _, fate in fed if fate["outcome"] == "parked"]

    assert parked, "the export is known to have references to nothing"
    assert all(fate["waitsOn"] for fate in parked)


def test_the_rows_in_dataverse_equal_the_mapped_input(
    stack: Stack, fed: list[tuple[dict[str, Any], dict[str, Any]]], users: dict[str, UUID]
) -> None:
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for body, fate in sorted(fed, key=lambda pair: instant(pair[0]["changedOn"]) or 0):
        if fate["outcome"] in {"applied", "merged"}:
            newest[(body["entity"], body["sourceKey"])] = body
    compared = 0
    for (entity, key), body in newest.items():
        entry = ALLEGORY.map_of(entity)
        assert entry is not None
        row = stack.row_of(f"allegory:{entity}:{key}", SETS[entry.table.name])
        assert row is not None, f"{entity} {key} was applied and has no row"
        held = read_row(entry.table, row)
        for column, value in entry.to_columns(body["data"]).values.items():
            if entry.table.columns[column].create_only:
                continue
            expected = resolved(value, users)
            if expected is not None or value is None:
                assert held[column] == expected, f"{entity} {key} {column}"
                compared += 1
    assert compared > 500


def resolved(value: Any, users: dict[str, UUID]) -> Value:
    """What a mapped value means in Dataverse; None for an owner Dataverse does not have."""
    if isinstance(value, RecordRef):
        entry = ALLEGORY.map_of(value.key.entity)
        assert entry is not None
        return RowRef(entry.table.name, chosen_row_id(RecordKey("allegory", value.key.entity, value.key.id)))
    if isinstance(value, PlaceholderRef):
        return RowRef(value.table, placeholder_id(value.table))
    if isinstance(value, DirectoryRef):
        user = users.get(value.value.lower())
        return RowRef("systemuser", user) if user and value.table == "systemuser" else None
    found: Value = value
    return found
