"""What stands where, since when, and what stops it: the questions of somebody who was just woken up.

Nothing here names a customer's value: groups are told by cause, what is parked by the key it waits for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore import cases, disputes, record_owners
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.counts import is_behind
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import (
    failure_group,
    identity_pause,
    job_lease,
    lane_item,
    ticket,
    watermark,
)
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.pauses import left
from shared.core.ports import Clock, Report
from shared.core.record_owner import is_owner

_RECENT = timedelta(minutes=10)
"""How far back the lag of healthy traffic looks."""

_SAMPLE = 5000
"""How many of the newest messages that lag is taken from."""

_TOP = 3
"""How many of the keys that most wait for are named."""

_BY_STATE = (
    sa.select(
        lane_item.c.state, sa.func.count().label("size"), sa.func.min(messages.c.received_at).label("oldest")
    )
    .join(messages, messages.c.number == lane_item.c.number)
    .where(lane_item.c.state != word("done"))
    .group_by(lane_item.c.state)
)

_LAGS = (
    sa.select(messages.c.received_at, messages.c.finished_at)
    .join(lane_item, lane_item.c.number == messages.c.number)
    .where(
        messages.c.received_at >= sa.bindparam("since"),
        messages.c.finished_at.is_not(None),
        lane_item.c.attempts == 0,
    )
    .order_by(messages.c.received_at.desc())
    .limit(_SAMPLE)
)

_STOPPED = (
    sa.select(
        lane_item.c.group_key,
        sa.func.count().label("heads"),
        sa.func.sum(sa.case((lane_item.c.state == word("held"), ONE), else_=0)).label("held"),
        sa.func.min(lane_item.c.first_failed_at).label("since"),
    )
    .where(
        lane_item.c.state != word("done"),
        lane_item.c.state.in_([word("held"), word("retrying")]),
        lane_item.c.group_key.is_not(None),
    )
    .group_by(lane_item.c.group_key)
)

_UNITS = (
    sa.select(lane_item.c.group_key, lane_item.c.unit, sa.func.count().label("size"))
    .where(
        lane_item.c.state != word("done"),
        lane_item.c.state.in_([word("held"), word("retrying")]),
        lane_item.c.unit.is_not(None),
    )
    .group_by(lane_item.c.group_key, lane_item.c.unit)
)

_HEAD = lane_item.alias("head")

_FOLLOWERS = (
    sa.select(_HEAD.c.group_key, sa.func.count(lane_item.c.number.distinct()).label("size"))
    .join(_HEAD, is_behind(_HEAD))
    .where(
        lane_item.c.state == word("waiting"),
        lane_item.c.state != word("done"),
        _HEAD.c.state != word("done"),
        _HEAD.c.state.in_([word("held"), word("retrying")]),
    )
    .group_by(_HEAD.c.group_key)
)

_PARKED = (
    sa.select(lane_item.c.waits_on, sa.func.count().label("size"))
    .where(lane_item.c.state == word("parked"), lane_item.c.state != word("done"))
    .group_by(lane_item.c.waits_on)
    .order_by(sa.desc("size"), lane_item.c.waits_on)
)

_TICKETS = (
    sa.select(ticket.c.id, ticket.c.team, ticket.c.fingerprint, ticket.c.opened_at, ticket.c.told_count)
    .where(ticket.c.closed_at.is_(None))
    .order_by(ticket.c.opened_at)
)

_FINAL = [outcome.value for outcome in Outcome if outcome.is_final]
_IS_OVER = sa.and_(messages.c.outcome.is_not(None), messages.c.outcome.in_(_FINAL))
_IS_OPEN = sa.and_(lane_item.c.state.is_not(None), lane_item.c.state != word("done"))

_IS_NOT_OVER = sa.or_(messages.c.outcome.is_(None), messages.c.outcome.not_in(_FINAL))
_IS_NOT_OPEN = sa.or_(lane_item.c.state.is_(None), lane_item.c.state == word("done"))

_STRAYS = (
    sa.select(
        messages.c.message_id, messages.c.original_id, messages.c.queue, lane_item.c.state, messages.c.outcome
    )
    .outerjoin(lane_item, lane_item.c.number == messages.c.number)
    .where(sa.or_(sa.and_(_IS_OVER, _IS_OPEN), sa.and_(_IS_NOT_OVER, _IS_NOT_OPEN)))
    .order_by(messages.c.number)
    .limit(10)
)

_SENT = ("message", "value", "parent")
"""Families of codes that are the sender's to put right."""

_FEEDS = sa.select(watermark.c.name, watermark.c.moved_at).order_by(watermark.c.name)
_PAUSES = sa.select(identity_pause).order_by(identity_pause.c.name)
_JOBS = sa.select(job_lease.c.name, job_lease.c.lease_until)


