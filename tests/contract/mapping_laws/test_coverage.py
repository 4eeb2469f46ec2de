"""Every column of both exports has a place, and every label of a choice one way there and one back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mappers import SYSTEMS
from mappers.exports import EXPORTS
from shared.core.change import Json
from shared.core.mapping.columns import Kind
from shared.core.mapping.spec import EntityMap, Flow, Line, Loss, Unfit
from shared.core.reading.export import Object
from shared.core.system import LegacySystem

EXPORTING = [system for system in SYSTEMS if system.name in EXPORTS]
ENTITIES = {
    ("legrand", "quote item"): "quote_item",
    ("legrand", "campaign member"): "campaign_member",
}
"""What the bus calls a declared object, where that is not the object's own name."""

DIRECTORIES = {("allegory", "user"), ("legrand", "user")}
"""People are looked up in Dataverse, never written there."""

MISSING: dict[tuple[str, str], set[str]] = {}
"""Objects without a map, or columns without a place, by name: to be empty."""


def maps_of(system: LegacySystem, declared: Object) -> list[EntityMap]:
    """The maps an object's records go through; engagements of one file kind go through several."""
    name = ENTITIES.get((system.name, declared.entity), declared.entity.replace(" ", "_"))
    if (system.name, name) == ("legrand", "activity"):
        return [entry for entry in system.maps if entry.entity in {"email", "call", "meeting"}]
    return [entry for entry in system.maps if entry.entity == name]


def places(entry: EntityMap) -> set[str | None]:
    parts = {part for composed in entry.composed for part in composed.parts}
    return (
        {entry.key, entry.row_id}
        | parts
        | {line.legacy for line in entry.fields}
        | {dropped.legacy for dropped in entry.dropped}
    )


def test_every_column_of_both_exports_has_a_place() -> None:
    missing: dict[tuple[str, str], set[str]] = {}
    for system in EXPORTING:
        for declared in EXPORTS[system.name].objects:
            if (system.name, declared.entity) in DIRECTORIES:
                continue
            placed = set().union(*(places(entry) for entry in maps_of(system, declared)))
            if left := {column.name for column in declared.columns} - placed:
                missing[system.name, declared.entity] = left

    assert missing == MISSING


def labels(line: Line) -> Iterator[tuple[Json, Any]]:
    """Every label a choice or a status is fed with, and what it becomes."""
    for example in line.via.examples:
        if isinstance(example, str) and example.strip():
            yield example, line.via.to_dataverse(example)


CHOSEN = [
    (system.name, entry, line)
    for system in SYSTEMS
    for entry in system.maps
    for line in entry.fields
    if line.column.kind in {Kind.CHOICE, Kind.STATUS}
]
every_choice = pytest.mark.parametrize(
    ("system", "entry", "line"),
    CHOSEN,
    ids=[f"{system}-{entry.entity}-{line.legacy}-{line.column.name}" for system, entry, line in CHOSEN],
)


@every_choice
def test_every_label_has_an_option_the_table_knows(system: str, entry: EntityMap, line: Line) -> None:
    reached = dict(labels(line))

    assert reached
    assert {crossed for crossed in reached.values() if crossed is not None} <= line.column.options.keys()


@every_choice
def test_every_option_has_a_way_back_or_a_declared_loss(system: str, entry: EntityMap, line: Line) -> None:
    if line.flow is Flow.INBOUND:
        return
    lost = set()
    for option in line.column.options:
        try:
            back = line.via.to_legacy(option)
        except Unfit:
            lost.add(option)
            continue
        if line.via.to_dataverse(back) != option:
            lost.add(option)

    assert not lost or line.loss in {Loss.PARTIAL, Loss.FORMAT}


def test_the_words_of_an_export_are_the_words_of_its_map() -> None:
    strange = {}
    for system in EXPORTING:
        for declared in EXPORTS[system.name].objects:
            for entry in maps_of(system, declared):
                if unknown := _without_option(entry, declared):
                    strange[system.name, entry.entity] = unknown

    assert strange == {}


def _without_option(entry: EntityMap, declared: Object) -> set[str]:
    """Declared labels that a map refuses."""
    refused = set()
    for column in declared.columns:
        for line in entry.fields:
            if line.legacy != column.name or line.flow is Flow.OUTBOUND:
                continue
            for label in getattr(column.kind, "options", ()):
                try:
                    line.via.to_dataverse(label)
                except Unfit:
                    refused.add(f"{column.name}: {label}")
    return refused


def test_a_column_that_a_map_forgot_is_missed() -> None:
    company = SYSTEMS[0].map_of("company")
    assert company is not None
    declared = next(one for one in EXPORTS[SYSTEMS[0].name].objects if one.entity == "company")
    forgetful = replace(company, fields=tuple(line for line in company.fields if line.legacy != "phone"))

    assert {column.name for column in declared.columns} - places(forgetful) == {"phone"}
