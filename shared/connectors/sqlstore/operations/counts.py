"""How much there is of everything, and the proof that nothing was lost.

Conservation: every message that was ever kept either has its one final outcome, or an unfinished place in a
lane; never both, never neither.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import conflict, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.outcome import Outcome
from shared.core.ports import Report
from shared.core.verdict import ItemState

_BY_FATE = (
    sa.select(messages.c.queue, messages.c.outcome, lane_item.c.state, sa.func.count().label("size"))
    .outerjoin(lane_item, lane_item.c.number == messages.c.number)
    .group_by(messages.c.queue, messages.c.outcome, lane_item.c.state)
)

_STUCK = lane_item.alias("stuck")


def is_behind(head: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a lane item comes after another one of its lane."""
    return sa.and_(
        head.c.record == lane_item.c.record,
        sa.or_(
            head.c.changed_at < lane_item.c.changed_at,
            sa.and_(head.c.changed_at == lane_item.c.changed_at, head.c.number < lane_item.c.number),
        ),
    )


_BEHIND = (
    sa.select(sa.func.count())
    .select_from(lane_item)
    .where(
        lane_item.c.state == word("waiting"),
        lane_item.c.state != word("done"),  # said for the index, which is filtered by it
        sa.exists().where(
            is_behind(_STUCK),
            _STUCK.c.state != word("done"),
            _STUCK.c.state.in_([word("held"), word("retrying"), word("parked")]),
        ),
    )
)

_LANES = sa.select(
    sa.func.count(lane_item.c.record.distinct()),
    sa.func.count(sa.case((lane_item.c.state == word("held"), lane_item.c.record)).distinct()),
).where(lane_item.c.state != word("done"))

_CONFLICTS = sa.select(sa.func.count()).select_from(conflict)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts messages and lanes."""

    database: Database

    async def take(self) -> Report:
        """All counts, of one moment.

        `received` is the sum of `outcomes` (final ones), `open` (by lane state) and `unexplained`, which is 0
        unless something was lost; `by_queue` tells both together per queue; `behind` counts messages that
        wait behind a failure.
        """

        def work(connection: sa.Connection) -> Report:
            found = connection.execute(_BY_FATE).all()
            fates = [(row.outcome, row.state, row.size) for row in found]
            behind = connection.execute(_BEHIND).scalar_one()
            lanes, held = connection.execute(_LANES).one()
            conflicts = connection.execute(_CONFLICTS).scalar_one()
            return {
                **_conservation(fates),
                "by_queue": _by_queue([(row.queue, row.outcome, row.state, row.size) for row in found]),
                "behind": behind,
                "lanes_open": lanes,
                "lanes_held": held,
                "conflicts": conflicts,
            }

        return await self.database.read(work)


def _by_queue(fates: list[tuple[str, str | None, str | None, int]]) -> dict[str, dict[str, int]]:
    """Per queue: final outcomes, and lane states for what is not over."""
    told: dict[str, dict[str, int]] = {}
    for queue, outcome, state, size in fates:
        is_open = state is not None and state != ItemState.DONE
        name = (state if is_open else outcome) or "unexplained"
        counted = told.setdefault(queue, {})
        counted[name] = counted.get(name, 0) + size
    return told


def _conservation(fates: list[tuple[str | None, str | None, int]]) -> dict[str, object]:
    outcomes: dict[str, int] = {}
    unfinished: dict[str, int] = {}
    unexplained = 0
    for outcome, state, size in fates:
        is_open = state is not None and state != ItemState.DONE
        is_final = outcome is not None and Outcome(outcome).is_final
        if is_open == is_final:
            unexplained += size
        elif is_open and state is not None:
            unfinished[state] = unfinished.get(state, 0) + size
        elif outcome is not None:
            outcomes[outcome] = outcomes.get(outcome, 0) + size
    return {
        "received": sum(size for _, _, size in fates),
        "outcomes": dict(sorted(outcomes.items())),
        "open": dict(sorted(unfinished.items())),
        "unexplained": unexplained,
    }
