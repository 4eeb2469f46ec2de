"""Values in shadow and journal are read as they were written."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.sqlstore import values
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.verdict import ColumnChange

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
# A zone of one offset has no fold.
INSTANTS = st.datetimes(timezones=ZONES).map(lambda at: at.replace(fold=0))
ANY = st.text(st.characters(codec=None))
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    ANY,
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    INSTANTS,
    st.dates(),
    st.builds(RowRef, st.text("abcdef_", min_size=1), st.uuids()),
)
MARKS = st.builds(
    Mark,
    value=VALUES,
    changed_at=INSTANTS,
    origin=st.sampled_from(["allegory", "dataverse"]),
    seen=st.dictionaries(
        st.sampled_from(["allegory", "legrand"]), st.builds(Moment, INSTANTS, st.integers())
    ),
)
SHADOWS = st.builds(
    Shadow,
    marks=st.dictionaries(st.text("abc", min_size=1), MARKS),
    versions=st.dictionaries(st.sampled_from(["allegory", "dataverse"]), ANY),
    deleted_at=st.none() | INSTANTS,
    ended=st.dictionaries(st.sampled_from(["allegory", "dataverse"]), INSTANTS),
)


def _exactly(value: Value) -> tuple[type, str]:
    """What tells 1 from True, 1.5 from 1.50, and one zone from another."""
    return type(value), repr(value)


@given(VALUES)
def test_a_value_is_read_as_it_was_written(value: Value) -> None:
    text = values.dumps(values.tagged(value))

    assert _exactly(values.value_of(text)) == _exactly(value)
    assert text.isascii()


@given(SHADOWS)
def test_a_shadow_is_read_as_it_was_written(shadow: Shadow) -> None:
    assert values.shadow_of(values.shadow_text(shadow), shadow.deleted_at) == shadow


@given(st.dictionaries(st.text("abc", min_size=1), st.builds(ColumnChange, VALUES, VALUES)))
def test_changes_are_read_as_they_were_written(changes: dict[str, ColumnChange]) -> None:
    assert values.changes_of(values.changes_text(changes)) == changes


@given(st.lists(st.builds(Fault, ANY, st.sampled_from(Code), ANY)))
def test_faults_are_read_as_they_were_written(faults: list[Fault]) -> None:
    assert values.faults_of(values.faults_text(tuple(faults))) == tuple(faults)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (Decimal("1.50"), {"t": "decimal", "v": "1.50"}),
        (date(2024, 2, 29), {"t": "date", "v": "2024-02-29"}),
        (datetime(2024, 2, 29, 1, 2, 3, 4, UTC), {"t": "datetime", "v": "2024-02-29T01:02:03.000004+00:00"}),
        (True, True),
        (7, 7),
        ("1.50", "1.50"),
        (None, None),
    ],
)
def test_the_form_of_a_value_does_not_change_between_releases(value: Value, form: object) -> None:
    assert json.loads(values.dumps(values.tagged(value))) == form


@pytest.mark.parametrize("text", ["1.5", "[1]", '{"t":"float","v":"1"}'])
def test_a_form_nobody_writes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the form of a column value"):
        values.value_of(text)
