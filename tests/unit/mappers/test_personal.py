"""Every text column is classified, so that nothing about a person is shown by oversight."""

from mappers.dataverse import TABLES
from mappers.dataverse.personal import PERSONAL
from shared.core.mapping.columns import Kind

# What is not text but tells of people all the same: who took part, and files.
_TELLING = {Kind.TEXT, Kind.MEMO, Kind.PARTIES, Kind.FILE}


def test_every_text_column_is_classified_and_nothing_else() -> None:
    texts = {
        name: {column.name for column in table.columns.values() if column.kind in _TELLING}
        for name, table in TABLES.items()
    }

    assert {name: set(columns) for name, columns in PERSONAL.items()} == {
        name: columns for name, columns in texts.items() if columns
    }
