"""Who did what to the state; written in the transaction of the deed itself."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import audit_event


@dataclass(frozen=True, slots=True)
class Deed:
    """One action of a person: `actor` did `action` to the `entity` called `key`, which `was` and `became`."""

    actor: str
    action: str
    entity: str
    key: str
    was: str | None = None
    became: str | None = None
    reason: str | None = None
    correlation_id: str | None = None


def note(connection: sa.Connection, deed: Deed, now: datetime) -> None:
    """Write the audit line."""
    connection.execute(
        # Inline: to have the new id told would need the right to read the table, which the app does not have.
        sa.insert(audit_event).inline(),
        {
            "at": now,
            "actor": deed.actor,
            "action": deed.action,
            "entity": deed.entity,
            "entity_key": deed.key,
            "was": deed.was,
            "became": deed.became,
            "reason": deed.reason,
            "correlation_id": deed.correlation_id,
        },
    )
