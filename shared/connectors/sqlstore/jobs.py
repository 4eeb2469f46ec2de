"""Who runs a timed job, over all instances."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import job_lease
from shared.connectors.sqlstore.transactions import Database
from shared.core.ports import Clock

_TAKE = (
    sa.update(job_lease)
    .where(
        job_lease.c.name == sa.bindparam("the_name"),
        sa.or_(job_lease.c.lease_until < sa.bindparam("now"), job_lease.c.owner == sa.bindparam("the_owner")),
    )
    .values(
        owner=sa.bindparam("the_owner"),
        lease_until=sa.bindparam("until"),
        fence=job_lease.c.fence + ONE,
    )
)

_TAKEN = sa.select(ONE).where(sa.exists().where(job_lease.c.name == sa.bindparam("the_name")))
_FIRST = sa.insert(job_lease)


@dataclass(frozen=True, slots=True)
class SqlJobs:
    """`Jobs` on SQL."""

    database: Database
    clock: Clock

    async def lease(self, name: str, owner: str, seconds: float) -> bool:
        """See `Jobs.lease`; an owner may take its own lease again, which extends it."""
        now = self.clock.now()
        until = now + timedelta(seconds=seconds)

        def work(connection: sa.Connection) -> bool:
            parameters = {"the_name": name, "the_owner": owner, "now": now, "until": until}
            if connection.execute(_TAKE, parameters).rowcount == 1:
                return True
            if connection.execute(_TAKEN, {"the_name": name}).first() is not None:
                return False
            connection.execute(_FIRST, {"name": name, "owner": owner, "lease_until": until, "fence": 1})
            return True

        return await self.database.write(work)
