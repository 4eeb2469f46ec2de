"""The agreed state of each record on SQL, written by settlement alone; and what is about to be overruled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import conflicts
from shared.connectors.sqlstore.messages import stored_id
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.tables import shadow as shadows
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps, shadow_of
from shared.core.change import Change
from shared.core.ports import Clock
from shared.core.shadow import Shadow
from shared.core.verdict import Collision

_LOAD = sa.select(shadows.c.document, shadows.c.deleted_at).where(
    shadows.c.record == sa.bindparam("the_record")
)


_NUMBER = sa.select(messages.c.number).where(
    messages.c.record == sa.bindparam("the_record"),
    messages.c.message_id == sa.bindparam("the_id"),
    messages.c.source == sa.bindparam("the_system"),
    messages.c.is_first == sa.true(),
)

_PHASES = sa.select(lane_item.c.phases).where(lane_item.c.number == sa.bindparam("the_number"))
_BEGIN = (
    sa.update(lane_item)
    .where(lane_item.c.number == sa.bindparam("the_number"))
    .values(phases=sa.bindparam("the_phases"))
)


@dataclass(frozen=True, slots=True)
class SqlShadows:
    """`Shadows` on SQL."""

    database: Database
    clock: Clock

    async def load(self, record: UUID) -> Shadow:
        """See `Shadows.load`."""
        row = await self.database.read(lambda c: c.execute(_LOAD, {"the_record": record}).one_or_none())
        return Shadow() if row is None else shadow_of(row.document, row.deleted_at)

    async def overrule(
        self, change: Change, record: UUID, collisions: Sequence[Collision], phases: Mapping[str, str]
    ) -> None:
        """See `Shadows.overrule`."""
        wanted = {
            "the_record": record,
            "the_id": stored_id(change.message_id),
            "the_system": change.subject.system,
        }

        def work(connection: sa.Connection) -> None:
            for number in connection.execute(_NUMBER, wanted).scalars().all():
                conflicts.keep(connection, number, record, collisions, self.clock.now())
                _begin(connection, number, phases)

        await self.database.write(work)


def _begin(connection: sa.Connection, number: int, phases: Mapping[str, str]) -> None:
    """Note in which phases a message's writes begin; what was noted on an earlier try stands."""
    before = connection.execute(_PHASES, {"the_number": number}).scalar_one_or_none()
    after = dumps({**phases, **json.loads(before or "{}")})
    if after != before:
        connection.execute(_BEGIN, {"the_number": number, "the_phases": after})
