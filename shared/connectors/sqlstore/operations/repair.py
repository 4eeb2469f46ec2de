"""What a person may do about one message: replay it, release it, skip it, or put another in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore import waiting
from shared.connectors.sqlstore.arrivals import place, touch
from shared.connectors.sqlstore.messages import (
    COLUMNS,
    arrival_columns,
    message_of,
    parsed_columns,
    stored_id,
)
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.tables import journal, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps
from shared.core.change import Direction, Message
from shared.core.identity import DATAVERSE
from shared.core.outcome import Outcome
from shared.core.ports import Clock
from shared.core.repair import Done, Edited, Repaired
from shared.core.verdict import ItemState

_KEEP = sa.insert(messages).returning(messages.c.number)

_CHOSEN = (
    sa.select(
        messages.c.number,
        messages.c.outcome,
        messages.c.record,
        messages.c.source,
        messages.c.entity,
        messages.c.source_id,
        messages.c.changed_at,
        messages.c.correlation_id,
        messages.c.refused_in,
        lane_item.c.state,
        lane_item.c.is_failing,
        *COLUMNS,
    )
    .outerjoin(lane_item, lane_item.c.number == messages.c.number)
    .order_by(messages.c.is_first.desc(), messages.c.number)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Repair:
    """Repairs. A message is named by its id, or, where an id was used twice, by its number."""

    database: Database
    clock: Clock

    async def replay(self, message_id: str, actor: str, *, number: int | None = None) -> Repaired:
        """Let a held, retrying, parked or rejected message go on now; its attempts are kept.

        A finished message is left alone: replaying twice is one replay.
        """
        now = self.clock.now()
        return await self.database.write(lambda c: _replayed(c, message_id, number, actor, now))

    async def replay_all(self, chosen: Sequence[tuple[str, int]], actor: str) -> Sequence[Repaired]:
        """The same for many messages by id and number, in one transaction: all of them, or none."""
        now = self.clock.now()
        return await self.database.write(
            lambda c: [_replayed(c, message_id, number, actor, now) for message_id, number in chosen]
        )

    async def skip(self, message_id: str, reason: str, actor: str, *, number: int | None = None) -> Repaired:
        """Let the lane go on without a message, for a reason that is kept with it."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Repaired:
            row = _choose(connection, message_id, number)
            if row is None:
                return Repaired(Done.UNKNOWN)
            if row.refused_in is not None:
                _acknowledge(connection, row.number)
                _note(connection, row, "acknowledge", Outcome.REJECTED, actor, reason, now)
                return Repaired(Done.ACKNOWLEDGED, outcome=Outcome.REJECTED)
            if _is_over(row):
                return Repaired(Done.FINISHED, row.record, _direction(row), Outcome(row.outcome))
            _supersede(connection, row, reason, actor, now)
            _note(connection, row, "skip", Outcome.SUPERSEDED, actor, reason, now)
            return Repaired(Done.SKIPPED, row.record, _direction(row), Outcome.SUPERSEDED)

        return await self.database.write(work)

    async def release(self, message_id: str, reason: str, actor: str) -> Repaired:
        """Let a message that was set aside go on with the time it claims: `actor` vouches for it."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Repaired:
            row = _choose(connection, message_id, None)
            if row is None:
                return Repaired(Done.UNKNOWN)
            if row.state != ItemState.ASIDE:
                return Repaired(Done.NOT_ASIDE, row.record, _direction(row), _outcome(row))
            _put_back(connection, row, vouched_by=actor)
            _note(connection, row, "release", ItemState.WAITING, actor, reason, now)
            return Repaired(Done.QUEUED, row.record, _direction(row))

        return await self.database.write(work)

    async def supersede(self, message_id: str, by: str, reason: str, actor: str) -> Repaired:
        """Let another message of the same record, already here, stand for this one."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Repaired:
            row = _choose(connection, message_id, None)
            if row is None:
                return Repaired(Done.UNKNOWN)
            if _is_over(row):
                return Repaired(Done.FINISHED, row.record, _direction(row), _outcome(row))
            other = _choose(connection, by, None)
            if other is None or other.record != row.record or other.number == row.number:
                return Repaired(Done.UNRELATED, row.record, _direction(row), _outcome(row))
            _supersede(connection, row, f"{reason} (replaced by {by})", actor, now)
            _note(connection, row, "supersede", by, actor, reason, now)
            return Repaired(Done.SKIPPED, row.record, _direction(row), Outcome.SUPERSEDED)

        return await self.database.write(work)

    async def original(self, message_id: str) -> tuple[int, Message] | Repaired:
        """A message that may be edited, with its number; else why it may not be."""

        def work(connection: sa.Connection) -> tuple[int, Message] | Repaired:
            row = _choose(connection, message_id, None)
            if row is None:
                return Repaired(Done.UNKNOWN)
            if _is_over(row):
                return Repaired(Done.FINISHED, row.record, _direction(row), _outcome(row))
            if row.body is None:
                return Repaired(Done.PURGED, row.record, _direction(row), _outcome(row))
            return row.number, message_of(row)

        return await self.database.read(work)

    async def put_in_place(self, edited: Edited, reason: str, actor: str) -> Repaired:
        """Let an edited copy take its original's place in the lane; the original is kept as it was."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Repaired:
            row = connection.execute(_CHOSEN.where(messages.c.number == edited.original)).one()
            if _is_over(row):
                return Repaired(Done.FINISHED, row.record, _direction(row), _outcome(row))
            stands = f"{reason} (replaced by {edited.message.id})"
            if row.state is None:
                _acknowledge(connection, row.number)
                connection.execute(
                    sa.update(messages)
                    .where(messages.c.number == row.number)
                    .values(outcome=Outcome.SUPERSEDED, reason=stands, finished_at=now)
                )
            else:
                _supersede(connection, row, stands, actor, now)
            _insert_copy(connection, edited, row, now)
            _note(connection, row, "edit", edited.message.id, actor, reason, now)
            direction = edited.change.direction
            return Repaired(Done.REPLACED, edited.record, direction, message=edited.message)

        return await self.database.write(work)


def _replayed(
    connection: sa.Connection, message_id: str, number: int | None, actor: str, now: datetime
) -> Repaired:
    row = _choose(connection, message_id, number)
    if row is None:
        return Repaired(Done.UNKNOWN)
    if row.state is None and row.outcome == Outcome.REJECTED:
        return _reopen(connection, row, actor, now)
    if row.state == ItemState.DONE and not row.is_failing:
        return Repaired(Done.FINISHED, row.record, _direction(row), Outcome(row.outcome))
    if row.state != ItemState.WAITING:
        _put_back(connection, row)
        _note(connection, row, "replay", ItemState.WAITING, actor, None, now)
    return Repaired(Done.QUEUED, row.record, _direction(row))


def _choose(
    connection: sa.Connection, message_id: str, number: int | None
) -> sa.Row[*tuple[Any, ...]] | None:
    statement = _CHOSEN.where(messages.c.message_id == stored_id(message_id))
    if number is not None:
        statement = statement.where(messages.c.number == number)
    return connection.execute(statement).one_or_none()


def _direction(row: sa.Row[*tuple[Any, ...]]) -> Direction | None:
    if row.source is None:
        return None
    return Direction.OUTBOUND if row.source == DATAVERSE else Direction.INBOUND


def _outcome(row: sa.Row[*tuple[Any, ...]]) -> Outcome | None:
    return Outcome(row.outcome) if row.outcome else None


def _is_over(row: sa.Row[*tuple[Any, ...]]) -> bool:
    """Whether nobody need do anything about a message any more, or can."""
    if row.state is None:
        return bool(row.outcome != Outcome.REJECTED)
    return bool(row.state == ItemState.DONE and not row.is_failing)


def _acknowledge(connection: sa.Connection, number: int) -> None:
    """A refused message stays refused, and somebody has seen to it."""
    connection.execute(sa.update(messages).where(messages.c.number == number).values(refused_in=None))


def _insert_copy(
    connection: sa.Connection, edited: Edited, original: sa.Row[*tuple[Any, ...]], now: datetime
) -> None:
    """The copy's own row, and its place: where the original stood, or where its corrected time puts it."""
    fields = {pointer: {"before": f.before, "after": f.after} for pointer, f in edited.fields.items()}
    columns = arrival_columns(edited.message) | parsed_columns(edited.change)
    columns |= {
        "received_at": now,
        "is_first": True,
        "record": edited.record,
        "replaces": original.number,
        "edits": dumps(fields),
    }
    number = connection.execute(_KEEP, columns).scalar_one()
    place(connection, number, edited.record, edited.change, edited.message)


