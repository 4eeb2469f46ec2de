"""How far each feed has been read."""

from dataclasses import dataclass

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import watermark
from shared.connectors.sqlstore.transactions import Database
from shared.core.feed import Watermark
from shared.core.ports import Clock

_LOAD = sa.select(watermark.c.position, watermark.c.version).where(
    watermark.c.name == sa.bindparam("the_name")
)
_FIRST = sa.insert(watermark)
_MOVE = (
    sa.update(watermark)
    .where(watermark.c.name == sa.bindparam("the_name"), watermark.c.version == sa.bindparam("seen"))
    .values(
        position=sa.bindparam("the_position"),
        moved_at=sa.bindparam("now"),
        version=watermark.c.version + ONE,
    )
)


@dataclass(frozen=True, slots=True)
class SqlCursors:
    """`Cursors` on SQL; a watermark moves only from the version its mover saw."""

    database: Database
    clock: Clock

    async def load(self, name: str) -> Watermark:
        """See `Cursors.load`."""

        def work(connection: sa.Connection) -> Watermark:
            row = connection.execute(_LOAD, {"the_name": name}).first()
            return Watermark() if row is None else Watermark(row.position, row.version)

        return await self.database.read(work)

    async def move(self, name: str, seen: Watermark, position: str) -> Watermark | None:
        """See `Cursors.move`."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Watermark | None:
            if seen.version == 0 and connection.execute(_LOAD, {"the_name": name}).first() is None:
                first = {"name": name, "position": position, "moved_at": now, "version": 1}
                connection.execute(_FIRST, first)
                return Watermark(position, 1)
            parameters = {"the_name": name, "seen": seen.version, "the_position": position, "now": now}
            if connection.execute(_MOVE, parameters).rowcount == 1:
                return Watermark(position, seen.version + 1)
            return None

        return await self.database.write(work)
