"""A transaction is repeated whole when the database asks for that, and only then."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.transactions import Transactions, passes
from shared.core.ports import StoreUnavailable

ODBC = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


def failure(state: str, number: int, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
    return kind("UPDATE lane", {}, Exception(state, f"[{state}] {ODBC}text ({number}) (SQLExecDirectW)"))


def failing(times: int, error: DBAPIError) -> Callable[[sa.Connection], str]:
    left = [times]

    def work(connection: sa.Connection) -> str:
        connection.exec_driver_sql("INSERT INTO tries VALUES (1)")
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "done"

    return work


class Runner:
    def __init__(self) -> None:
        self.engine = engine_for(sa.make_url("sqlite://"), None, 1)
        self.pauses: list[float] = []
        self.transactions = Transactions(self.engine, self.pauses.append, lambda: 1.0)
        with self.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE tries (n INTEGER)")

    def committed(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT COUNT(*) FROM tries").scalar_one())


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (failure("40001", 1205), True),
        (failure("HYT00", 1222), True),
        (failure("42000", 40501, ProgrammingError), True),
        (failure("08S01", 10054), True),
        (failure("08001", 0), True),
        (failure("23000", 2627, IntegrityError), False),
        (failure("42S02", 208, ProgrammingError), False),
    ],
)
def test_what_passes_by_itself_is_told_from_what_does_not(error: DBAPIError, *, expected: bool) -> None:
    assert passes(error) is expected


def test_a_deadlock_repeats_the_whole_transaction(runner: Runner) -> None:
    assert runner.transactions.write(failing(2, failure("40001", 1205))) == "done"

    assert runner.committed() == 1
    assert runner.pauses == [0.05, 0.1]


def test_a_database_that_does_not_come_back_is_unavailable(runner: Runner) -> None:
    with pytest.raises(StoreUnavailable):
        runner.transactions.write(failing(99, failure("08S01", 0)))

    assert runner.committed() == 0
    assert runner.pauses == [0.05, 0.1, 0.2, 0.4, 0.8]


def test_a_database_that_cannot_be_used_is_unavailable_at_once(runner: Runner) -> None:
    with pytest.raises(StoreUnavailable):
        runner.transactions.write(failing(1, OperationalError("x", {}, Exception("database is locked"))))

    assert runner.pauses == []


def test_our_own_mistakes_are_not_repeated(runner: Runner) -> None:
    with pytest.raises(ProgrammingError):
        runner.transactions.write(failing(1, failure("42S02", 208, ProgrammingError)))

    assert (runner.committed(), runner.pauses) == (0, [])


def test_a_lost_race_begins_again_and_ends_sometime(runner: Runner) -> None:
    lost = failure("23000", 2627, IntegrityError)

    assert runner.transactions.write_racing(failing(7, lost)) == "done"
    with pytest.raises(IntegrityError):
        runner.transactions.write_racing(failing(8, lost))
    assert runner.committed() == 1
