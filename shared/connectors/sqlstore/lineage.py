"""Where a row ended up that was merged into another."""

from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import absorbed_row

_LONGEST = 100
"""Merges followed from one row."""

_HEIR = sa.select(absorbed_row.c.heir).where(absorbed_row.c.row_id == sa.bindparam("the_row"))


def heir_in(connection: sa.Connection, row_id: UUID) -> UUID | None:
    """The row that a row is now, after one merge or several; None when it was never merged."""
    heir: UUID | None = None
    for _ in range(_LONGEST):
        found = connection.execute(_HEIR, {"the_row": heir or row_id}).scalar_one_or_none()
        if found is None:
            break
        heir = found
    return heir