def _reopen(connection: sa.Connection, row: sa.Row[*tuple[Any, ...]], actor: str, now: datetime) -> Repaired:
    """Until the gate has spoken again the message stays refused, so a crash in between loses nothing."""
    if row.body is None:
        return Repaired(Done.PURGED, outcome=Outcome.REJECTED)
    connection.execute(sa.update(messages).where(messages.c.number == row.number).values(is_reopened=True))
    _note(connection, row, "replay", "reopened", actor, None, now)
    return Repaired(Done.READMIT, message=message_of(row), outcome=Outcome.REJECTED)


def _put_back(
    connection: sa.Connection, row: sa.Row[*tuple[Any, ...]], vouched_by: str | None = None
) -> None:
    """The item counts as failing until it is decided again: a replay under way is not yet a success."""
    waiting.forget(connection, row.number)
    connection.execute(
        sa.update(lane_item)
        .where(lane_item.c.number == row.number)
        .values(state=ItemState.WAITING, due_at=None, waits_on=None, vouched_by=vouched_by)
    )
    connection.execute(
        sa.update(messages)
        .where(messages.c.number == row.number)
        .values(outcome=None, reason=None, faults=None, finished_at=None)
    )
    touch(connection, row.record)


def _supersede(
    connection: sa.Connection, row: sa.Row[*tuple[Any, ...]], reason: str, actor: str, now: datetime
) -> None:
    waiting.forget(connection, row.number)
    connection.execute(
        sa.update(lane_item)
        .where(lane_item.c.number == row.number)
        .values(state=ItemState.DONE, due_at=None, waits_on=None, is_failing=False)
    )
    connection.execute(
        sa.update(messages)
        .where(messages.c.number == row.number)
        .values(outcome=Outcome.SUPERSEDED, reason=reason, finished_at=now)
    )
    connection.execute(
        sa.insert(journal),
        {
            "number": row.number,
            "record": row.record,
            "at": now,
            "source": row.source,
            "entity": row.entity,
            "source_id": row.source_id,
            "outcome": Outcome.SUPERSEDED,
            "reason": reason,
            "changes": "{}",
            "map_version": "",
            "changed_at": row.changed_at,
            "origin": row.source,
            "actor": actor,
            "correlation_id": row.correlation_id,
            "fence": 0,
        },
    )
    touch(connection, row.record)


def _note(
    connection: sa.Connection,
    row: sa.Row[*tuple[Any, ...]],
    action: str,
    became: str,
    actor: str,
    reason: str | None,
    now: datetime,
) -> None:
    deed = Deed(
        actor=actor,
        action=action,
        entity="message",
        key=str(row.number),
        was=row.outcome if row.state in {None, ItemState.DONE} else row.state,
        became=became,
        reason=reason,
        correlation_id=row.correlation_id,
    )
    note(connection, deed, now)
