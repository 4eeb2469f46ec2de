"""The messages of a replay plan: what each was foreseen to do, where it stands, and what became of it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from shared.core.change import Message
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.shadow import Shadow
from shared.core.verdict import ItemState


class Fate(StrEnum):
    """What became of one message of a plan: exactly one of these once the plan is over."""

    APPLIED = "applied"
    MERGED = "merged"
    ECHO = "echo"
    STALE = "stale"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    """It was decided again and refused again; its record goes on without it."""
    SKIPPED = "skipped"
    """A person skipped it while the plan ran."""
    HELD = "held"
    """It did not go through: it fails still, or waits behind one that does, or for a parent."""
    ELSEWHERE = "elsewhere"
    """Somebody else had finished it before the plan reached it."""
    UNREACHED = "unreached"
    """The plan was cancelled before it reached it."""

    @property
    def is_trouble(self) -> bool:
        """Whether a person still has work with it."""
        return self in {Fate.HELD, Fate.REJECTED}


@dataclass(frozen=True, slots=True)
class Kept:
    """A message of a plan as it is kept, with the state of its place in its lane."""

    number: int
    record: UUID
    is_head: bool
    state: ItemState
    message: Message
    group: str | None


@dataclass(frozen=True, slots=True)
class LaneOfPlan:
    """The messages of a plan in one lane, in its order.

    `ahead` is the id of a message at the lane's head that fails and is not in the plan; `has_strangers` says
    whether anything open in the lane is not in it.
    """

    record: UUID
    kept: Sequence[Kept]
    ahead: str | None
    has_strangers: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of records, read at once: `agreed` of each, and who is paired with whom.

    A record in `of_rows` without keys, and a key in `of_keys` without a row, are paired with nothing.
    """

    agreed: Mapping[UUID, Shadow] = field(default_factory=dict)
    of_rows: Mapping[UUID, Sequence[RecordKey]] = field(default_factory=dict)
    of_keys: Mapping[RecordKey, UUID | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a message would do: a word of the prediction, and the message that makes it needless, if any."""

    number: int
    says: str
    covered_by: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A record of a plan, and the kind of its first failure: group, system, entity."""

    record: UUID
    kind: Hashable


@dataclass(frozen=True, slots=True)
class Planned:
    """One message of a plan. `seen` is the newest journal line about it when it was sent."""

    number: int
    message_id: str
    record: UUID
    is_head: bool
    level: int
    covered_by: int | None = None
    seen: int = 0
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message of a plan that was sent stands in its lane.

    `newest` is the newest journal line about it, `by_person` whether a person wrote that one; `stuck` the
    number of the lane's head, and `ahead` its message's id, where that is another one and cannot go on now.
    """

    planned: Planned
    state: ItemState
    is_failing: bool
    outcome: Outcome | None
    reason: str
    newest: int
    by_person: bool = False
    stuck: int | None = None
    ahead: str | None = None

    @property
    def is_decided(self) -> bool:
        """Whether something was decided about it since it was sent."""
        return self.newest > self.planned.seen

    @property
    def is_unsent(self) -> bool:
        """Whether it still has to be put back: it was marked as sent, and then its driver died."""
        stands = self.state is not ItemState.WAITING and (self.state is not ItemState.DONE or self.is_failing)
        return self.planned.is_head and stands and not self.is_decided


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a message, and why."""

    number: int
    fate: Fate
    reason: str


_IN_ORDER = {ItemState.WAITING, ItemState.RETRYING, ItemState.PARKED, ItemState.HELD}
"""Where others wait for an item; what was set aside holds nobody up."""

_PATIENCE = timedelta(minutes=10)
"""How long a plan waits for what the retry timer tries again by itself."""


def endings(standings: Iterable[Standing], now: datetime) -> list[Ending]:
    """What became of messages that were sent; those still on their way are left out.

    The standings come lane by lane, in each lane's order.
    """
    found: list[Ending] = []
    for _, lane in groupby(standings, key=lambda standing: standing.planned.record):
        found += _of_lane(list(lane), now)
    return found


def _of_lane(lane: Sequence[Standing], now: datetime) -> list[Ending]:
    found: list[Ending] = []
    ours = {standing.planned.number for standing in lane}
    behind: str | None = None
    is_under_way = False
    for standing in lane:
        if standing.state is not ItemState.DONE:
            if is_under_way:
                continue
            if behind is None and standing.stuck is not None and standing.stuck not in ours:
                behind = standing.ahead
        blocked = behind if standing.state is not ItemState.DONE else None
        said = (Fate.HELD, f"waits behind {blocked}") if blocked else _fate_of(standing, now)
        if said is None:
            is_under_way = True
            continue
        if said[0] is Fate.HELD and behind is None and standing.state in _IN_ORDER:
            behind = standing.planned.message_id
        found.append(Ending(standing.planned.number, *said))
    return found


def _fate_of(standing: Standing, now: datetime) -> tuple[Fate, str] | None:
    planned, reason = standing.planned, standing.reason
    if standing.state is ItemState.DONE:
        return _done(standing)
    if standing.state is ItemState.WAITING:
        return None
    if not standing.is_decided:
        if planned.is_head or standing.state is ItemState.RETRYING:
            return None
        return Fate.HELD, f"a failure of its own that was not selected: {reason}"
    is_retrying = standing.state is ItemState.RETRYING
    if is_retrying and planned.sent_at is not None and now - planned.sent_at < _PATIENCE:
        return None
    return Fate.HELD, reason


def _done(standing: Standing) -> tuple[Fate, str] | None:
    if standing.is_failing:
        return (Fate.REJECTED, standing.reason) if standing.is_decided else None
    if not standing.is_decided:
        return Fate.ELSEWHERE, standing.reason
    if standing.by_person:
        return (Fate.SUPERSEDED if standing.planned.covered_by else Fate.SKIPPED), standing.reason
    return Fate(standing.outcome or Outcome.APPLIED), standing.reason
