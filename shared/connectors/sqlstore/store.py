"""The state of the service, opened: one object per port."""

import asyncio
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from shared.connectors.sqlstore.casebook import SqlCases
from shared.connectors.sqlstore.crosswalk import SqlCrosswalk
from shared.connectors.sqlstore.disputes import SqlConflicts
from shared.connectors.sqlstore.drops import SqlSnapshots
from shared.connectors.sqlstore.engine import Credential, StoreMisconfigured, engine_for, is_in_memory
from shared.connectors.sqlstore.execution import Executor, Threads
from shared.connectors.sqlstore.imports import SqlImports
from shared.connectors.sqlstore.inbox import SqlInbox
from shared.connectors.sqlstore.jobs import SqlJobs
from shared.connectors.sqlstore.lanes import SqlLanes
from shared.connectors.sqlstore.operations import Operations, operations_on
from shared.connectors.sqlstore.overdue import SqlWaits
from shared.connectors.sqlstore.ownership import SqlOwners
from shared.connectors.sqlstore.pauses import SqlPauses
from shared.connectors.sqlstore.pending import SqlPendingWrites
from shared.connectors.sqlstore.plans import SqlPlanItems, SqlPlanReports, SqlPlans
from shared.connectors.sqlstore.record_owners import SqlRecordOwners
from shared.connectors.sqlstore.retention import Retention
from shared.connectors.sqlstore.sayings import SqlSayings
from shared.connectors.sqlstore.schema import prepare
from shared.connectors.sqlstore.seals import seal_in
from shared.connectors.sqlstore.shadows import SqlShadows
from shared.connectors.sqlstore.suspects import SqlGaps
from shared.connectors.sqlstore.transactions import Database, Transactions
from shared.connectors.sqlstore.watermarks import SqlCursors
from shared.core.ports import Clock, StoreUnavailable
from shared.core.seal import Seal

_CONNECTIONS = 5


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is kept. Close it when done."""

    engine: sa.Engine
    inbox: SqlInbox
    lanes: SqlLanes
    shadows: SqlShadows
    crosswalk: SqlCrosswalk
    owners: SqlOwners
    record_owners: SqlRecordOwners
    conflicts: SqlConflicts
    cases: SqlCases
    sayings: SqlSayings
    jobs: SqlJobs
    pauses: SqlPauses
    waits: SqlWaits
    cursors: SqlCursors
    gaps: SqlGaps
    snapshots: SqlSnapshots
    pending: SqlPendingWrites
    imports: SqlImports
    operations: Operations
    retention: Retention
    plans: SqlPlans
    plan_items: SqlPlanItems
    plan_reports: SqlPlanReports
    seal: Seal
    _executor: Executor

    def close(self) -> None:
        """Let running work end and close every connection."""
        if isinstance(self._executor, Threads):
            self._executor.close()
        self.engine.dispose()


def open_store(
    url: str,
    clock: Clock,
    *,
    credential: Credential | None = None,
    executor: Executor | None = None,
    owner: str | None = None,
    lease: timedelta = timedelta(seconds=120),
    grace: timedelta = timedelta(seconds=10),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Store:
    """Open the state at a SQLAlchemy URL: `sqlite:///file`, `sqlite://` (in memory), `mssql+pyodbc://...`.

    `credential` logs in to Azure SQL where the URL names no user. `executor` runs the SQL (default: threads
    of its own; `inline` for a simulation). `owner` names this process in leases; `lease` and `grace`
    are those of `SqlLanes`. Raises StoreMisconfigured when the database cannot be used as configured, and
    StoreUnavailable when it does not answer now.
    """
    parsed, engine = _engine_at(url, credential)
    transactions = Transactions(engine, time.sleep, random.random)
    seal = _readied(transactions)
    runs_on = executor or Threads(1 if is_in_memory(parsed) else _CONNECTIONS)
    database = Database(transactions, runs_on)
    lanes = SqlLanes(database, clock, owner or f"{os.getpid()}-{uuid.uuid4().hex[:8]}", lease, grace)
    return Store(
        engine=engine,
        inbox=SqlInbox(database, clock, lanes.take, sleep),
        lanes=lanes,
        shadows=SqlShadows(database, clock),
        crosswalk=SqlCrosswalk(database, clock, sleep),
        owners=SqlOwners(database, clock),
        record_owners=SqlRecordOwners(database, clock),
        conflicts=SqlConflicts(database, clock),
        cases=SqlCases(database, clock),
        sayings=SqlSayings(database),
        jobs=SqlJobs(database, clock),
        pauses=SqlPauses(database, clock),
        waits=SqlWaits(database, clock),
        cursors=SqlCursors(database, clock),
        gaps=SqlGaps(database, clock),
        snapshots=SqlSnapshots(database, clock),
        pending=SqlPendingWrites(database),
        imports=SqlImports(database, clock),
        operations=operations_on(database, clock),
        retention=Retention(database),
        plans=SqlPlans(database, clock),
        plan_items=SqlPlanItems(database, clock),
        plan_reports=SqlPlanReports(database, clock),
        seal=seal,
        _executor=runs_on,
    )


def _engine_at(url: str, credential: Credential | None) -> tuple[sa.URL, sa.Engine]:
    """What the URL says; what the parsers object with may quote a part of it, and with that a password."""
    try:
        parsed = sa.make_url(url)
        return parsed, engine_for(parsed, credential, _CONNECTIONS)
    except (ArgumentError, ValueError):
        form = "sqlite:///<file> or mssql+pyodbc://<server>/<database>?..."
        raise StoreMisconfigured(f"it is not of the form {form}") from None


def _readied(transactions: Transactions) -> Seal:
    """The database's seal, once its schema is at head; a database that cannot be used is let go of."""
    engine = transactions.engine
    try:
        prepare(engine)
        return seal_in(transactions)
    except (OperationalError, InterfaceError) as error:
        engine.dispose()
        raise StoreUnavailable("the database cannot be used now") from error
    except BaseException:
        engine.dispose()
        raise
