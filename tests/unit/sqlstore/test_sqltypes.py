"""Instants, keys and texts mean the same on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from shared.connectors.sqlstore.messages import stored_id
from shared.connectors.sqlstore.sqltypes import Bytes, Document, Instant, Key, Number, storable, word

SQLITE = SQLiteDialect_pysqlite()
MSSQL = MSDialect_pyodbc()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
INSTANTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))])).filter(
    lambda at: 1 < at.year < 9999
)


@given(INSTANTS, INSTANTS)
def test_instants_sort_as_text_and_are_read_in_utc(one: datetime, other: datetime) -> None:
    texts = [Instant().process_bind_param(at, SQLITE) for at in (one, other)]

    assert (texts[0] < texts[1]) == (one < other)
    assert [len(text) for text in texts] == [26, 26]
    back = Instant().process_result_value(texts[0], SQLITE)
    assert back == one
    assert back is not None
    assert back.tzinfo is UTC


@given(INSTANTS)
def test_a_server_gets_utc_without_an_offset(at: datetime) -> None:
    bound = Instant().process_bind_param(at, MSSQL)

    assert bound == at.astimezone(UTC).replace(tzinfo=None)
    assert Instant().process_result_value(bound, MSSQL) == at


@pytest.mark.parametrize("dialect", [SQLITE, MSSQL])
def test_an_instant_without_offset_is_refused(dialect: sa.Dialect) -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        Instant().process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001  # the point of the test


def test_types_compile_to_what_azure_sql_should_have() -> None:
    types: list[sa.types.TypeEngine[Any]] = [
        Instant(),
        Key(64),
        Document(),
        Bytes(32),
        Bytes(),
        Number(),
        sa.Uuid(),
        sa.Boolean(),
    ]

    assert [each.compile(MSSQL) for each in types] == [
        "DATETIME2(6)",
        "NVARCHAR(64) COLLATE Latin1_General_100_BIN2",
        "NVARCHAR(max)",
        "VARBINARY(32)",
        "VARBINARY(max)",
        "BIGINT",
        "UNIQUEIDENTIFIER",
        "BIT",
    ]


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_stored(text: str) -> None:
    kept = storable(text)

    assert kept is not None
    kept.encode()
    assert len(kept) == len(text)
    assert kept == text or "?" in kept


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
@example("", "\ud800")
@example("", " ")
def test_a_message_id_gets_a_key_of_its_own_that_fits(one: str, other: str) -> None:
    keys = [stored_id(one), stored_id(other)]

    assert (keys[0] == keys[1]) == (one == other)
    for key in keys:
        assert len(key.encode("utf-16-le")) <= 256
        assert key == key.strip()


def test_only_our_own_words_are_written_into_statements() -> None:
    with pytest.raises(ValueError, match="only plain words"):
        word("x' OR 1=1 --")
