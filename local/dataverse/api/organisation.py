"""The organisation behind the Web API: its tables, its rows, its clock, and what follows a commit."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from local.dataverse.api.upload_sessions import Sessions
from local.dataverse.api.virtual import virtual_rows
from local.dataverse.calls import Call
from local.dataverse.faults import Faults, Sighting
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
    privileges: Privileges = field(init=False)
    uploads: Sessions = field(default_factory=Sessions)
    faults: Faults = field(default_factory=Faults)
    # Rows created, changed and deleted, by set; those the service writes by its own hand are among them.
    written: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.privileges = Privileges(self.store)

    @property
    def catalog(self) -> Catalog:
        """The tables."""
        return self.store.catalog

    def get(self, table: str, row_id: str) -> Row | None:
        """One committed row."""
        found = self.store.get(table, row_id)
        made = virtual_rows(self.store, table) if found is None else None
        if made is None:
            return found
        id_column = self.catalog.tables[table].id_column
        return next((row for row in made if row[id_column] == row_id), None)

    def rows(self, table: str) -> Iterable[Row]:
        """All committed rows of a table, or those it is made of."""
        made = virtual_rows(self.store, table)
        return made if made is not None else self.store.table(table).values()

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
            self.privileges.committed(set())
            return
        for change in transaction.changes:
            if not change.origin.silent:
                for queue, message in self.subscribers.messages(change):
                    transaction.send(queue, message)
        transaction.commit()
        self.written.update(self.catalog.tables[change.table].set_name for change in transaction.changes)
        self.privileges.committed({change.table for change in transaction.changes})
        if transaction.outbox:
            self.subscribers.committed()


def sighting(organisation: Organisation, call: Call, user: str) -> Sighting:
    """The names a fault may choose a call by."""
    name = call.path.partition("/")[0].partition("(")[0]
    table = organisation.catalog.by_set(name)
    row = organisation.store.get("systemuser", user) or {}
    ids = (user, row.get("applicationid"), row.get("azureactivedirectoryobjectid"))
    return Sighting(
        tables=frozenset({name, table.name} if table is not None else {name}),
        users=frozenset(str(value).lower() for value in ids if value),
    )
