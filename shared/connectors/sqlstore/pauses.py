"""Until when each identity pauses, over all instances."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import identity_pause
from shared.connectors.sqlstore.transactions import Database
from shared.core.pauses import FURTHEST
from shared.core.ports import Clock

_IS_NAMED = identity_pause.c.name == sa.bindparam("the_name")
_UNTIL = sa.select(identity_pause.c.until).where(_IS_NAMED)
_IS_THERE = sa.select(ONE).where(sa.exists().where(_IS_NAMED))
_FIRST = sa.insert(identity_pause)
_EXTEND = (
    sa.update(identity_pause)
    .where(
        _IS_NAMED,
        sa.or_(
            identity_pause.c.until < sa.bindparam("the_end"),
            identity_pause.c.until > sa.bindparam("believable"),
        ),
    )
    .values(until=sa.bindparam("the_end"))
)


@dataclass(frozen=True, slots=True)
class SqlPauses:
    """`Pauses` on SQL."""

    database: Database
    clock: Clock

    async def extend(self, identity: str, until: datetime) -> None:
        """See `Pauses.extend`."""
        believable = self.clock.now() + FURTHEST

        def work(connection: sa.Connection) -> None:
            parameters = {"the_name": identity, "the_end": until, "believable": believable}
            if connection.execute(_EXTEND, parameters).rowcount == 1:
                return
            if connection.execute(_IS_THERE, {"the_name": identity}).first() is None:
                connection.execute(_FIRST, {"name": identity, "until": until})

        await self.database.write(work)

    async def until(self, identity: str) -> datetime | None:
        """See `Pauses.until`."""

        def work(connection: sa.Connection) -> datetime | None:
            return connection.execute(_UNTIL, {"the_name": identity}).scalar_one_or_none()

        return await self.database.read(work)
