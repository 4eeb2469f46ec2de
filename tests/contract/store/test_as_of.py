"""What was believed of a record at any time, from its journal alone, purged lines included."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.connectors.sqlstore import baselines
from shared.core.identity import RecordKey
from shared.core.verdict import ColumnChange

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

OTHER = RecordKey("allegory", "company", "C-2")


async def decided(world: "World", message: str, minute: int, /, **columns: tuple[Any, Any]) -> datetime:
    """A message that moved columns, and when it was decided."""
    await world.admit(message, minute=minute)
    world.clock.advance(minutes=10)
    changes = {column: ColumnChange(*change) for column, change in columns.items()}
    await world.decide(world.verdict(changes=changes, map_version="company@1"))
    return world.clock.now()


async def believed(world: "World", at: datetime) -> Any:
    (told,) = await world.store.operations.history.as_of(str(world.record), at)
    found = told["believed"]
    return found and {name: entry["value"] for name, entry in found["columns"].items()}


async def test_each_instant_has_what_was_agreed_by_then(world: "World") -> None:
    start = world.clock.now()
    first = await decided(world, "m-1", 0, name=(None, "Zoë"), phone=(None, "1"))
    second = await decided(world, "m-2", 1, phone=("1", None))

    assert await believed(world, start) == {}
    assert await believed(world, first) == {"name": "Zoë", "phone": "1"}
    assert await believed(world, second - timedelta(seconds=1)) == {"name": "Zoë", "phone": "1"}
    assert await believed(world, second) == {"name": "Zoë"}


async def test_each_column_tells_who_said_it_when_and_by_which_map(world: "World") -> None:
    at = await decided(world, "m-1", 0, name=(None, "Zoë"))

    (told,) = await world.store.operations.history.as_of("m-1", at)

    assert told["believed"]["columns"]["name"] == {
        "value": "Zoë",
        "origin": "allegory",
        "changed_at": (at - timedelta(minutes=10)).isoformat(),
        "decided_at": at.isoformat(),
        "message_id": "m-1",
        "map_version": "company@1",
    }


async def test_a_purged_line_is_missing_from_no_later_state(world: "World") -> None:
    first = await decided(world, "m-1", 0, name=(None, "Zoë"), phone=(None, "1"))
    second = await decided(world, "m-2", 1, phone=("1", "2"))
    with world.store.engine.begin() as connection:
        baselines.fold(connection, [1])
        connection.exec_driver_sql("DELETE FROM journal WHERE number = 1")

    assert await believed(world, second) == {"name": "Zoë", "phone": "2"}
    assert await believed(world, first) == {"name": "Zoë", "phone": "1"}
    assert await believed(world, first - timedelta(seconds=1)) is None


async def test_a_line_purged_before_an_older_one_stays_the_newer_one(world: "World") -> None:
    await decided(world, "m-1", 0, name=(None, "old"))
    second = await decided(world, "m-2", 1, name=("old", "new"))
    with world.store.engine.begin() as connection:
        baselines.fold(connection, [2])
        connection.exec_driver_sql("DELETE FROM journal WHERE number = 2")

    assert await believed(world, second) == {"name": "new"}


async def test_retention_forgets_decisions_and_keeps_what_they_agreed(world: "World") -> None:
    at = await decided(world, "m-1", 0, name=(None, "Zoë"))
    now = world.clock.now()

    await world.store.retention.purge(
        bodies_before=now + timedelta(1), messages_before=now + timedelta(minutes=1)
    )

    with world.store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM journal").scalar_one() == 0
        assert baselines.load(connection, world.record).values == {"name": "Zoë"}
        assert baselines.load(connection, world.record).since == at
