"""What was decided about one lane item, ready to be written in one transaction.

The lane hands a verdict to the store, which writes the journal line, the shadow, the crosswalk, the
conflicts, the item's state and the message's outcome together, or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.core.change import Message
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.outcome import Outcome
from shared.core.pending import PendingWrite
from shared.core.record_owner import Unmatched
from shared.core.shadow import Shadow


class ItemState(StrEnum):
    """Where a lane item stands."""

    WAITING = "waiting"
    RETRYING = "retrying"
    PARKED = "parked"
    HELD = "held"
    ASIDE = "aside"
    """Outside the order until a person has spoken: nothing waits behind it."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class LaneItem:
    """One message's place in its record's lane.

    `number` is the message's number in the inbox; `due_at` is set while a retry waits for its time;
    `attempts` counts the tries so far; `vouched_by` is who said that the time it claims is right; `without`
    names the records it no longer waits for, because they wait for it; `missed` what it waited for in vain;
    `plan` is the replay plan that sent it; `agreed` is what its record's shadow says as its turn comes;
    `phases` names the phase, per system, in which a write of it has begun that nobody has answered.
    """

    number: int
    record: UUID
    message: Message
    state: ItemState
    attempts: int = 0
    due_at: datetime | None = None
    vouched_by: str | None = None
    without: frozenset[RecordKey] = frozenset()
    missed: str | None = None
    plan: int | None = None
    agreed: Shadow = field(default_factory=Shadow)
    phases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one lane: `fence` grows with every lease; a write under an old one is refused.

    `lasts` is how long it is kept without a sign of life.
    """

    record: UUID
    owner: str
    fence: int
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Turn:
    """A lane to work: the lease, and the first item to decide under it."""

    lease: Lease
    item: LaneItem


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settled verdict set free: other lanes (`released`), and the lane's `next` item.

    Without a next item nothing can be done in the lane now, and its lease is given back already.
    """

    released: tuple[UUID, ...] = ()
    next: LaneItem | None = None


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One column before and after, in Dataverse's terms.

    `is_lost` says that the value lost a conflict and has crossed nowhere: it counts as agreed, so that the
    winner's own message is a change on top of it.
    """

    before: Value
    after: Value
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Collision:
    """Both sides changed one column: who kept it, and the value that lost (never thrown away).

    A blank `winner` means that a person is to decide; nothing is written until then.
    """

    column: str
    base: Value
    inbound: Value
    outbound: Value
    winner: str
    rule: str

    @property
    def is_open(self) -> bool:
        """Whether a person is to decide."""
        return not self.winner


@dataclass(frozen=True, slots=True)
class Failing:
    """Why an item did not go through, sorted for grouping (class, code, table, column, rule) and retry.

    `answer` is the far side's own code, `request_id` what its support asks for; `far_side` names the legacy
    system in which it did not go through (blank: it was not a legacy system that refused). `retry_in` is set
    for what the retry timer tries again.
    """

    kind: str
    code: Code
    rule: str
    table: str
    field: str | None = None
    answer: str | None = None
    retry_in: timedelta | None = None
    faults: tuple[Fault, ...] = ()
    request_id: str | None = None
    far_side: str = ""


@dataclass(frozen=True, slots=True)
class Absorption:
    """One record of a system has taken the place of another, on both sides (ADR 0030).

    `row` is the loser's row and `lease` the seized lane of it; both None when it never had one. `ended` are
    the records that do not speak any more, `moved` those that became the heir's.
    """

    ended: tuple[RecordKey, ...] = ()
    moved: tuple[RecordKey, ...] = ()
    row: UUID | None = None
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """What one rule compares of a row, as a hash, and how sure two rows with the same one make us."""

    rule: str
    digest: str
    confidence: int
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Prints:
    """Everything a row can be matched by now."""

    table: str
    prints: tuple[Print, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """A record has its own row again: the row with the seized lane, what is agreed of it, and how it came.

    `changes` are before and after per column of that row, as its own journal tells them.
    """

    key: RecordKey
    row: UUID
    lease: Lease
    shadow: Shadow
    changes: Mapping[str, ColumnChange] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one item and everything that has to be recorded with it.

    `subject` is the record in its own system; `changes` before/after per column, which the lane reads off the
    `shadow`; `pairs` crosswalk entries that are now certain (they release whoever waited for them);
    `waits_for` the key a parked item waits on, `waits_in` the system in which a row waited for has to be a
    record (blank: in any); `map_version` names the map that was used; `ended` the columns
    whose open conflict is over, for the reason given. `posts` is a write to be handed over, `concludes` the
    number of the pending write that is over. `absorbs` tells what became of a record merged into this one;
    `goes_to` the lane that is to decide the item instead, because this one's record was merged into that
    one, or, where it `goes_alone`, because of this item alone; `prints` what the row can be matched by from
    now on; `splits` the row that a record got of its own; `case` the number of the decision about customers
    that this carries out, or finds out of date. `unmatched` is an owner who turned out to be no user, told
    once per record; `unit` the name of the business unit of what did not go through, where units are told
    apart; `phases` the phase of each system in which a write has begun that nobody has answered; `decided_in`
    the phases it was decided in that were over by then.
    """

    outcome: Outcome
    reason: str
    subject: RecordKey
    changes: Mapping[str, ColumnChange] = field(default_factory=dict)
    collisions: tuple[Collision, ...] = ()
    shadow: Shadow | None = None
    pairs: tuple[tuple[RecordKey, UUID], ...] = ()
    waits_for: RecordKey | None = None
    waits_in: str = ""
    failing: Failing | None = None
    map_version: str = ""
    ended: Mapping[str, str] = field(default_factory=dict)
    posts: PendingWrite | None = None
    concludes: int | None = None
    absorbs: Absorption | None = None
    goes_to: UUID | None = None
    goes_alone: bool = False
    prints: Prints | None = None
    splits: Split | None = None
    case: int | None = None
    unmatched: Unmatched | None = None
    unit: str = ""
    phases: Mapping[str, str] = field(default_factory=dict)
    decided_in: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the inbox answers: the message's number, its lane if it has one, and what is known of its fate.

    `first` is False when the message had been received before; `outcome` is then the old one, if any.
    `due_at` is set while the message waits for earlier ones of its record; `turn` where its lane was taken
    for whoever brought it.
    """

    number: int
    record: UUID | None
    first: bool
    outcome: Outcome | None = None
    faults: tuple[Fault, ...] = ()
    due_at: datetime | None = None
    turn: Turn | None = None
