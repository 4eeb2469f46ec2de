"""Column types that mean the same on SQLite and on Azure SQL.

The rules behind them: instants are UTC with microseconds and sort as time; keys compare byte by byte on both;
nothing compiles to a type that SQL Server has retired.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect

KEY_COLLATION = "Latin1_General_100_BIN2"
"""Azure SQL ignores letter case unless told otherwise; SQLite does not."""

ONE: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer)
"""The number one, written into the statement."""


def word(text: str) -> sa.ColumnElement[str]:
    """A word of our own, written into the statement: a filtered index is only used by such a condition."""
    if not text.isalpha():
        raise ValueError("only plain words may be written into a statement")
    return sa.literal_column(f"'{text}'", sa.Unicode)


def storable(text: str | None) -> str | None:
    """Text without half characters, which JSON can carry and no database takes; each becomes a `?`."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


class Instant(sa.types.TypeDecorator[datetime]):
    """A UTC instant: DATETIME2(6), or on SQLite 26 characters that sort as time. Naive values are refused."""

    impl = sa.String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(26)

    def __repr__(self) -> str:
        return "Instant()"

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """The native type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.DATETIME2(precision=6))  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
        return dialect.type_descriptor(sa.String(26))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """UTC for the database, which drops offsets silently."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs an offset")
        naive = value.astimezone(UTC).replace(tzinfo=None)
        return naive if dialect.name == "mssql" else naive.isoformat(" ", "microseconds")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Aware again, in UTC."""
        if value is None:
            return None
        naive: datetime = value if dialect.name == "mssql" else datetime.fromisoformat(value)
        return naive.replace(tzinfo=UTC)


class Key(sa.types.TypeDecorator[str]):
    """Text that rows are found by: compared byte by byte on both backends."""

    impl = sa.Unicode
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def __repr__(self) -> str:
        return f"Key({self.length})"

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """The native type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.NVARCHAR(self.length, collation=KEY_COLLATION))
        return dialect.type_descriptor(sa.Unicode(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Text that both databases take."""
        return storable(value)


class Document(sa.types.TypeDecorator[str]):
    """Text of any length that is never searched: JSON, reasons, names from outside."""

    impl = sa.UnicodeText
    cache_ok = True

    def __repr__(self) -> str:
        return "Document()"

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """The native type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.NVARCHAR(None))
        return dialect.type_descriptor(sa.UnicodeText())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Text that both databases take."""
        return storable(value)


class Bytes(sa.types.TypeDecorator[bytes]):
    """Bytes, of at most `length` if given; `LargeBinary(32)` alone would become IMAGE on SQL Server."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def __repr__(self) -> str:
        return f"Bytes({self.length or ''})"

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """The native type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.VARBINARY(self.length or "max"))  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
        return dialect.type_descriptor(sa.LargeBinary())


class Number(sa.types.TypeDecorator[int]):
    """A 64-bit whole number; INTEGER on SQLite, where only that can be an identity."""

    impl = sa.BigInteger
    cache_ok = True

    def __repr__(self) -> str:
        return "Number()"

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """The native type."""
        native = sa.BigInteger() if dialect.name == "mssql" else sa.Integer()
        return dialect.type_descriptor(native)
