"""Every text column is classified, so that nothing about a person is shown by oversight."""

from mappers.dataverse import TABLES
from mappers.dataverse.personal import PERSONAL
from shared.core.mapping.columns import Kind


def test_every_text_column_is_classified_and_nothing_else() -> None:
    texts = {
        name: {column.name for column in table.columns.values() if column.kind in {Kind.TEXT, Kind.MEMO}}
        for name, table in TABLES.items()
    }

    assert {name: set(columns) for name, columns in PERSONAL.items()} == {
        name: columns for name, columns in texts.items() if columns
    }
