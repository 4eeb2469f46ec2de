"""The state in SQL: SQLite in a file, or Azure SQL; one definition, one set of statements for both."""

from shared.connectors.sqlstore.engine import StoreMisconfigured
from shared.connectors.sqlstore.execution import inline
from shared.connectors.sqlstore.store import Store, open_store

__all__ = ["Store", "StoreMisconfigured", "inline", "open_store"]
