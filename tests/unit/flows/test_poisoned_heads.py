"""Three heads that cannot go on, twenty workers that die, two sessions per record: nobody notices (N-01).

Time is a seeded scheduler's, so that how long a message takes is the same in every run on any machine.
"""

import asyncio
import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.sqlstore import tables
from shared.connectors.sqlstore.values import changes_of
from shared.core.change import Message
from shared.core.errors import Refused
from shared.core.gate import Gate
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.recovery.replay import Replay
from shared.recovery.retry import Retry
from tests.simulation.queues import Queues
from tests.simulation.scheduler import SeededLoop
from tests.simulation.story import Story
from tests.simulation.weather import Weather
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

RECORDS, MESSAGES = (200, 50) if os.environ.get("TANDEM_FULL_SIZE") == "1" else (60, 20)
POISONED, DEATHS, WORKERS = 3, 20, 8
EVERY = 300.0
"""Seconds from two messages of a record, one in each session, to its next two."""
COLUMNS = {"phone": "telephone1", "city": "address1_city", "street": "address1_line1"}
POISON = "poison"


def key_of(record: int) -> RecordKey:
    return RecordKey("allegory", "company", f"C-{record}")


@dataclass(frozen=True)
class Day:
    """What is said of each record, one thing after the other; and which messages cannot go through."""

    said: dict[int, list[tuple[str, str]]]
    poisoned: dict[int, int]

    @classmethod
    def of(cls, chance: random.Random) -> "Day":
        said = {
            record: [(chance.choice(list(COLUMNS)), f"{record}-{number}") for number in range(MESSAGES)]
            for record in range(RECORDS)
        }
        poisoned = {
            record: chance.randrange(1, MESSAGES - 2, 2) for record in chance.sample(range(RECORDS), POISONED)
        }
        for record, number in poisoned.items():
            said[record][number] = ("phone", f"{POISON}-{record}")
        return cls(said, poisoned)

    def oracle(self, record: int, upto: int = MESSAGES) -> dict[str, str]:
        """What the row holds once so many of the record's messages were applied, one after the other."""
        return {COLUMNS[name]: value for name, value in self.said[record][:upto]}


@dataclass
class Floor:
    """The workers before the queues, and a far side that takes its time."""

    desk: "Desk"
    loop: SeededLoop
    chance: random.Random
    queues: Queues
    gate: Gate
    dies_at: set[int]
    refuses: bool = True
    writes: int = 0
    deaths: int = 0
    busy: Counter[UUID] = field(default_factory=Counter)
    together: int = 0
    """The most records that were written at one moment."""
    overlaps: list[UUID] = field(default_factory=list)

    def slow(self, patch: pytest.MonkeyPatch) -> None:
        """Calls of the far side take a while, refuse what is poisoned, and are where workers die."""
        rows = self.desk.rows
        read, create, update = rows.read, rows.create, rows.update

        async def reading(table: Any, row: UUID) -> Any:
            await asyncio.sleep(0.05 + self.chance.random() * 0.1)
            return await read(table, row)

        async def writing(call: Any, table: Any, row: UUID, values: Any, *version: Any) -> Any:
            self.writes += 1
            dies, written_before = self.writes in self.dies_at, self.chance.random() < 0.5
            self.busy[row] += 1
            self.together = max(self.together, len(+self.busy))
            if self.busy[row] > 1:
                self.overlaps.append(row)
            try:
                await asyncio.sleep(0.1 + self.chance.random() * 0.2)
                if dies and not written_before:
                    await self._die()
                if self.refuses and any(str(value).startswith(POISON) for value in values.values()):
                    raise Refused("a plug-in says no", answer="0x80040265")
                result = await call(table, row, values, *version)
                if dies:
                    await self._die()
                return result
            finally:
                self.busy[row] -= 1

        patch.setattr(rows, "read", reading)
        patch.setattr(rows, "create", lambda *given: writing(create, *given))
        patch.setattr(rows, "update", lambda *given: writing(update, *given))

    async def _die(self) -> None:
        """The worker that calls this ends here, without a word."""
        self.deaths += 1
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def work(self) -> None:
        """One worker after the other: who dies is replaced."""
        while True:
            worker = self.loop.create_task(self._worker())
            await asyncio.wait([worker])
            if not worker.cancelled():
                worker.result()

    async def _worker(self) -> None:
        while True:
            taken = await self.queues.take()
            try:
                await self.gate.receive(taken.message)
            except asyncio.CancelledError:
                self.queues.forsake(taken)
                raise
            self.queues.complete(taken)

    async def retry(self) -> None:
        """The retry timer."""
        timer = Retry(self.desk.store.lanes, self.queues, self.desk.clock, self.gate.telemetry)
        while True:
            await asyncio.sleep(15)
            await timer.run()

    async def rest(self) -> None:
        """Let everything that is on its way arrive, also what waits for the lease of somebody dead."""
        await asyncio.sleep(600)
        assert self.queues.idle


@dataclass(frozen=True)
class Ended:
    """How a day ended: how long each message of a record that is not poisoned took, and the floor."""

    floor: Floor
    seconds: list[float]

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)]


