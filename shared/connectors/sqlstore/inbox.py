"""The inbox: every message is kept once, and has its place in a lane from the same moment on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shared.connectors.sqlstore import arrivals, failing, predecessors
from shared.connectors.sqlstore.claims import check_widths, once_free, row_for
from shared.connectors.sqlstore.messages import arrival_columns, body_hash, parsed_columns, stored_id
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import faults_of, faults_text
from shared.core.change import Change, Message
from shared.core.claim import Claim
from shared.core.errors import BODY_CHANGED, Fault
from shared.core.failure import refusal
from shared.core.outcome import Outcome
from shared.core.patience import Wait
from shared.core.ports import NO_WAIT, Clock
from shared.core.verdict import Receipt, Turn

NOBODY = "unknown"
"""Who sent a message whose sender no door knows, and whose body does not say."""

_KEEP = sa.insert(messages).returning(messages.c.number)

_SEEN = sa.select(
    messages.c.number,
    messages.c.body_hash,
    messages.c.outcome,
    messages.c.record,
    messages.c.faults,
    messages.c.is_reopened,
).where(
    messages.c.message_id == sa.bindparam("the_id"),
    messages.c.queue == sa.bindparam("the_queue"),
)

_FIRST = sa.select(messages.c.body_hash).where(
    messages.c.message_id == sa.bindparam("the_id"),
    messages.c.queue == sa.bindparam("the_queue"),
    messages.c.is_first == sa.true(),
)

_REOPENED = sa.update(messages).where(
    messages.c.number == sa.bindparam("the_number"), messages.c.is_reopened == sa.true()
)

_RACES = 8


Take = Callable[[UUID, sa.Connection], Turn | None]
"""Takes a lane within a transaction: `SqlLanes.take`."""


@dataclass(frozen=True, slots=True)
class SqlInbox:
    """`Inbox` on SQL. `take` takes lanes; `sleep` waits a number of seconds without holding anything up."""

    database: Database
    clock: Clock
    take: Take
    sleep: Callable[[float], Awaitable[None]]

    async def admit(
        self,
        message: Message,
        change: Change,
        record: UUID | Claim,
        wait: Wait = NO_WAIT,
        *,
        at_once: bool = False,
    ) -> Receipt:
        """See `Inbox.admit`. One transaction; a message seen before costs a second, shorter one.

        While somebody works the record under its reserved row, a hand-over waits for them.
        """
        if isinstance(record, Claim):
            check_widths(record.key)
        arrival = _Arrival(message, change, record, (), self.clock, wait, self.take if at_once else None)
        return await once_free(lambda: self.database.executor(lambda: self._settle_race(arrival)), self.sleep)

    async def reject(self, message: Message, change: Change | None, faults: Sequence[Fault]) -> Receipt:
        """See `Inbox.reject`."""
        arrival = _Arrival(message, change, None, tuple(faults), self.clock)
        return await self.database.executor(lambda: self._settle_race(arrival))

    async def is_other_body(self, message: Message) -> bool:
        """See `Inbox.is_other_body`."""
        bound = {"the_id": stored_id(message.id), "the_queue": message.queue}
        first = await self.database.read(lambda connection: connection.execute(_FIRST, bound).scalar())
        return first is not None and first != body_hash(message.body)

    def _settle_race(self, arrival: "_Arrival") -> Receipt:
        """Insert, and let the unique keys say who came first: another door may hold the same message."""
        write = self.database.transactions.write
        for last in (False,) * (_RACES - 1) + (True,):
            try:
                return write(arrival.as_first)
            except IntegrityError as error:
                key_error = error
            try:
                receipt = write(arrival.as_repeated)
            except IntegrityError as error:
                key_error, receipt = error, None
            if receipt is not None:
                return receipt
            if last:
                raise key_error
        raise AssertionError("unreachable: the last race returns or raises")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One message at the door, with the record it goes to or the faults that refuse it."""

    message: Message
    change: Change | None
    goes_to: UUID | Claim | None
    faults: tuple[Fault, ...]
    clock: Clock
    wait: Wait = NO_WAIT
    take: Take | None = field(default=None, repr=False)

    def as_first(self, connection: sa.Connection) -> Receipt:
        """Keep it as a message not seen before; an IntegrityError says that it was."""
        record = self._record(connection)
        number = self._keep(connection, record, self.faults, is_first=True)
        return self._receipt(connection, number, record)

    def as_repeated(self, connection: sa.Connection) -> Receipt | None:
        """Find it, or keep it as another body under a used id; None when neither is the case."""
        seen = connection.execute(
            _SEEN, {"the_id": stored_id(self.message.id), "the_queue": self.message.queue}
        ).all()
        if not seen:
            return None
        digest = body_hash(self.message.body)
        same = next((row for row in seen if row.body_hash == digest), None)
        if same is None:
            faults = tuple(dict.fromkeys((*self.faults, BODY_CHANGED)))
            number = self._keep(connection, None, faults, is_first=False)
            return Receipt(number, None, first=True, outcome=Outcome.REJECTED, faults=faults)
        if same.is_reopened:
            return self._again(connection, same.number)
        return Receipt(
            number=same.number,
            record=same.record,
            first=False,
            outcome=Outcome(same.outcome) if same.outcome else None,
            faults=faults_of(same.faults),
        )

    def _record(self, connection: sa.Connection) -> UUID | None:
        """The canonical record; what is only claimed is settled here, with the message that claims it."""
        if isinstance(self.goes_to, Claim):
            return self.goes_to.granted(row_for(connection, self.goes_to, self.clock.now()))
        return self.goes_to

    def _keep(
        self, connection: sa.Connection, record: UUID | None, faults: tuple[Fault, ...], *, is_first: bool
    ) -> int:
        columns = arrival_columns(self.message) | parsed_columns(self.change)
        columns |= {"received_at": self.clock.now(), "is_first": is_first}
        columns |= self._fate(record, faults)
        columns |= self._group(connection, faults)
        number: int = connection.execute(_KEEP, columns).scalar_one()
        return number

    def _group(self, connection: sa.Connection, faults: tuple[Fault, ...]) -> dict[str, Any]:
        """A refused message is in its sender's group of that cause until somebody has seen to it (E-14)."""
        if not faults:
            return {"refused_in": None}
        cause = refusal(faults, self.change)
        sender = self.message.sender or (self.change.subject.system if self.change else None)
        return {"refused_in": failing.note_group(connection, cause, self.clock.now(), sender or NOBODY)}

    def _again(self, connection: sa.Connection, number: int) -> Receipt | None:
        """A refused message that a person sent through the gate once more."""
        record = self._record(connection)
        columns = parsed_columns(self.change) | self._fate(record, self.faults)
        columns |= {"is_reopened": False, "the_number": number} | self._group(connection, self.faults)
        if connection.execute(_REOPENED, columns).rowcount == 0:
            return None
        return self._receipt(connection, number, record)

    def _fate(self, record: UUID | None, faults: tuple[Fault, ...]) -> dict[str, Any]:
        """What the row says became of the message: nothing yet, or refused."""
        return {
            "record": record,
            "outcome": Outcome.REJECTED.value if faults else None,
            "reason": str(faults[0]) if faults else None,
            "faults": faults_text(faults),
            "finished_at": self.clock.now() if faults else None,
        }

    def _receipt(self, connection: sa.Connection, number: int, record: UUID | None) -> Receipt:
        if record is None or self.change is None or self.faults:
            return Receipt(number, None, first=True, outcome=Outcome.REJECTED, faults=self.faults)
        due_at = self.clock.now() + self.wait.settle if self.wait.settle else None
        missed: str | None = None
        if self.wait.gap and self.change.version:
            missed = predecessors.before(connection, record, self.change)
            until = self.clock.now() + self.wait.gap
            due_at = max(due_at or until, until) if missed else due_at
            predecessors.closed_by(connection, record, self.change)
        arrivals.place(connection, number, record, self.change, self.message, due_at, missed)
        turn = self.take(record, connection) if self.take is not None else None
        return Receipt(number, record, first=True, due_at=due_at, turn=turn)
