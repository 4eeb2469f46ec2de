"""The organisation behind the Web API: its tables, its rows, its clock, and what follows a commit."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from local.dataverse.api.upload_sessions import Sessions
from local.dataverse.faults import Faults
from local.dataverse.rows.caller import Origin
from local.dataverse.rows.privileges import Privileges
from local.dataverse.schema.catalog import Catalog
from local.dataverse.store.row import Row
from local.dataverse.store.rows import RowStore
from local.dataverse.store.transaction import Change, Transaction


class Subscribers(Protocol):
    """Whoever turns committed changes into messages."""

    def messages(self, change: Change) -> Iterable[tuple[str, str]]:
        """The messages a change causes: queue and JSON, written with the change."""

    def committed(self) -> None:
        """Messages may be waiting."""


class Nobody:
    """No subscriptions."""

    def messages(self, change: Change) -> Iterable[tuple[str, str]]:  # noqa: ARG002 - the port's shape
        """Nothing."""
        return ()

    def committed(self) -> None:
        """Nothing waits."""


@dataclass(slots=True)
class Organisation:
    """Everything an operation needs besides its request."""

    store: RowStore
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    subscribers: Subscribers
    privileges: Privileges = field(default_factory=Privileges)
    uploads: Sessions = field(default_factory=Sessions)
    faults: Faults = field(default_factory=Faults)

    @property
    def catalog(self) -> Catalog:
        """The tables."""
        return self.store.catalog

    def get(self, table: str, row_id: str) -> Row | None:
        """One committed row."""
        found = self.store.get(table, row_id)
        if found is None and table == "activitypointer":
            return next((row for row in self.rows(table) if row["activityid"] == row_id), None)
        return found

    def rows(self, table: str) -> Iterable[Row]:
        """All committed rows of a table; activitypointer shows those of every activity table."""
        if table == "activitypointer":
            return self._activities()
        return self.store.table(table).values()

    def members(self, pair: str) -> Iterable[tuple[str, str]]:
        """The linked ids of a many-to-many relationship."""
        return self.store.pairs.get(pair, set())

    def begin(self, origin: Origin) -> Transaction:
        """Start a set of changes."""
        return Transaction(self.store, origin)

    def commit(self, transaction: Transaction) -> None:
        """Make changes visible, with the messages they cause in the same transaction of the file."""
        if not transaction.changes:
            transaction.commit()
            return
        for change in transaction.changes:
            if not change.origin.silent:
                for queue, message in self.subscribers.messages(change):
                    transaction.send(queue, message)
        transaction.commit()
        if transaction.outbox:
            self.subscribers.committed()

    def _activities(self) -> Iterator[Row]:
        for table in self.catalog.tables.values():
            if table.is_activity and table.name != "activitypointer":
                yield from self.store.table(table.name).values()
