"""The world the store's suite runs in: a SQLite file, or the server named by SYNC_TEST_MSSQL_URL."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from shared.connectors.sqlstore import Store, open_store
from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.schema import upgrade
from shared.connectors.sqlstore.tables import METADATA
from shared.core.change import Change, Message, Operation
from shared.core.codes import Code
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.verdict import Failing, LaneItem, Lease, Receipt, Verdict

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SERVER = os.environ.get("SYNC_TEST_MSSQL_URL")


@dataclass
class Hands:
    """A clock that is moved by hand."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class Crash(Exception):
    """The process died here."""


@dataclass
class World:
    """A store with its clock, and short words for what the tests do with it."""

    url: str
    clock: Hands
    store: Store
    crash: type[Exception] = Crash
    key: RecordKey = field(default_factory=lambda: RecordKey("allegory", "company", "C-1"))

    @property
    def record(self) -> UUID:
        return chosen_row_id(self.key)

    def another(self, **options: Any) -> Store:
        """A second process on the same database."""
        return open_store(self.url, self.clock, **options)

    def message(self, name: str = "m-1", body: bytes = b'{"a":1}', **parts: Any) -> Message:
        return Message(name, "inbound", str(self.key), body, **parts)

    def change(self, message: Message, key: RecordKey | None = None, minute: int = 0) -> Change:
        return Change(
            message_id=message.id,
            subject=key or self.key,
            operation=Operation.UPSERT,
            changed_at=START + timedelta(minutes=minute),
            data={},
            actor="ann",
            correlation_id="c-1",
        )

    async def admit(
        self, name: str = "m-1", *, key: RecordKey | None = None, minute: int = 0, **parts: Any
    ) -> Receipt:
        message = self.message(name, **parts)
        change = self.change(message, key, minute)
        return await self.store.inbox.admit(message, change, chosen_row_id(change.subject))

    async def take(self, key: RecordKey | None = None) -> tuple[Lease, LaneItem]:
        """The lane and its head, which must be able to go on."""
        turn = await self.store.lanes.acquire(chosen_row_id(key or self.key))
        assert turn is not None
        return turn.lease, turn.item

    async def decide(self, verdict: Verdict, key: RecordKey | None = None) -> list[UUID]:
        """Work the lane's head once, and give the lane back whatever is left in it."""
        lease, item = await self.take(key)
        settled = await self.store.lanes.settle(lease, item, verdict)
        await self.store.lanes.release(lease)
        return list(settled.released)

    def verdict(self, outcome: Outcome = Outcome.APPLIED, **parts: Any) -> Verdict:
        return Verdict(outcome, f"because {outcome}", self.key, **parts)

    def failed(self, retry_in: timedelta | None = None, **parts: Any) -> Verdict:
        failing = Failing("Refused", Code.TARGET_REFUSED, "said no", "account", retry_in=retry_in)
        return self.verdict(Outcome.FAILED, failing=replace(failing, **parts))

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in every table."""
        with self.store.engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(sa.select(table)).all()]
                for table in METADATA.sorted_tables
            }

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with self.store.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def statements(self) -> list[str]:
        """A list that fills with every statement from now on, transaction control aside."""
        seen: list[str] = []

        @event.listens_for(self.store.engine, "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith("BEGIN"):
                seen.append(statement)

        return seen

    def crash_at(self, count: int) -> Callable[[], None]:
        """Die before the `count`-th statement from now (from 1); returns how to live again."""
        left = [count]

        def die(*_arguments: Any) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Crash

        event.listen(self.store.engine, "before_cursor_execute", die)
        return lambda: event.remove(self.store.engine, "before_cursor_execute", die)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at head, migrated once."""
    path = tmp_path_factory.mktemp("template") / "state.db"
    open_store(f"sqlite:///{path}", Hands()).close()
    return path


@pytest.fixture(
    params=["sqlite", pytest.param("mssql", marks=[pytest.mark.mssql])],
)
def world(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[World]:
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(template, tmp_path / 'state.db')}"
    else:
        url = _emptied_server()
    clock = Hands()
    store = open_store(url, clock)
    yield World(url, clock, store)
    store.close()


def _emptied_server() -> str:
    if SERVER is None:
        pytest.skip("SYNC_TEST_MSSQL_URL names no server")
    engine = engine_for(sa.make_url(SERVER), None, 1)
    upgrade(engine)
    with engine.begin() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(sa.delete(table))
    engine.dispose()
    return SERVER
