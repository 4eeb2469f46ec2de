"""A request on its way through the operations: the call, who makes it, and the transaction it shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.dataverse.api.organisation import Organisation
from local.dataverse.calls import Call, Preferences
from local.dataverse.odata.predicate import Scope
from local.dataverse.odata.rendering import Renderer
from local.dataverse.rows.caller import Origin
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table
from local.dataverse.store.transaction import Transaction


@dataclass(slots=True)
class Request:
    """One operation; inside a change set `shared` is the transaction of the whole set."""

    call: Call
    organisation: Organisation
    origin: Origin
    shared: Transaction | None = None

    @property
    def preferences(self) -> Preferences:
        """The Prefer header."""
        return self.call.preferences

    @property
    def renderer(self) -> Renderer:
        """How answers show rows."""
        return Renderer(self.organisation, self.preferences)

    def scope(self, table: Table) -> Scope:
        """What a filter over a table needs."""
        return Scope(table, self.organisation, self.organisation.clock(), self.origin.caller.user)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Write rules over a transaction that commits at the end, or with the change set."""
        transaction = self.shared
        if transaction is None:
            transaction = self.organisation.begin(self.origin)
        else:
            transaction.origin = self.origin
        organisation = self.organisation
        yield Writer(
            transaction,
            self.origin.caller,
            organisation.clock(),
            organisation.new_id,
            organisation.privileges,
        )
        if self.shared is None:
            organisation.commit(transaction)

    def reading(self) -> Transaction:
        """The rows as this operation sees them, without the intention to change any."""
        return self.shared or self.organisation.begin(self.origin)

    def entity_url(self, table: Table, key: str) -> str:
        """The absolute address of a row."""
        return f"{self.call.root}{table.set_name}({key})"
