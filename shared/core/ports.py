"""What the core and the capabilities ask of the world. Connectors fulfil these, each held to its suite."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from shared.core.change import Change, Direction, Json, Message
from shared.core.claim import Claim
from shared.core.errors import Fault
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.mapping.satellites import Membership
from shared.core.patience import Wait
from shared.core.shadow import Shadow
from shared.core.verdict import Collision, LaneItem, Lease, Receipt, Settled, Turn, Verdict

NO_WAIT = Wait()
"""For changes that wait for nothing."""


class Clock(Protocol):
    """Tells the time (UTC, aware)."""

    def now(self) -> datetime:
        """The current instant."""
        ...


class Inbox(Protocol):
    """Where every message is kept from the moment it arrives, with its payload and properties (E-12)."""

    async def admit(
        self,
        message: Message,
        change: Change,
        record: UUID | Claim,
        wait: Wait = NO_WAIT,
        *,
        at_once: bool = False,
    ) -> Receipt:
        """Keep a message and give it its place in the record's lane; once, however often it is delivered.

        A claim is settled with it, as by `Crosswalk.claim`: raises InvalidMessage, and keeps nothing, when it
        comes to a row that it may not be. A message with a `wait` is not worked before it is over, or its
        predecessor is there. `at_once` takes the lane, too, as `Lanes.acquire` would: the receipt's `turn`.

        The same id with another body is kept, too, and comes back REJECTED (`message.body_changed`).
        """
        ...

    async def reject(self, message: Message, change: Change | None, faults: Sequence[Fault]) -> Receipt:
        """Keep a message that cannot be accepted, with its faults, under outcome REJECTED."""
        ...

    async def is_other_body(self, message: Message) -> bool:
        """Whether the message's id was first used with another body."""
        ...


class Lanes(Protocol):
    """The lanes: one ordered queue per canonical record, worked by one lease holder at a time."""

    async def acquire(self, record: UUID) -> Turn | None:
        """A lease on the lane with its head: the first unfinished item by (changed_at, version, arrival).

        None, and no lease, while somebody else holds one that has not run out, or when the head cannot go on
        now: it is held, waits for its time, or for another record.
        """
        ...

    async def settle(self, lease: Lease, item: LaneItem, verdict: Verdict) -> Settled:
        """Record a verdict in one transaction, and take the lane's next item or give the lease back in it.

        Whoever admits a message meanwhile is either seen here or finds the lane free: no work is lost. Raises
        `LeaseLost` when the lease is no longer the newest, or the item not what it was; nothing is written
        then.
        """
        ...

    async def seize(self, record: UUID) -> Lease | None:
        """A lease on a lane whatever its head waits for, so that nobody works it; None while somebody does.

        Whoever holds it settles it with another lane's verdict, or lets it run out.
        """
        ...

    async def confirm(self, lease: Lease) -> None:
        """Nothing while the lease is the newest; raises `LeaseLost` once it is not."""
        ...

    async def keep(self, lease: Lease) -> None:
        """Let a lease last as long again from now on; raises `LeaseLost` once it is not the newest."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give back a lease whose item cannot be settled; one that is somebody else's by now stays theirs.

        Work may be left in the lane: whoever took the item away wakes it.
        """
        ...

    async def due(self, limit: int) -> Sequence[UUID]:
        """Lanes nobody is working on whose head could go on now: due retries, wakes that were lost."""
        ...


class LeaseLost(Exception):
    """Another worker took the lane over; what this worker decided must not be written."""


class StoreUnavailable(Exception):
    """The state cannot be read or written now. The one failure that is answered by redelivery."""


class Shadows(Protocol):
    """The agreed state of each record."""

    async def load(self, record: UUID) -> Shadow:
        """The record's shadow; an empty one when nothing is agreed yet."""
        ...

    async def overrule(
        self, change: Change, record: UUID, collisions: Sequence[Collision], phases: Mapping[str, str]
    ) -> None:
        """Keep the values that a change is about to overwrite, before it does, and in which phases.

        The answer to the write may be lost; read again, the other side then holds the winner alone. Where
        nothing is overwritten, it is kept that a write began.
        """
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """A Dataverse row as read: typed values of the columns asked for, its ETag, and when it last changed."""

    values: Mapping[str, Value]
    version: str
    modified_at: datetime


