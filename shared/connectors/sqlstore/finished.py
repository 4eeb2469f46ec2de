"""Finished work beside the messages, and how long it is kept: replay plans, settled conflicts, healed gaps.

What two sides held and a person decided are customers' values: they go when bodies go. That there was a
conflict, a plan or a gap goes when the messages go. What is not over stays, whatever its age, but for a plan
that nobody ran.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.disputes import OVER, dispute
from shared.connectors.sqlstore.pending import import_file, pending_write
from shared.connectors.sqlstore.plans.tables import replay_item, replay_plan
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.suspects import gap
from shared.connectors.sqlstore.values import dumps, tagged
from shared.core.plan import PlanState

AT_ONCE = 1000
"""Rows that one transaction forgets."""

_NOTHING = dumps(tagged(None))
_VALUES = ("base", "inbound", "outbound")
_SAID = ("value", "seen_inbound", "seen_outbound")


def settled_values(before: datetime) -> sa.Select[Any]:
    """Conflicts that were over before an instant and whose values are still there."""
    still = sa.or_(*(dispute.c[name] != _NOTHING for name in _VALUES), dispute.c.value.is_not(None))
    return _page(dispute.c.id, dispute.c.state == word(OVER), dispute.c.over_at < before, still)


def blank(connection: sa.Connection, ids: Sequence[Any]) -> None:
    """Forget what both sides held in conflicts, and what was decided; who decided and when stays."""
    values: dict[str, str | None] = dict.fromkeys(_VALUES, _NOTHING)
    values |= dict.fromkeys(_SAID)
    connection.execute(sa.update(dispute).where(dispute.c.id.in_(ids)).values(**values))


def settled(before: datetime) -> sa.Select[Any]:
    """Conflicts that were over before an instant."""
    return _page(dispute.c.id, dispute.c.state == word(OVER), dispute.c.over_at < before)


def healed(before: datetime) -> sa.Select[Any]:
    """Gaps that were healed before an instant."""
    return _page(gap.c.message_id, gap.c.healed_at < before)


def plans(before: datetime) -> sa.Select[Any]:
    """Plans that ended before an instant, and those made before it that nobody ever ran."""
    ended = replay_plan.c.ended_at < before
    never_run = sa.and_(replay_plan.c.state == word(PlanState.READY.value), replay_plan.c.created_at < before)
    return _page(replay_plan.c.number, sa.or_(ended, never_run)).limit(1)


def forget_disputes(connection: sa.Connection, ids: Sequence[Any]) -> None:
    """Delete conflicts."""
    connection.execute(sa.delete(dispute).where(dispute.c.id.in_(ids)))


def forget_gaps(connection: sa.Connection, ids: Sequence[Any]) -> None:
    """Delete gaps."""
    connection.execute(sa.delete(gap).where(gap.c.message_id.in_(ids)))


def forget_plans(connection: sa.Connection, numbers: Sequence[Any]) -> None:
    """Delete plans with all that was kept of their messages."""
    connection.execute(sa.delete(replay_item).where(replay_item.c.plan.in_(numbers)))
    connection.execute(sa.delete(replay_plan).where(replay_plan.c.number.in_(numbers)))


def imports(before: datetime) -> sa.Select[Any]:
    """Workbooks acknowledged before an instant, none of whose writes is kept."""
    is_kept = sa.exists().where(pending_write.c.file == import_file.c.number)
    return _page(import_file.c.number, import_file.c.acknowledged_at < before, ~is_kept)


def forget_imports(connection: sa.Connection, numbers: Sequence[Any]) -> None:
    """Delete workbooks."""
    connection.execute(sa.delete(import_file).where(import_file.c.number.in_(numbers)))


def _page(key: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(key).where(*conditions).order_by(key).limit(AT_ONCE)