def held_by(desk: "Desk", record: int) -> dict[str, Any]:
    row = desk.rows.of("account")[chosen_row_id(key_of(record))]
    return {column: row[column] for column in COLUMNS.values() if row.get(column) is not None}


def lines(desk: "Desk", table: sa.Table) -> list[Any]:
    with desk.store.engine.connect() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


async def send(floor: Floor, day: Day, record: int, sent: dict[str, datetime]) -> None:
    """A record's messages, two at almost the same time: in the session of its key and in that of its row."""
    key, row = key_of(record), chosen_row_id(key_of(record))
    await asyncio.sleep(floor.chance.random() * EVERY)
    for number, (name, value) in enumerate(day.said[record]):
        by_row = number % 2
        now = floor.loop.now()
        body = {
            "schemaVersion": "1.0",
            "source": key.system,
            "entity": key.entity,
            "sourceKey": key.id,
            "operation": "upsert",
            "changedOn": now.isoformat(),
            "data": {name: value} | ({"name": key.id} if number < 2 else {}),
        }
        body |= {"dataverseId": str(row)} if by_row else {}
        session = str(row) if by_row else str(key)
        sent[f"{record}/{number}"] = now
        floor.queues.send(Message(f"{record}/{number}", "inbound", session, json.dumps(body).encode()))
        await asyncio.sleep(EVERY if by_row else 0.03)


def play(day: Day, desk: "Desk", patch: pytest.MonkeyPatch, dies_at: set[int], *, refuses: bool) -> Ended:
    """A whole day; with `refuses`, what is held at its end is let go by replays."""
    chance = random.Random(1)  # noqa: S311  # a repeatable day
    loop = SeededLoop(chance)
    patch.setattr(desk.clock, "now", loop.now)
    sent: dict[str, datetime] = {}

    async def run() -> Floor:
        queues = Queues(loop, Weather(chance, {}), Story(loop), desk.bus)
        gate = replace(desk.gate, worker=replace(desk.gate.worker, bus=queues))
        floor = Floor(desk, loop, chance, queues, gate, dies_at, refuses)
        floor.slow(patch)
        crew = [loop.create_task(floor.work()) for _ in range(WORKERS)] + [loop.create_task(floor.retry())]
        await asyncio.gather(*(send(floor, day, record, sent) for record in range(RECORDS)))
        await floor.rest()
        if refuses:
            held_back(day, desk)
            floor.refuses = False
            replay = Replay(desk.store.operations.repair, gate, queues, desk.clock)
            for failure in (await desk.store.operations.failures.page(10)).entries:
                await replay.message(failure["message_id"], "ann")
            await floor.rest()
        for task in crew:
            task.cancel()
        await asyncio.gather(*crew, return_exceptions=True)
        return floor

    floor = loop.run_until_complete(run())
    assert loop.unhandled == []
    finished = {row.message_id: row.finished_at for row in lines(desk, tables.message)}
    healthy = [name for name in sent if int(name.partition("/")[0]) not in day.poisoned]
    return Ended(floor, [(finished[name] - sent[name]).total_seconds() for name in healthy])


def held_back(day: Day, desk: "Desk") -> None:
    """Of the poisoned records nothing after their head was applied; of the others everything was."""
    for record in range(RECORDS):
        assert held_by(desk, record) == day.oracle(record, day.poisoned.get(record, MESSAGES))
    behind = Counter(item.state for item in lines(desk, tables.lane_item) if item.state != "done")
    after = sum(MESSAGES - number - 1 for number in day.poisoned.values())
    assert behind == {"held": POISONED, "waiting": after}


@pytest.mark.timeout(900)
def test_poisoned_heads_hold_their_own_records_and_dying_workers_hold_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = Day.of(random.Random(7))  # noqa: S311  # as above
    dies_at = set(random.Random(8).sample(range(1, RECORDS * (MESSAGES - 5)), DEATHS))  # noqa: S311  # as above
    with desk_with(ALLEGORY) as desk, monkeypatch.context() as patch:
        calm = play(day, desk, patch, set(), refuses=False)
    with desk_with(ALLEGORY) as desk, monkeypatch.context() as patch:
        rough = play(day, desk, patch, dies_at, refuses=True)

        assert [held_by(desk, record) for record in range(RECORDS)] == [
            day.oracle(record) for record in range(RECORDS)
        ]
        outcomes = Counter(row.outcome for row in lines(desk, tables.message))
        agreed: dict[tuple[UUID, str], list[int]] = {}
        for line in lines(desk, tables.journal):
            for column, change in changes_of(line.changes).items():
                if column in COLUMNS.values() and not str(change.after).startswith(POISON):
                    agreed.setdefault((line.record, column), []).append(int(str(change.after).split("-")[1]))

    assert rough.floor.overlaps == [], "never two writes of one record at once"
    assert all(numbers == sorted(numbers) for numbers in agreed.values()), "in the order of the changes"
    assert rough.floor.deaths == DEATHS
    assert rough.floor.together > 1, "records go side by side"
    assert outcomes.keys() <= {Outcome.APPLIED, Outcome.MERGED, Outcome.STALE, Outcome.ECHO}
    assert outcomes.total() == RECORDS * MESSAGES
    assert rough.p95 <= calm.p95 * 1.1
