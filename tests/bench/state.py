"""State: what the SQL of one message takes, from the door to its last line in the journal.

One message makes the calls that the gate and the lane make of the store: be admitted, with its record claimed
and its lane taken, be confirmed before the write, be settled, with the lane given back. The peer is raw
`sqlite3` that keeps the same body and marks it as done: an insert and an update, each committed.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import event

from shared.connectors.sqlstore import Store, inline, open_store
from shared.core.change import Change, Message, Operation
from shared.core.claim import Claim
from shared.core.identity import DATAVERSE, RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.verdict import ColumnChange, Verdict
from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER
from tests.bench.traffic import companies

_MESSAGES = 300
_ROUNDS = 3
_COLUMNS = 14
_NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class _Counter:
    """Counts statements and transactions on an engine."""

    statements: int = 0
    transactions: int = 0
    seen: list[str] = field(default_factory=list)

    def listen(self, store: Store) -> None:
        event.listen(store.engine, "before_cursor_execute", self._statement)
        event.listen(store.engine, "begin", self._begin)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            self.statements += 1

    def _begin(self, _connection: Any) -> None:
        self.transactions += 1


def state() -> Iterator[Measure]:
    """Statements, transactions and CPU per message."""
    counter = _Counter()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        rounds = [_round(Path(folder), number, counter) for number in range(_ROUNDS)]
    ours, raw = (median(times) for times in zip(*rounds, strict=True))
    handled = _ROUNDS * _MESSAGES
    yield Measure("SQL statements per message", rounded(counter.statements / handled), "statements", most=19)
    yield Measure("transactions per message", rounded(counter.transactions / handled), "transactions", most=3)
    yield Measure(
        "CPU per message, of a raw sqlite3 insert and update", rounded(ours / raw), "ratio", most=45
    )
    yield Measure("CPU per message", rounded(1e6 * ours / _MESSAGES), "us")
    yield Measure("CPU of a raw sqlite3 insert and update", rounded(1e6 * raw / _MESSAGES), "us")


def _round(folder: Path, number: int, counter: _Counter) -> tuple[float, float]:
    """CPU seconds of ours and of the raw peer for the same messages."""
    messages = _messages(f"round-{number}")
    store = open_store(f"sqlite:///{folder / f'ours-{number}.db'}", _Clock(), executor=inline)
    try:
        asyncio.run(_keep(store, *_messages(f"warm-{number}")[0]))
        counter.listen(store)
        ours = _cpu(lambda: asyncio.run(_keep_all(store, messages)))
    finally:
        store.close()
    return ours, _cpu(lambda: _raw(folder / f"raw-{number}.db", [message for message, _ in messages]))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _messages(tag: str) -> list[tuple[Message, Change]]:
    lot = companies(tag, _MESSAGES, 1, OWNER)
    return [
        (
            Message(sent.id, "inbound", sent.session, sent.body, position=number),
            Change(
                sent.id,
                RecordKey("allegory", "company", sent.session.rpartition(":")[2]),
                Operation.UPSERT,
                _NOW,
                {},
            ),
        )
        for number, sent in enumerate(lot)
    ]


async def _keep_all(store: Store, messages: list[tuple[Message, Change]]) -> None:
    for message, change in messages:
        await _keep(store, message, change)


async def _keep(store: Store, message: Message, change: Change) -> None:
    claim = Claim(change.subject, None, chosen_row_id(change.subject))
    turn = (await store.inbox.admit(message, change, claim, at_once=True)).turn
    if turn is None:
        raise RuntimeError("somebody else works the lane, or the message has no place in it")
    await store.lanes.confirm(turn.lease)
    verdict = _verdict(change, turn.item.record, turn.item.agreed)
    settled = await store.lanes.settle(turn.lease, turn.item, verdict)
    if settled.next is not None:
        raise RuntimeError("work is left in the lane")


def _verdict(change: Change, record: UUID, before: Shadow) -> Verdict:
    mark = Mark("Hafenweg 12", _NOW, change.subject.system, {change.subject.system: Moment(_NOW)})
    marks = {f"column{number}": mark for number in range(_COLUMNS)}
    return Verdict(
        Outcome.APPLIED,
        "",
        change.subject,
        changes={name: ColumnChange(None, "Hafenweg 12") for name in marks},
        shadow=Shadow({**before.marks, **marks}, {DATAVERSE: 'W/"1"'}),
        pairs=((change.subject, record),),
        map_version="company.v1",
    )


def _raw(file: Path, messages: list[Message]) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("create table message (id text primary key, body blob, outcome text)")
        for message in messages:
            database.execute("insert into message values (?, ?, null)", (message.id, message.body))
            database.execute("update message set outcome = 'applied' where id = ?", (message.id,))
