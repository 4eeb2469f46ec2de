"""The agreed state of each record on SQL; it is written by settlement alone."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import shadow as shadows
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import shadow_of
from shared.core.shadow import Shadow

_LOAD = sa.select(shadows.c.document, shadows.c.deleted_at).where(
    shadows.c.record == sa.bindparam("the_record")
)


@dataclass(frozen=True, slots=True)
class SqlShadows:
    """`Shadows` on SQL."""

    database: Database

    async def load(self, record: UUID) -> Shadow:
        """See `Shadows.load`."""
        row = await self.database.read(lambda c: c.execute(_LOAD, {"the_record": record}).one_or_none())
        return Shadow() if row is None else shadow_of(row.document, row.deleted_at)