@dataclass(frozen=True, slots=True)
class Standing:
    """Reads what is under way and what is stopped."""

    database: Database
    clock: Clock

    async def take(self) -> Report:
        """Everything of one moment: `states`, `lag`, `stopped`, `pauses`, `parked`, `owners`, `asked`,
        `tickets`, `feeds`, `strays`.

        Ages and lags are seconds; `asked` counts what waits for a person's decision; a stray is a message
        that has both an outcome and a place, or neither.
        """
        now = self.clock.now()

        def work(connection: sa.Connection) -> Report:
            return {
                "states": _states(connection, now),
                "lag": _lag(connection, now),
                "stopped": _stopped(connection, now),
                "pauses": _pauses(connection, now),
                "parked": _parked(connection),
                "owners": record_owners.standing(connection, now),
                "asked": {
                    "conflicts": disputes.to_decide(connection),
                    "matches": cases.to_decide(connection),
                },
                "tickets": [
                    {
                        "ticket": row.id,
                        "team": row.team,
                        "group": row.fingerprint,
                        "opened_at": shown.at(row.opened_at),
                        "told": row.told_count,
                    }
                    for row in connection.execute(_TICKETS)
                ],
                "feeds": _feeds(connection, now),
                "strays": [
                    {
                        "message_id": shown.message_id(row),
                        "queue": row.queue,
                        "state": row.state,
                        "outcome": row.outcome,
                    }
                    for row in connection.execute(_STRAYS)
                ],
            }

        return await self.database.read(work)


def _states(connection: sa.Connection, now: datetime) -> dict[str, Report]:
    return {
        row.state: {"count": row.size, "oldest_seconds": _age(row.oldest, now)}
        for row in sorted(connection.execute(_BY_STATE), key=lambda row: str(row.state))
    }


def _lag(connection: sa.Connection, now: datetime) -> Report:
    """How long healthy messages took from arrival to outcome; nulls when none went through."""
    rows = connection.execute(_LAGS, {"since": now - _RECENT}).all()
    took = sorted((row.finished_at - row.received_at).total_seconds() for row in rows)
    return {
        "minutes": int(_RECENT.total_seconds() // 60),
        "messages": len(took),
        "p50_seconds": _share(took, 0.5),
        "p95_seconds": _share(took, 0.95),
    }


def _share(took: Sequence[float], share: float) -> float | None:
    return round(took[min(len(took) - 1, int(share * len(took)))], 3) if took else None


def _stopped(connection: sa.Connection, now: datetime) -> list[Report]:
    """Why lanes stand still, the cause with the most messages first."""
    followers = {row.group_key: row.size for row in connection.execute(_FOLLOWERS)}
    units: dict[str, dict[str, int]] = {}
    for row in connection.execute(_UNITS):
        units.setdefault(row.group_key, {})[row.unit] = row.size
    heads = {row.group_key: row for row in connection.execute(_STOPPED)}
    named = connection.execute(sa.select(failure_group).where(failure_group.c.fingerprint.in_(list(heads))))
    found: list[dict[str, Any]] = []
    for group in named:
        row = heads[group.fingerprint]
        found.append(
            {
                "group": group.fingerprint,
                **shown.explained(group.code),
                "whose": _whose(group.code),
                "table": group.table_name,
                "field": group.field,
                "rule": group.rule,
                "heads": row.heads,
                "held": row.held,
                "followers": followers.get(group.fingerprint, 0),
                "units": units.get(group.fingerprint, {}),
                "since": shown.at(row.since),
                "for_seconds": _age(row.since, now),
                "ticket": group.ticket_id,
            }
        )
    return sorted(found, key=lambda entry: (-(entry["heads"] + entry["followers"]), entry["group"]))


def _pauses(connection: sa.Connection, now: datetime) -> list[Report]:
    """The identities that pause now, and until when."""
    return [
        {"identity": row.name, "until": shown.at(row.until), "for_seconds": round(lasts, 1)}
        for row in connection.execute(_PAUSES)
        if (lasts := left(row.until, now).total_seconds()) > 0
    ]


def _whose(code: str) -> str:
    """Whose it is to put right: the far side, the sender, or we."""
    family = Code(code).value.partition(".")[0]
    return {**dict.fromkeys(("target", "import"), "them"), **dict.fromkeys(_SENT, "sender")}.get(family, "us")


def _parked(connection: sa.Connection) -> list[Report]:
    """What is waited for, by entity, with the keys most wait for; owners are counted by themselves."""
    wanted: dict[str, list[tuple[str, int]]] = {}
    for row in connection.execute(_PARKED):
        key = RecordKey.parse(row.waits_on or "")
        if is_owner(key):
            continue
        entity = f"{key.system}:{key.entity}" if key else "a row"
        wanted.setdefault(entity, []).append((row.waits_on or "", row.size))
    return [
        {
            "entity": entity,
            "messages": sum(size for _, size in keys),
            "keys": len(keys),
            "top": [{"key": shown.key(key), "messages": size} for key, size in keys[:_TOP]],
        }
        for entity, keys in sorted(wanted.items(), key=lambda item: -sum(size for _, size in item[1]))
    ]


def _feeds(connection: sa.Connection, now: datetime) -> list[Report]:
    """Feeds: when each brought something last, and the end of its runner's lease."""
    leases = {row.name: row.lease_until for row in connection.execute(_JOBS)}
    return [
        {
            "feed": row.name,
            "moved_at": shown.at(row.moved_at),
            "moved_seconds": _age(row.moved_at, now),
            "lease_until": shown.at(leases.get(row.name)),
        }
        for row in connection.execute(_FEEDS)
    ]


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round(max(0.0, (now - since).total_seconds()), 1)
