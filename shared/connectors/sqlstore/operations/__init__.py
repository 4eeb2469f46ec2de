"""What people ask of the state, and the few things they may do to it; one module per noun.

Reads answer with JSON-ready reports (instants as ISO 8601 text, ids as text). Every action writes an audit
line in its own transaction, or does nothing at all.
"""

from dataclasses import dataclass

from shared.connectors.sqlstore.operations.counts import Counts
from shared.connectors.sqlstore.operations.failures import Failures
from shared.connectors.sqlstore.operations.groups import Groups
from shared.connectors.sqlstore.operations.history import History
from shared.connectors.sqlstore.operations.messages import Messages
from shared.connectors.sqlstore.operations.repair import Repair
from shared.connectors.sqlstore.operations.standing import Standing
from shared.connectors.sqlstore.transactions import Database
from shared.core.ports import Clock


@dataclass(frozen=True, slots=True)
class Operations:
    """The operators' side of the state."""

    failures: Failures
    groups: Groups
    messages: Messages
    history: History
    repair: Repair
    counts: Counts
    standing: Standing


def operations_on(database: Database, clock: Clock) -> Operations:
    """The operators' side of a database."""
    return Operations(
        failures=Failures(database),
        groups=Groups(database, clock),
        messages=Messages(database, clock),
        history=History(database, clock),
        repair=Repair(database, clock),
        counts=Counts(database),
        standing=Standing(database, clock),
    )
