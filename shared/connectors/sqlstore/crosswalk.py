"""Which legacy record is which Dataverse row."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.claims import check_widths, once_free, row_for
from shared.connectors.sqlstore.lineage import heir_in
from shared.connectors.sqlstore.pairing import ABSORBED, ENTRY, IS_KEY, PAIRED, key_parameters
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import crosswalk
from shared.connectors.sqlstore.transactions import Database
from shared.core.claim import Claim
from shared.core.crosswalk import Entry
from shared.core.identity import RecordKey
from shared.core.ports import Clock

_ROW_OF = sa.select(crosswalk.c.row_id).where(
    IS_KEY, crosswalk.c.state.in_([word("paired"), word("absorbed")])
)

_RECORDS_OF = (
    sa.select(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
    .where(crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state == word("paired"))
    .order_by(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
)

_CLAIMS_ON = (
    sa.select(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
    .where(crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state != word("absorbed"))
    .order_by(crosswalk.c.state, crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
)


@dataclass(frozen=True, slots=True)
class SqlCrosswalk:
    """`Crosswalk` on SQL. `sleep` waits a number of seconds without holding anything up."""

    database: Database
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]

    async def claim(self, key: RecordKey, row_id: UUID | None, chosen: UUID) -> UUID:
        """See `Crosswalk.claim`.

        While somebody works the record under its reserved row, the hand-over waits for them: they may be
        creating that row. Raises StoreUnavailable when that takes more than a few seconds.
        """
        check_widths(key)
        claim, now = Claim(key, row_id, chosen), self.clock.now()
        return await once_free(lambda: self.database.write(lambda c: row_for(c, claim, now)), self.sleep)

    async def row_of(self, key: RecordKey) -> UUID | None:
        """See `Crosswalk.row_of`."""
        return await self.database.read(
            lambda c: c.execute(_ROW_OF, key_parameters(key)).scalar_one_or_none()
        )

    async def records_of(self, row_id: UUID) -> Sequence[RecordKey]:
        """See `Crosswalk.records_of`, in alphabetical order."""
        rows = await self.database.read(lambda c: c.execute(_RECORDS_OF, {"the_row": row_id}).all())
        return [RecordKey(row.system, row.entity, row.legacy_id) for row in rows]

    async def claims_on(self, row_id: UUID) -> Sequence[RecordKey]:
        """See `Crosswalk.claims_on`; the paired ones first."""
        rows = await self.database.read(lambda c: c.execute(_CLAIMS_ON, {"the_row": row_id}).all())
        return [RecordKey(row.system, row.entity, row.legacy_id) for row in rows]

    async def entry(self, key: RecordKey) -> Entry | None:
        """See `Crosswalk.entry`."""
        row = await self.database.read(lambda c: c.execute(ENTRY, key_parameters(key)).one_or_none())
        if row is None:
            return None
        return Entry(row.row_id, row.state in {PAIRED, ABSORBED}, row.state == ABSORBED)

    async def heir_of(self, row_id: UUID) -> UUID | None:
        """See `Crosswalk.heir_of`."""
        return await self.database.read(lambda c: heir_in(c, row_id))
