"""One invented record per story: what it becomes in Dataverse, and what goes back."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappers import SYSTEMS, systems
from shared.core.mapping.columns import Unresolved
from shared.core.mapping.files import FileRef
from shared.core.mapping.parties import Party, PartyRef
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.spec import EntityMap

DATA = Path(__file__).parents[2] / "data"
STORIES = sorted(path for system in SYSTEMS for path in (DATA / system.name).glob("*.json"))


def shown(value: Unresolved) -> Any:
    """A column's value as the stories write it."""
    if isinstance(value, RecordRef):
        return f"record {value.key}"
    if isinstance(value, DirectoryRef):
        within = f", within {value.within[0]}={value.within[1]}" if value.within else ""
        return f"{value.table} {value.column}={value.value}" + (", required" if value.required else within)
    if isinstance(value, PlaceholderRef):
        return f"placeholder {value.table}"
    if isinstance(value, tuple):
        return [f"{party.role.name.lower()} {who(party)}" for party in value]
    if isinstance(value, FileRef):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def who(party: Party | PartyRef) -> str:
    """A party's address, and the record that says who it is."""
    named = isinstance(party, PartyRef) and party.record
    return f"{party.address} = {named}" if named else party.address


def map_for(system: str, entity: str, profile: str = "native") -> EntityMap:
    entry = next(entry for entry in systems(profile) if entry.name == system).map_of(entity)
    assert entry is not None
    return entry


@pytest.mark.parametrize("path", STORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_record_becomes_the_row_its_story_tells_and_comes_back(path: Path) -> None:
    story = json.loads(path.read_text("utf-8"))
    entry = map_for(path.parent.name, story["entity"], story.get("profile", "native"))

    mapped = entry.to_columns(story["record"])
    back = entry.to_fields(mapped.values)

    assert mapped.faults == ()
    assert {name: shown(value) for name, value in mapped.values.items()} == story["columns"]
    assert (back.values, back.faults) == (story["back"], ())


def test_every_map_has_a_story() -> None:
    told = {(path.parent.name, json.loads(path.read_text("utf-8"))["entity"]) for path in STORIES}

    assert told == {(system.name, entry.entity) for system in SYSTEMS for entry in system.maps}


def test_the_unfit_values_of_a_deal_are_named_with_their_rules() -> None:
    mapped = map_for("allegory", "deal").to_columns(
        {
            "name": "x" * 301,
            "amount": "USD 5,482.00",
            "probability": "101",
            "status": "paused",
            "close_date": "1975-02-30",
            "tags": "up\x0bsell",
            "@odata.bind": "injected",
        }
    )

    assert [str(fault) for fault in mapped.faults] == [
        "/data/name: value.too_long: at most 300 characters",
        "/data/amount: value.not_a_number: digits with a point, no thousands sign, no unit",
        "/data/probability: value.out_of_range: from 0 to 100",
        "/data/status: value.no_option: one of open, won, lost",
        "/data/close_date: value.not_a_date: YYYY-MM-DD or MM/DD/YYYY",
        "/data/tags: value.forbidden_character: text without control characters",
        "/data/@odata.bind: message.unknown_field: a field of deal",
    ]