class Rows(Protocol):
    """Dataverse rows. Every call raises Throttled, Unavailable, Refused or Gone as the answer demands."""

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row with the table's mapped columns, or None."""
        ...

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose; raises MovedOn when the row is already there."""
        ...

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """Write columns if still at `version` (If-Match); raises MovedOn when not, Gone when deleted."""
        ...

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """Delete if still at `version`; a row already gone is fine."""
        ...

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        """Put a row aside and hand over to its heir what hangs from it; one merged so already is fine.

        What the heir lacks may be filled. Raises Gone when one of them is not there.
        """
        ...


class MarketingLists(Protocol):
    """Dataverse's marketing lists: who is in them. Both calls change nothing when it is so already."""

    async def join(self, place: Membership) -> None:
        """Make the list if it is not there, put it under its campaign, and the member into it.

        Raises Throttled, Unavailable or Refused; Refused, too, when the campaign or the member is gone.
        """
        ...

    async def leave(self, place: Membership) -> None:
        """Take the member out of the list; the list stays."""
        ...


class Directory(Protocol):
    """Reference data that Dataverse owns and Tandem only looks up: users, currencies, placeholders."""

    async def find(self, ref: DirectoryRef) -> UUID | None:
        """The row whose column equals the value, letter case aside; disabled users do not count."""
        ...

    async def matches(self, ref: DirectoryRef) -> Sequence[UUID]:
        """The rows whose column equals the value, as `find` counts them; two stand for more than one."""
        ...

    async def value_of(self, row: RowRef, column: str) -> str | None:
        """The way back: what a row holds in a column (a user's e-mail)."""
        ...

    async def placeholder(self, table: Table) -> UUID:
        """The table's placeholder row, created on first use."""
        ...


@dataclass(frozen=True, slots=True)
class LegacyRecord:
    """A legacy record as read back: its id, its fields, its version (ETag) and when it last changed."""

    id: str
    fields: Mapping[str, Json]
    version: str
    changed_at: datetime


class LegacyRecords(Protocol):
    """One legacy system's records."""

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        """The record, or None."""
        ...

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        """Create a record; the same key again gives the same record."""
        ...

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        """Write fields if the record is still at `version`; raises MovedOn, or Gone when deleted."""
        ...

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        """Delete the record if still at `version`; raises MovedOn when not; one already gone is fine."""
        ...

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        """Merge a record into its heir; one merged so already is fine. Raises Gone when one is not there."""
        ...


class Bus(Protocol):
    """The way back onto the queues."""

    async def wake(self, direction: Direction, record: UUID, at: datetime) -> None:
        """Send the lane of `record` a drain message, in the record's own session, not before `at`."""
        ...

    async def post(self, message: Message) -> None:
        """Put a message on its queue as the sender would have."""
        ...


class TicketDesk(Protocol):
    """Where people who can help are told (E-14)."""

    async def open(self, key: str, title: str, body: str, team: str) -> str:
        """Open a ticket and return its id; the same key again gives the same ticket."""
        ...

    async def update(self, ticket: str, body: str) -> None:
        """Replace a ticket's text."""
        ...

    async def close(self, ticket: str, comment: str) -> None:
        """Close a ticket; one already closed is fine."""
        ...


class Telemetry(Protocol):
    """Where what happened is told to machines. Never raises and never waits on the network (E-11)."""

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:
        """Record one event with its dimensions."""
        ...


Hold: TypeAlias = Callable[[], Awaitable[None]]
"""Nothing while the lane is still held; raises LeaseLost once somebody else has it."""


class Applier(Protocol):
    """One direction of the sync: turns a change into a write and a verdict."""

    async def apply(self, change: Change, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """Decide and write; `shadow` is what is agreed. Raises SyncError for what did not go through.

        Asks `hold` after everything it decides on was read and before each write to the far side.
        """
        ...

    def map_version(self, change: Change) -> str:
        """The map that such a change is decided with, named also when it did not go through (E-11)."""
        ...

    async def unit_of(self, change: Change, record: UUID, shadow: Shadow) -> str:
        """The business unit of what did not go through; blank where units are not told apart, or unknown."""
        ...


class Jobs(Protocol):
    """One runner per job over all instances."""

    async def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Whether this owner may run the job now."""
        ...


Report = Mapping[str, Any]
"""A JSON-ready answer to an operator's question."""
