"""The laws every declaration of every system keeps, present and future."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappers import SYSTEMS
from mappers.dataverse import TABLES
from mappers.exports import EXPORTS
from mappers.imports import IMPORTS
from shared.core.change import Json
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Column, Kind
from shared.core.mapping.rows import encode, write_row
from shared.core.mapping.spec import EntityMap, Flow, Line, Loss, ToDirectory, ToRecord, Unfit
from shared.core.system import LegacySystem

MAPS = [(system, entry) for system in SYSTEMS for entry in system.maps]
LINES = [(system, entry, line) for system, entry in MAPS for line in entry.fields]
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns.values()]

every_map = pytest.mark.parametrize(
    ("system", "entry"), MAPS, ids=[f"{system.name}-{entry.entity}" for system, entry in MAPS]
)
every_line = pytest.mark.parametrize(
    ("system", "entry", "line"),
    LINES,
    ids=[f"{system.name}-{entry.entity}-{line.legacy}" for system, entry, line in LINES],
)
every_column = pytest.mark.parametrize(
    "column",
    [column for _, column in COLUMNS],
    ids=[f"{table.name}-{column.name}" for table, column in COLUMNS],
)


def held(line: Line) -> Iterator[tuple[Json, Any]]:
    """Every example of a line with what it becomes."""
    for example in line.via.examples:
        yield example, line.via.to_dataverse(example)


@every_line
def test_a_value_that_went_there_and_back_stays_put(
    system: LegacySystem, entry: EntityMap, line: Line
) -> None:
    for _, crossed in held(line):
        back = line.via.to_legacy(crossed)

        assert line.via.to_dataverse(back) == crossed
        assert line.via.to_legacy(line.via.to_dataverse(back)) == back


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[])),
    st.from_regex(r"-?[0-9]{1,41}(\.[0-9]{1,41})?( min)?", fullmatch=True),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|[+-]23:59)", fullmatch=True
    ),
    st.from_regex(
        r"\[(\"[a-z0-9]{0,9}\"|[0-9]{1,2}|null)(, (\"[a-z0-9]{0,9}\"|[0-9]{1,2}|null)){0,4}\]", fullmatch=True
    ),
    st.lists(st.text(max_size=5), max_size=2),
)


@every_map
@settings(max_examples=150)
@given(st.data())
def test_whatever_a_record_says_a_map_answers_with_values_and_faults(
    system: LegacySystem, entry: EntityMap, data: st.DataObject
) -> None:
    composed = [name for made in entry.composed for name in (made.name, *made.parts)]
    names = st.sampled_from([*(line.legacy for line in entry.fields), entry.key, *composed, "no field"])
    examples = st.sampled_from([example for line in entry.fields for example in line.via.examples])
    said = data.draw(st.dictionaries(names, ANYTHING | examples))

    mapped = entry.to_columns(said)

    assert mapped.values.keys() <= entry.table.columns.keys()
    assert all(fault.field.startswith("/data/") for fault in mapped.faults)
    entry.key_faults("C-1", said)


@every_line
def test_what_goes_back_is_text(system: LegacySystem, entry: EntityMap, line: Line) -> None:
    assert all(isinstance(line.via.to_legacy(crossed), str) for _, crossed in held(line))


@every_line
def test_a_transform_has_a_name_and_an_example_with_a_value(
    system: LegacySystem, entry: EntityMap, line: Line
) -> None:
    assert line.via.name
    assert any(crossed is not None for _, crossed in held(line))


@every_line
def test_a_blank_and_a_null_mean_the_same(system: LegacySystem, entry: EntityMap, line: Line) -> None:
    if line.via.refers is None and line.via.name.endswith("required"):
        for blank in (None, "", "  "):
            with pytest.raises(Unfit, match=r"value\.required"):
                line.via.to_dataverse(blank)
    else:
        assert line.via.to_dataverse(None) == line.via.to_dataverse("") == line.via.to_dataverse("  ")


@every_line
def test_a_column_belongs_to_the_table_of_its_map(system: LegacySystem, entry: EntityMap, line: Line) -> None:
    assert entry.table is TABLES[entry.table.name]
    assert entry.table.columns[line.column.name] is line.column


def refused(line: Line, value: Json) -> Code | None:
    try:
        line.via.to_dataverse(value)
    except Unfit as unfit:
        return unfit.code
    return None


@every_line
def test_the_limits_of_a_column_are_the_limits_of_its_transform(
    system: LegacySystem, entry: EntityMap, line: Line
) -> None:
    column, kind = line.column, line.column.kind
    # A gigabyte of letters proves no more than a megabyte of them.
    if kind in {Kind.TEXT, Kind.MEMO} and (column.max_length or 0) < 10_000_000:
        limit = column.max_length or 0
        # An e-mail address is never as long as one letter repeated, so the law looks at length alone.
        assert refused(line, "x" * limit) in {None, Code.VALUE_NOT_AN_EMAIL}
        assert refused(line, "x" * (limit + 1)) is Code.VALUE_TOO_LONG
    elif kind in {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY}:
        assert column.minimum is not None
        assert column.maximum is not None
        step = Decimal(1).scaleb(-(column.precision or 0))
        for edge, beyond in ((column.minimum, -step), (column.maximum, step)):
            assert refused(line, line.via.to_legacy(edge)) is None
            assert refused(line, line.via.to_legacy(edge + beyond)) is Code.VALUE_OUT_OF_RANGE
        assert refused(line, line.via.to_legacy(step / 10)) in {
            Code.VALUE_OUT_OF_RANGE,
            Code.VALUE_NOT_A_NUMBER,
        }
    elif kind is Kind.CHOICE:
        reached = {crossed for _, crossed in held(line)} - {None}
        assert reached <= column.options.keys()
        if line.flow is Flow.BOTH and line.loss is Loss.NONE:
            assert reached == column.options.keys()


@every_line
def test_a_lookup_points_at_a_table_that_exists_and_that_its_column_allows(
    system: LegacySystem, entry: EntityMap, line: Line
) -> None:
    refers = line.via.refers
    assert (refers is not None) == (line.column.kind is Kind.LOOKUP)
    if isinstance(refers, ToRecord):
        parent = system.map_of(refers.entity)
        assert refers.system == system.name
        assert parent is not None
        assert parent.table.name in line.column.targets
        assert refers.placeholder is None or refers.placeholder in line.column.targets
    elif isinstance(refers, ToDirectory):
        assert refers.column in TABLES[refers.table].columns
        assert refers.table in line.column.targets


@every_map
def test_no_legacy_field_and_no_column_is_named_twice(system: LegacySystem, entry: EntityMap) -> None:
    # A field may become several columns (its option, and its label as it was); it has one fate all the same.
    crossing = {line.legacy for line in entry.fields}
    fields = Counter([entry.key, *crossing, *(line.legacy for line in entry.dropped)])
    columns = Counter(line.column.name for line in entry.fields)

    assert not [name for counts in (fields, columns) for name, count in counts.items() if count > 1]


@every_map
def test_what_is_dropped_says_why(system: LegacySystem, entry: EntityMap) -> None:
    assert all(dropped.reason.endswith(".") for dropped in entry.dropped)


@every_map
def test_a_row_can_tell_which_record_it_is(system: LegacySystem, entry: EntityMap) -> None:
    identity = entry.identity(RecordKey(system.name, entry.entity, "1"))

    assert identity == {"tandem_sourcekey": f"{system.name}:{entry.entity}:1"}
    assert write_row(entry.table, identity)
    assert ("tandem_sourcekey",) in entry.table.keys.values()


@every_map
def test_every_example_can_be_written_once_it_is_resolved(system: LegacySystem, entry: EntityMap) -> None:
    for line in entry.fields:
        if line.column.kind not in {Kind.LOOKUP, Kind.PARTIES, Kind.FILE}:
            for _, crossed in held(line):
                # A blank leaves out a column that always has a value.
                if crossed is None and not line.column.clearable:
                    continue
                assert encode(write_row(entry.table, {line.column.name: crossed}))


@every_map
def test_a_map_that_goes_out_has_a_place_to_go(system: LegacySystem, entry: EntityMap) -> None:
    modules = IMPORTS[system.name].modules if system.by_import else ()
    taken = {declared.entity for declared in modules} if modules else system.collections
    assert entry.outbound == (entry.entity in taken)


def test_a_system_sends_a_table_out_through_one_map_at_most() -> None:
    for system in SYSTEMS:
        tables = Counter(entry.table.name for entry in system.maps if entry.outbound)
        assert all(count == 1 for count in tables.values())


def test_systems_and_their_entities_have_names_of_their_own() -> None:
    assert len({system.name for system in SYSTEMS}) == len(SYSTEMS)
    for system in SYSTEMS:
        assert len({entry.entity for entry in system.maps}) == len(system.maps)
        # Its settings and its timer are named after it.
        assert re.fullmatch(r"[a-z][a-z0-9_]*", system.name)


def test_a_way_that_is_declared_has_its_own_declaration() -> None:
    assert {system.name for system in SYSTEMS if system.drops} <= EXPORTS.keys()
    assert {system.name for system in SYSTEMS if system.by_import} == IMPORTS.keys()


@every_column
def test_an_option_has_a_label_of_its_own(column: Column[Any]) -> None:
    labels = [label.casefold() for label in column.options.values()]

    # A quote may be In Progress as a draft and when active: a status is told by its number and its state.
    assert column.kind is Kind.STATUS or len(set(labels)) == len(labels)
    assert (column.kind in {Kind.CHOICE, Kind.STATE, Kind.STATUS}) == bool(column.options)


@every_column
def test_a_lookup_names_its_targets_as_the_tables_do(column: Column[Any]) -> None:
    assert (column.kind is Kind.LOOKUP) == bool(column.targets)
    assert {table: TABLES[table].entity_set for table in column.targets} == {
        table: entity_set for entity_set, table in column.sets.items()
    }


@every_column
def test_a_custom_column_carries_our_prefix_and_a_label(column: Column[Any]) -> None:
    assert column.label
    if column.custom:
        assert re.fullmatch(r"tandem_[a-z]+", column.name)
    if column.kind in {Kind.TEXT, Kind.MEMO}:
        assert column.max_length
