"""What the reading of an export lets through, the maps take; what the maps keep, the reading does not hold.

Over every column of every declared object: one cell of a good record of our own exports is replaced by a
dirty one. Whatever the dirt, the record is kept out by name, or it maps without a fault.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappers import SYSTEMS
from mappers.exports import EXPORTS
from shared.connectors.exports.folder import Folder
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.mapping.columns import Kind
from shared.core.mapping.spec import EntityMap, Line, Unfit
from shared.core.reading import record
from shared.core.reading.codes import RULES, Severity
from shared.core.reading.export import Column, Export, Object
from shared.core.reading.source import Row
from shared.core.reading.word_kinds import Choice
from shared.core.system import LegacySystem
from shared.inbound.drops.reading import entities_of
from tests.data.exports import build

DECLARED = [
    (system, EXPORTS[system.name], entry)
    for system in SYSTEMS
    if system.name in EXPORTS
    for entry in EXPORTS[system.name].objects
    if any(system.map_of(entity) for entity in entities_of(entry)) and entry.entity != "custom field"
]
"""A definition of a custom field is not here: the map refuses it to say what is missing."""
every_object = pytest.mark.parametrize(
    ("system", "export", "entry"),
    DECLARED,
    ids=[f"{system.name}-{entry.entity}" for system, _, entry in DECLARED],
)

WORDS = st.sampled_from(
    [
        "", " ", "x", "X" * 51, "\N{BICYCLE}" * 80, "x" * 2001, "Zoe\u0308", "a\u200fb", "a\u00a0b", "a  b",
        "a\nb", "a\r\nb\nc", "a\x0bb", "\x00", "\ud800", "\ufffd", "\u00c3\u00bc", "\ufffe",
        "=1+1", "@SUM(1)", "<b>x</b>", "<script>x</script>", "#REF!", "a;b",
        "0", "-1", "1.005", "12.3456789", "1,234", "1,234.56", "1.234,56", "USD 12", "12 %", "87.5%", "(5)",
        "5k", "1e3", "1e40", "9" * 30, "NaN", "Infinity", "007", "61400000123",
        "2017-02-30", "2017-03-12 02:30:00", "2017-11-05T01:30:00", "03/04/2015", "13/07/2017 15:04",
        "2/13/2011", "03-Apr-15", "0001-01-01", "1601-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00",
        "1488723000", "1488723000000", "42800", "00:12:34", "21 min", "1:5",
        "true", "Yes", "YES", "no", " Gold ", "gold", "Committed", "Open", "Verbal OK", "Podcast",
        "a@b.example", " A@B.Example ", "A <a@b.example>", "a@b", "a@b.example;c@d.example", "nobody",
        "Eastern Standard Time", "Mars/Phobos", "../../etc", "USD", "usd", "AUX", "company", "C-1|C-2|C-1",
    ]
)  # fmt: skip
CELLS = st.one_of(
    WORDS,
    st.text(max_size=60),
    st.none(),
    st.booleans(),
    st.integers(-(10**13), 10**13),
    st.floats(allow_nan=True, allow_infinity=True),
    st.dates(dt.date(1900, 1, 1)),
    st.datetimes(dt.datetime(1900, 1, 1)),  # noqa: DTZ001 - a sheet's time knows no zone
    st.lists(st.text(max_size=10), max_size=3),
)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Folder]:
    root = tmp_path_factory.mktemp("exports")
    build.allegory(root / "allegory")
    build.legrand(root / "legrand")
    return {name: Folder(str(root / name)) for name in ("allegory", "legrand")}


def good(folders: Mapping[str, Folder], system: LegacySystem, entry: Object) -> list[Row]:
    """The rows of our own export that go over as they are."""
    return [row for row in folders[system.name].open(entry).rows if not record.read(entry, row).barred]


def mapped_as(system: LegacySystem, entry: Object, read: record.Read) -> EntityMap:
    found = system.map_of(read.entity or entities_of(entry)[0])
    assert found is not None
    return found


def dirty(entry: Object, rows: list[Row]) -> st.SearchStrategy[tuple[Column, Row]]:
    """A good row with one cell put wrong."""

    def put(row: Row, column: Column, cell: Any) -> tuple[Column, Row]:
        return column, row._replace(cells={**row.cells, column.name: cell})

    # What a reader works out by itself is never dirty.
    read = [column for column in entry.columns if entry.each is None or column.name != entry.each.size]
    return st.builds(put, st.sampled_from(rows), st.sampled_from(read), CELLS)


def _is_the_maps_to_say(fault: Fault) -> bool:
    """That a field has no place is told by the map alone; so is what three numbers come to."""
    return fault.code in {Code.UNKNOWN_FIELD, Code.UNKNOWN_ENTITY} or fault.field == "/data/Discount"


@every_object
def test_what_is_let_through_maps_without_a_fault(
    folders: Mapping[str, Folder], system: LegacySystem, export: Export, entry: Object
) -> None:
    rows = good(folders, system, entry)
    assert rows, "our own export has a good record of everything"

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(dirty(entry, rows))
    def law(case: tuple[Column, Row]) -> None:
        _column, row = case
        read = record.read(entry, row, export.modified)
        if read.id and not read.barred:
            faults = mapped_as(system, entry, read).to_columns(read.data).faults
            assert [fault for fault in faults if not _is_the_maps_to_say(fault)] == []

    law()


def choices() -> list[tuple[str, Column, EntityMap, Line]]:
    """Every declared column of words, with each line of a map that reads it."""
    return [
        (f"{system.name}-{known.entity}-{column.name}-{line.column.name}", column, known, line)
        for system, _, entry in DECLARED
        for entity in entities_of(entry)
        if (known := system.map_of(entity)) is not None
        for column in entry.columns
        if isinstance(column.kind, Choice)
        for line in known.fields
        if line.legacy == column.name
    ]


def refused(line: Line, word: str) -> bool:
    try:
        line.via.to_dataverse(word)
    except Unfit:
        return True
    return False


def held(column: Column, word: str) -> bool:
    told = column.kind.read(word, {}).remarks
    return any((remark.severity or RULES[remark.code].severity) is Severity.HOLD for remark in told)


def test_a_word_nobody_knows_is_held_if_and_only_if_a_map_refuses_it() -> None:
    by_column: dict[tuple[str, str], tuple[Column, list[Line]]] = {}
    for _, column, known, line in choices():
        by_column.setdefault((known.entity, column.name), (column, []))[1].append(line)

    wrong = {
        name
        for name, (column, lines) in by_column.items()
        if held(column, "Zzyzx") != any(refused(line, "Zzyzx") for line in lines)
    }

    assert wrong == set()
    assert {held(column, "Zzyzx") for column, _ in by_column.values()} == {True, False}


CHOSEN = [
    (name, column, line)
    for name, column, _, line in choices()
    if line.column.kind in {Kind.CHOICE, Kind.STATUS, Kind.BOOLEAN}
]


@pytest.mark.parametrize(
    ("column", "line"), [(column, line) for _, column, line in CHOSEN], ids=[name for name, _, _ in CHOSEN]
)
def test_every_word_a_map_takes_is_let_through(column: Column, line: Line) -> None:
    words = [word for word in line.via.examples if isinstance(word, str) and word.strip()]

    assert [word for word in words if held(column, word)] == []
