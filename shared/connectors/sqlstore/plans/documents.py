"""Selections and policies of plans as JSON text, and plans as they are read back."""

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.core.plan import Plan, PlanState, Policy, Selection


def selection_text(selection: Selection) -> str:
    """A selection as JSON."""
    return json.dumps(selection.told())


def selection_of(text: str) -> Selection:
    """The selection of its JSON."""
    told: dict[str, Any] = json.loads(text)
    return Selection(
        groups=tuple(told["groups"]),
        systems=tuple(told["systems"]),
        entities=tuple(told["entities"]),
        records=tuple(told["records"]),
        since=_instant(told["since"]),
        until=_instant(told["until"]),
        everything=told["everything"],
    )


def policy_text(policy: Policy) -> str:
    """A policy as JSON."""
    return json.dumps(policy.told())


def policy_of(text: str | None) -> Policy | None:
    """The policy of its JSON."""
    if text is None:
        return None
    told: dict[str, Any] = json.loads(text)
    return Policy(
        told["canary"], told["rate"], told["stop_percent"], timedelta(seconds=float(told["stop_lag"]))
    )


def plan_of(row: sa.Row[*tuple[Any, ...]]) -> Plan:
    """The plan of its row."""
    return Plan(
        number=row.number,
        state=PlanState(row.state),
        selection=selection_of(row.selection),
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        fence=row.fence,
        wave=row.wave,
        sent=row.sent,
        policy=policy_of(row.policy),
        sent_at=row.sent_at,
        started_at=row.started_at,
        started_by=row.started_by,
        counted_from=row.counted_from,
        ended_at=row.ended_at,
        reason=row.reason,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
