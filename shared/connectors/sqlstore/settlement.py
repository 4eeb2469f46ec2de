"""The one transaction in which a verdict becomes fact (design: one SQL transaction per applied change).

It is guarded twice: by the lane's fence, so that a worker that was overtaken writes nothing, and by the state
the item was decided in, so that what a person did to it meanwhile (skip, replay) is not undone.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import (
    cases,
    conflicts,
    disputes,
    failing,
    heads,
    heirs,
    pending,
    record_owners,
    splits,
    waiting,
)
from shared.connectors.sqlstore.pairing import pair
from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import journal, lane, lane_item, shadow
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import changes_text, dumps, faults_text, shadow_text
from shared.core.outcome import Outcome
from shared.core.ports import LeaseLost
from shared.core.shadow import Shadow
from shared.core.verdict import ItemState, LaneItem, Lease, Settled, Verdict

IS_OURS = sa.and_(lane.c.record == sa.bindparam("the_record"), lane.c.fence == sa.bindparam("the_fence"))
"""Whether a lease is still the newest of its lane."""

RELEASE = sa.update(lane).where(IS_OURS).values(owner=None, lease_until=None)
"""A lease given back; one that was overtaken changes nothing."""

_GUARD = sa.update(lane).where(IS_OURS).values(version=lane.c.version + ONE, owner=None, lease_until=None)
"""The lane is given back in the statement that proves it ours: nobody sees that before the commit."""

_KEEP = (
    sa.update(lane).where(IS_OURS).values(owner=sa.bindparam("the_owner"), lease_until=sa.bindparam("until"))
)
"""The lane is kept after all, because it goes on."""

_MOVE = sa.update(lane_item).where(
    lane_item.c.number == sa.bindparam("the_number"),
    lane_item.c.record == sa.bindparam("the_record"),
    lane_item.c.state == sa.bindparam("the_state"),
    lane_item.c.attempts == sa.bindparam("the_attempts"),
)

_CONCLUDE = sa.update(messages).where(messages.c.number == sa.bindparam("the_number"))

_COPIED = ("changed_at", "origin", "actor", "correlation_id")

_DECIDED = {
    name: sa.bindparam(f"new_{name}", type_=journal.c[name].type)
    for name in (
        "number",
        "record",
        "at",
        "source",
        "entity",
        "source_id",
        "outcome",
        "reason",
        "changes",
        "map_version",
        "fence",
        "decided_in",
    )
}

_NOTE = sa.insert(journal).from_select(
    [*_DECIDED, *_COPIED],
    sa.select(
        *_DECIDED.values(),
        messages.c.changed_at,
        messages.c.source,
        messages.c.actor,
        messages.c.correlation_id,
    ).where(messages.c.number == sa.bindparam("the_number")),
)
"""A journal line, with what the message itself says copied on the way."""

_AGREE = sa.update(shadow).where(shadow.c.record == sa.bindparam("the_record"))
_AGREE_FIRST = sa.insert(shadow)


def settle(
    lease: Lease,
    item: LaneItem,
    verdict: Verdict,
    connection: sa.Connection,
    *,
    now: datetime,
    lease_until: datetime,
) -> Settled:
    """Write everything a verdict means, then take the lane's next item or give the lane back.

    Raises LeaseLost when the fence has moved on or the item is no longer what was decided on. May raise
    IntegrityError when somebody inserts the same key: begin the transaction again.
    """
    guard = {"the_record": lease.record, "the_fence": lease.fence}
    if connection.execute(_GUARD, guard).rowcount == 0:
        raise LeaseLost
    if verdict.goes_to is not None:
        return _hand_on(connection, lease, item, verdict.goes_to, alone=verdict.goes_alone)
    released: list[UUID] = []
    pending.follow(connection, item, verdict, now)
    place = _place(item, verdict, now)
    if verdict.waits_for is not None and verdict.outcome is Outcome.PARKED:
        wait = waiting.park(connection, item, (verdict.waits_for, verdict.waits_in), now)
        place |= wait.columns
        if wait.goes_on:
            released.append(item.record)
    _move(connection, item, place)
    _note(connection, lease, item, verdict, now)
    released += _carry_out(connection, lease, item, verdict, now)
    following = heads.next_in(connection, lease.record, now)
    if following is not None:
        connection.execute(_KEEP, guard | {"the_owner": lease.owner, "until": lease_until})
    return Settled(tuple(dict.fromkeys(released)), following)


def _carry_out(
    connection: sa.Connection, lease: Lease, item: LaneItem, verdict: Verdict, now: datetime
) -> list[UUID]:
    """What a verdict means beside its item: agreed values, conflicts, pairs; returns the lanes set free."""
    released: list[UUID] = []
    if verdict.shadow is not None:
        _agree(connection, lease, verdict.shadow, now)
    if verdict.collisions:
        conflicts.keep(connection, item.number, item.record, verdict.collisions, now)
    disputes.follow(connection, item.record, verdict.collisions, verdict.ended, now)
    if verdict.absorbs is not None:
        released += heirs.take_over(connection, item, verdict.absorbs, now)
    for key, row_id in verdict.pairs:
        if pair(connection, key, row_id, now):
            released += waiting.release(connection, key, row_id)
    if verdict.prints is not None:
        cases.notice(connection, item.record, verdict.prints, now)
    if verdict.splits is not None:
        splits.split(connection, item, verdict.splits, verdict.map_version, now)
        released += [verdict.splits.row]
    if verdict.case is not None and verdict.outcome.is_final:
        cases.end(connection, verdict.case, verdict.reason, now)
    if verdict.failing is not None:
        failing.note_group(connection, verdict.failing, now)
    return released


def _hand_on(connection: sa.Connection, lease: Lease, item: LaneItem, heir: UUID, *, alone: bool) -> Settled:
    """Everything open in this lane, or the item alone, is another's to decide; nothing is decided here.

    Where that one was merged into this very record, the two are turned round.
    """
    _move(connection, item, {"state": ItemState.WAITING.value, "due_at": None})
    if alone:
        heirs.revive(connection, heir, lease.record)
        heirs.move_item(connection, item.number, heir)
    else:
        heirs.move_lane(connection, lease.record, heir)
    return Settled((heir,))


def _place(item: LaneItem, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """Where the item stands after a verdict."""
    columns: dict[str, Any] = {"due_at": None, "waits_on": None, "without": None, "is_failing": False}
    columns |= {"unit": verdict.unit or None, "phases": None}
    found = verdict.failing
    if verdict.outcome is Outcome.PARKED and verdict.waits_for is not None:
        return columns | {"state": ItemState.PARKED.value} | (failing.columns(found, now) if found else {})
    if verdict.outcome is Outcome.FAILED and found is not None:
        retry = found.retry_in
        if retry is not None:
            # What was noted before the write began stands while it is tried again.
            del columns["phases"]
            columns |= {"phases": dumps({**verdict.phases, **item.phases})} if verdict.phases else {}
        return columns | {
            "state": (ItemState.HELD if retry is None else ItemState.RETRYING).value,
            "due_at": None if retry is None else now + retry,
            "attempts": item.attempts + 1,
            **failing.columns(found, now),
        }
    if verdict.outcome is Outcome.HELD and found is not None:
        return columns | {"state": ItemState.ASIDE.value, **failing.columns(found, now)}
    if verdict.outcome.is_final:
        columns["state"] = ItemState.DONE.value
        return columns if found is None else columns | failing.columns(found, now)
    raise ValueError(f"a verdict of {verdict.outcome} lacks what it failed on or waits for")


def _move(connection: sa.Connection, item: LaneItem, place: dict[str, Any]) -> None:
    decided_on = {
        "the_number": item.number,
        "the_record": item.record,
        "the_state": item.state.value,
        "the_attempts": item.attempts,
    }
    statement = _MOVE
    if "first_failed_at" in place:
        now = sa.literal(place.pop("first_failed_at"), lane_item.c.first_failed_at.type)
        first = sa.func.coalesce(lane_item.c.first_failed_at, now)
        statement = statement.values(first_failed_at=first)
    if connection.execute(statement, place | decided_on).rowcount == 0:
        raise LeaseLost


def _note(connection: sa.Connection, lease: Lease, item: LaneItem, verdict: Verdict, now: datetime) -> None:
    """The journal line, the message's outcome, and the owner it names who is no user."""
    if verdict.unmatched is not None:
        record_owners.note(connection, verdict.unmatched, now)
    subject = verdict.subject
    line = {
        "number": item.number,
        "record": item.record,
        "at": now,
        "source": subject.system,
        "entity": subject.entity,
        "source_id": subject.id,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "changes": changes_text(verdict.changes),
        "map_version": verdict.map_version,
        "fence": lease.fence,
        "decided_in": dumps(verdict.decided_in) if verdict.decided_in else None,
    }
    connection.execute(
        _NOTE, {f"new_{name}": value for name, value in line.items()} | {"the_number": item.number}
    )
    connection.execute(
        _CONCLUDE,
        {
            "the_number": item.number,
            "outcome": verdict.outcome.value,
            "reason": verdict.reason,
            "faults": faults_text(verdict.failing.faults if verdict.failing else ()),
            "finished_at": now if verdict.outcome.is_final else None,
        },
    )


def _agree(connection: sa.Connection, lease: Lease, agreed: Shadow, now: datetime) -> None:
    """The lane's fence makes us the only writer of this shadow, so update-then-insert cannot race."""
    columns = {
        "document": shadow_text(agreed),
        "deleted_at": agreed.deleted_at,
        "owed": str(agreed.owed.key) if agreed.owed else None,
        "fence": lease.fence,
        "saved_at": now,
    }
    if connection.execute(_AGREE, columns | {"the_record": lease.record}).rowcount == 0:
        connection.execute(_AGREE_FIRST, columns | {"record": lease.record})
