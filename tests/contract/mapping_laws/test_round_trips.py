"""Every column that goes both ways comes back as it was, or its map says what it loses (N-14).

The values are not the examples of the maps but any the column can hold, and any text a legacy system may say.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappers import SYSTEMS
from mappers.allegory.companies import COMPANY
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Column, Kind, Option
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef
from shared.core.mapping.spec import Flow, Line, Loss, ToDirectory, ToRecord, Transform, Unfit
from shared.core.mapping.transforms.text import canonical, clean, length

BOTH = [
    (f"{system.name}-{entry.entity}-{line.legacy}-{line.column.name}", line)
    for system in SYSTEMS
    for entry in system.maps
    for line in entry.fields
    if line.flow is Flow.BOTH
]
every_line_both_ways = pytest.mark.parametrize(
    "line", [line for _, line in BOTH], ids=[name for name, _ in BOTH]
)
law = settings(max_examples=60, deadline=None)

_LETTERS = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
_IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
_PEOPLE = st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}@[a-z]{2,8}\.example", fullmatch=True)
_MOMENTS = st.datetimes(dt.datetime(1754, 1, 2), dt.datetime(9998, 12, 30), timezones=st.just(dt.UTC))  # noqa: DTZ001 - the zone is added


def of_column(line: Line) -> st.SearchStrategy[Any]:
    """Any value a row may hold in the line's column; None for a blank one."""
    column, refers = line.column, line.via.refers
    if isinstance(refers, ToRecord):
        found = _IDS.map(lambda name: RecordRef(RecordKey(refers.system, refers.entity, name)))
        placeholder = refers.placeholder
        return st.one_of(st.none(), found, st.just(PlaceholderRef(placeholder)) if placeholder else found)
    if isinstance(refers, ToDirectory):
        return st.one_of(st.none(), _PEOPLE.map(lambda name: _directory(refers, name, line.via)))
    return st.one_of(st.none(), _VALUES[column.kind](column))


def _directory(refers: ToDirectory, name: str, via: Transform[Any, Any]) -> DirectoryRef:
    # A currency is held under its code, which has no letter case.
    spelt = via.to_dataverse(name)
    assert isinstance(spelt, DirectoryRef)
    return DirectoryRef(refers.table, refers.column, spelt.value, refers.required)


def _texts(column: Column[Any]) -> st.SearchStrategy[Any]:
    words = st.one_of(st.text(_LETTERS, max_size=60), _PEOPLE, st.just("nordwind.example"))
    return words.map(canonical).filter(
        lambda text: text is not None and length(text) <= (column.max_length or 0)
    )


def _numbers(column: Column[Any]) -> st.SearchStrategy[Any]:
    least, most, places = column.minimum, column.maximum, column.precision or 0
    assert least is not None
    assert most is not None
    step = Decimal(1).scaleb(-places)
    whole = st.integers(int(least / step), int(most / step))
    return whole.map(lambda count: (count * step).quantize(step) + 0)


_VALUES: dict[Kind, Callable[[Column[Any]], st.SearchStrategy[Any]]] = {
    Kind.TEXT: _texts,
    Kind.MEMO: _texts,
    Kind.INTEGER: lambda column: st.integers(int(column.minimum or 0), int(column.maximum or 0)),
    Kind.DECIMAL: _numbers,
    Kind.MONEY: _numbers,
    Kind.BOOLEAN: lambda _: st.booleans(),
    Kind.CHOICE: lambda column: st.sampled_from([Option(number) for number in column.options]),
    Kind.STATUS: lambda column: st.sampled_from([Option(number) for number in column.options]),
    Kind.DATE: lambda _: st.dates(dt.date(1754, 1, 1), dt.date(9998, 12, 31)),
    Kind.DATETIME: lambda _: _MOMENTS.map(lambda at: at.replace(microsecond=0)),
}


def comes_back(line: Line, value: Any) -> bool:
    """Whether a row's value is the same once it was there and came back; one that does not go is not."""
    try:
        return bool(line.via.to_dataverse(line.via.to_legacy(value)) == value)
    except Unfit:
        return False


def is_refused(line: Line, value: Any) -> bool:
    """Whether a row's value is told to have no place in the legacy system, instead of going there."""
    try:
        line.via.to_legacy(value)
    except Unfit:
        return True
    return False


def check_row(line: Line) -> None:
    """The law for what begins in Dataverse."""

    @law
    @given(of_column(line))
    def holds(value: Any) -> None:
        assert comes_back(line, value) or is_refused(line, value) or line.loss is Loss.PARTIAL

    holds()


@every_line_both_ways
def test_what_a_row_holds_comes_back_or_is_told_to_have_no_place_or_the_map_declares_the_loss(
    line: Line,
) -> None:
    check_row(line)


@every_line_both_ways
def test_what_a_legacy_system_says_is_said_once_and_for_all(line: Line) -> None:
    """One trip may tidy a value up; no further trip changes it, so that nothing goes round and round."""

    @law
    @given(st.one_of(st.text(max_size=40), _PEOPLE, st.sampled_from([e for e in line.via.examples if e])))
    def holds(said: str) -> None:
        try:
            crossed = line.via.to_dataverse(said)
        except Unfit:
            return
        back = line.via.to_legacy(crossed)
        assert line.via.to_dataverse(back) == crossed
        assert line.via.to_legacy(line.via.to_dataverse(back)) == back

    holds()


@pytest.mark.parametrize(
    "line",
    [line for _, line in BOTH if line.column.kind in {Kind.TEXT, Kind.MEMO}],
    ids=[name for name, line in BOTH if line.column.kind in {Kind.TEXT, Kind.MEMO}],
)
def test_text_loses_nothing_but_blanks_around_it(line: Line) -> None:
    @law
    @given(st.one_of(st.text(_LETTERS, max_size=40), _PEOPLE))
    def holds(said: str) -> None:
        try:
            crossed = line.via.to_dataverse(said)
        except Unfit:
            return
        assert line.via.to_legacy(crossed) == (clean(said) or "")

    holds()


def test_a_loss_that_nobody_declared_is_found() -> None:
    name = next(line for line in COMPANY.fields if line.legacy == "name")

    def shout(value: Any) -> str | None:
        crossed: str | None = name.via.to_dataverse(value)
        return crossed.upper() if crossed else crossed

    lossy = replace(name, via=replace(name.via, to_dataverse=shout))

    with pytest.raises(AssertionError):
        check_row(lossy)
    check_row(replace(lossy, loss=Loss.PARTIAL))


def test_a_row_that_would_be_poison_on_its_way_back_is_refused_on_its_way_out() -> None:
    """Dataverse takes any text for an e-mail address; sent out it would come back and be refused for good."""
    email = next(line for name, line in BOTH if name == "allegory-contact-email-emailaddress1")

    assert is_refused(email, "nobody at all")
    assert not is_refused(email, "anna.berg@nordwind.example")
