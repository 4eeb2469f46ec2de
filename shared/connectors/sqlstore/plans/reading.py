"""Lanes of a plan, and what is known of their records, read many at once for a prediction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.messages import COLUMNS, message_of
from shared.connectors.sqlstore.plans.standings import ORDER, stuck_heads
from shared.connectors.sqlstore.plans.tables import replay_item
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import crosswalk, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.tables import shadow as shadows
from shared.connectors.sqlstore.values import shadow_of
from shared.core.identity import RecordKey
from shared.core.plan_items import Kept, Known, LaneOfPlan
from shared.core.shadow import Shadow
from shared.core.verdict import ItemState

_PIECE = 500
"""Keys that one statement names; SQL Server takes 2,100 parameters."""

_NAMED: sa.BindParameter[Any] = sa.bindparam("the_records", expanding=True)

_KEPT = (
    sa.select(
        replay_item.c.number,
        replay_item.c.record.label("chosen_for"),
        replay_item.c.is_head,
        replay_item.c.group_key,
        lane_item.c.record.label("the_record"),
        lane_item.c.state.label("lane_state"),
        *COLUMNS,
    )
    .select_from(
        replay_item.join(messages, messages.c.number == replay_item.c.number).join(
            lane_item, lane_item.c.number == replay_item.c.number
        )
    )
    .where(replay_item.c.plan == sa.bindparam("the_plan"), replay_item.c.record.in_(_NAMED))
    .order_by(replay_item.c.record, *ORDER)
)

_CHOSEN = replay_item.alias("chosen")

_STRANGERS = (
    sa.select(lane_item.c.record)
    .distinct()
    .where(
        lane_item.c.record.in_(_NAMED),
        lane_item.c.state != word("done"),
        ~sa.exists().where(
            _CHOSEN.c.plan == sa.bindparam("the_plan"), _CHOSEN.c.number == lane_item.c.number
        ),
    )
)

_AGREED = sa.select(shadows.c.record, shadows.c.document, shadows.c.deleted_at).where(
    shadows.c.record.in_(_NAMED)
)

_PAIRS = sa.select(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id, crosswalk.c.row_id).where(
    crosswalk.c.state == word("paired")
)

_OF_ROWS = _PAIRS.where(crosswalk.c.row_id.in_(_NAMED)).order_by(
    crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id
)
_OF_KEYS = _PAIRS.where(crosswalk.c.legacy_id.in_(sa.bindparam("the_ids", expanding=True)))


def lanes_of(connection: sa.Connection, plan: int, records: Sequence[UUID]) -> list[LaneOfPlan]:
    """The messages of a plan in these records' lanes, and what stands in their way."""
    named = {"the_plan": plan, "the_records": list(records)}
    rows = connection.execute(_KEPT, named).all()
    # Items go by the record they were chosen for: a lane that moved since keeps its place in the plan.
    kept = defaultdict[UUID, list[Kept]](list)
    for row in rows:
        kept[row.chosen_for].append(_kept(row))
    strange = set(connection.execute(_STRANGERS, named).scalars())
    stuck = stuck_heads(connection, records)
    return [
        LaneOfPlan(record, kept[record], _ahead(kept[record], stuck.get(record)), record in strange)
        for record in records
    ]


def _ahead(kept: list[Kept], stuck: tuple[int, str] | None) -> str | None:
    """The message that a lane cannot go past, unless it is one of these."""
    is_ours = stuck is None or stuck[0] in {each.number for each in kept}
    return None if is_ours or stuck is None else stuck[1]


def known_of(connection: sa.Connection, records: Sequence[UUID], keys: Sequence[RecordKey]) -> Known:
    """What is agreed about records, and which rows these keys, and records these rows, are paired with."""
    agreed: dict[UUID, Shadow] = dict.fromkeys(records, Shadow())
    of_rows: dict[UUID, list[RecordKey]] = {record: [] for record in records}
    of_keys: dict[RecordKey, UUID | None] = dict.fromkeys(keys)
    for some in _pieces(list(of_rows)):
        for row in connection.execute(_AGREED, {"the_records": some}):
            agreed[row.record] = shadow_of(row.document, row.deleted_at)
        for pair in connection.execute(_OF_ROWS, {"the_records": some}):
            of_rows[pair.row_id].append(RecordKey(pair.system, pair.entity, pair.legacy_id))
    for ids in _pieces(list({key.id for key in keys})):
        for pair in connection.execute(_OF_KEYS, {"the_ids": ids}):
            key = RecordKey(pair.system, pair.entity, pair.legacy_id)
            if key in of_keys:
                of_keys[key] = pair.row_id
    return Known(agreed, of_rows, of_keys)


def _pieces(whole: list[Any]) -> list[list[Any]]:
    return [whole[start : start + _PIECE] for start in range(0, len(whole), _PIECE)]


def _kept(row: sa.Row[*tuple[Any, ...]]) -> Kept:
    return Kept(
        row.number, row.the_record, row.is_head, ItemState(row.lane_state), message_of(row), row.group_key
    )
