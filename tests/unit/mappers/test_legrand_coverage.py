"""Every column of Legrand's workbooks has a place in its map: mapped, or dropped with a reason."""

from uuid import UUID

import pytest

from mappers.legrand import LEGRAND
from mappers.legrand.export import EXPORT
from shared.core.mapping.spec import EntityMap

ROW = UUID(int=1)
OBJECTS = {declared.entity.replace(" ", "_"): declared for declared in EXPORT.objects}
MAPS = [entry for entry in LEGRAND.maps if entry.entity in OBJECTS]


def places(entry: EntityMap) -> set[str]:
    named = {
        entry.key,
        *entry.row_field(ROW),
        *(line.legacy for line in entry.fields),
        *(line.legacy for line in entry.dropped),
    }
    parts = {part for composed in entry.composed for part in composed.parts}
    # In which drop a file lies is told by the message, and by no sheet.
    return (named | parts) - {composed.name for composed in entry.composed} - {entry.drop or ""}


@pytest.mark.parametrize("entry", MAPS, ids=[entry.entity for entry in MAPS])
def test_every_column_of_the_sheet_has_a_place(entry: EntityMap) -> None:
    declared = OBJECTS[entry.entity]

    assert {column.name for column in declared.columns} == places(entry)
