"""Transactions: each one is done whole, or not at all, and again when the database only asks for that."""

import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from shared.connectors.sqlstore.execution import Executor
from shared.core.ports import StoreUnavailable

T = TypeVar("T")

_PASSING_NUMBERS = frozenset({1205, 1222, 40197, 40501, 40613, 49918, 49919, 49920, 10928, 10929, 4060})
"""Deadlock, lock timeout, and what Azure SQL answers while it moves, scales or throttles a database."""

_PASSING_STATES = frozenset({"08S01", "08001"})
_NATIVE_NUMBER = re.compile(r"\((\d+)\)")

_TRIES = 6
_RACES = 8


def passes(error: DBAPIError) -> bool:
    """Whether the same transaction may simply be done again.

    pyodbc gives the SQLSTATE as its first argument and SQL Server's own number only inside the text.
    """
    arguments = error.orig.args if error.orig is not None else ()
    if arguments and arguments[0] in _PASSING_STATES:
        return True
    return any(int(found) in _PASSING_NUMBERS for found in _NATIVE_NUMBER.findall(str(error.orig)))


@dataclass(frozen=True, slots=True)
class Transactions:
    """Runs work in transactions, synchronously.

    `pause` waits a number of seconds between two tries; `jitter` gives a share between 0 and 1.
    """

    engine: sa.Engine
    pause: Callable[[float], None]
    jitter: Callable[[], float]
    # SQLite lets one writer in at a time and makes the others poll; within a process a lock is fairer.
    _turn: AbstractContextManager[object] = field(init=False)

    def __post_init__(self) -> None:
        turn = threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        object.__setattr__(self, "_turn", turn)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """The result of `work`, committed. Raises StoreUnavailable when the database cannot do it now."""
        return self._repeat(lambda: self._write_once(work))

    def write_racing(self, work: Callable[[sa.Connection], T]) -> T:
        """Like `write`, for work that may insert a key somebody else just inserted: it then starts again."""
        for _ in range(_RACES - 1):
            try:
                return self.write(work)
            except IntegrityError:
                continue
        return self.write(work)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """The result of `work` on one consistent state, without holding up writers."""
        return self._repeat(lambda: self._read_once(work))

    def _write_once(self, work: Callable[[sa.Connection], T]) -> T:
        with self._turn, self.engine.begin() as connection:
            return work(connection)

    def _read_once(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect().execution_options(read_only=True) as connection:
            return work(connection)

    def _repeat(self, once: Callable[[], T]) -> T:
        for attempt in range(_TRIES):
            try:
                return once()
            except (OperationalError, InterfaceError, DBAPIError, PoolExhausted) as error:
                if isinstance(error, DBAPIError) and passes(error) and attempt < _TRIES - 1:
                    self.pause(min(2.0, 0.05 * 2**attempt) * (0.5 + self.jitter() / 2))
                    continue
                if isinstance(error, OperationalError | InterfaceError | PoolExhausted):
                    raise StoreUnavailable("the database cannot be used now") from error
                raise
        raise AssertionError("unreachable: the last try returns or raises")


@dataclass(frozen=True, slots=True)
class Database:
    """Transactions for asynchronous callers."""

    transactions: Transactions
    executor: Executor

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """`Transactions.write_racing`, on the executor."""
        return await self.executor(lambda: self.transactions.write_racing(work))

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """`Transactions.read`, on the executor."""
        return await self.executor(lambda: self.transactions.read(work))
