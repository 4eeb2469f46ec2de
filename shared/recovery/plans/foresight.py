"""What a plan would do, told before anything is written.

Each lane is played through by the flows themselves, on the far sides as they are read now and in memory from
then on. What the far side will say to a write is not foreseen: a message that would be written may still be
refused. Nothing is ever written to a far side from here.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.core.change import Change, Operation
from shared.core.errors import InvalidMessage, ParentMissing, Permanent, SyncError
from shared.core.mapping.columns import Value
from shared.core.outcome import Outcome
from shared.core.plan_items import Foreseen, Kept, LaneOfPlan
from shared.core.plan_order import Told, covered
from shared.core.verdict import Verdict
from shared.recovery.plans.outline import Outline
from shared.recovery.plans.sides import Appliers, Imagination, ReadAhead, Sides

_LISTED = 200


@dataclass(frozen=True, slots=True)
class Played:
    """A lane played through: what each message would do, and what would be agreed at its end."""

    says: dict[int, str]
    verdicts: dict[int, Verdict]
    failing: dict[int, str]
    agreed: Mapping[str, Value]
    writes: Mapping[str, int]
    reads: int


@dataclass(slots=True)
class Prediction:
    """The sum over a plan's lanes, JSON-ready as `told`."""

    told: dict[str, Any] = field(
        default_factory=lambda: {
            "records": 0,
            "levels": [],
            "says": {"heads": {}, "followers": {}},
            "writes": {},
            "reads": 0,
            "superseded": 0,
            "conflicts": {"records": 0, "listed": []},
            "fails": {"messages": 0, "listed": []},
        }
    )

    def add(self, lane: LaneOfPlan, played: Played, needless: Mapping[int, int]) -> list[Foreseen]:
        """Count a lane; returns what is kept of each of its messages."""
        told = self.told
        told["records"] += 1
        told["reads"] += played.reads
        for name, size in played.writes.items():
            told["writes"][name] = told["writes"].get(name, 0) + size
        found: list[Foreseen] = []
        for kept in lane.kept:
            says = "superseded" if kept.number in needless else played.says[kept.number]
            part = told["says"]["heads" if kept.is_head else "followers"]
            part[says] = part.get(says, 0) + 1
            found.append(Foreseen(kept.number, says, needless.get(kept.number)))
        told["superseded"] += len(needless)
        self._conflicts(lane, played)
        for kept in lane.kept:
            if kept.number in played.failing:
                told["fails"]["messages"] += 1
                entry = {"message_id": kept.message.id, "reason": played.failing[kept.number]}
                _list(told["fails"]["listed"], entry)
        return found

    def _conflicts(self, lane: LaneOfPlan, played: Played) -> None:
        """Records whose other side was changed meanwhile, and what the merge would do; no values."""
        meets = [
            {
                "message_id": kept.message.id,
                "subject": str(verdict.subject),
                "columns": [
                    {"column": each.column, "winner": each.winner, "rule": each.rule}
                    for each in verdict.collisions
                ],
                "reason": verdict.reason,
            }
            for kept in lane.kept
            if (verdict := played.verdicts.get(kept.number)) is not None
            and verdict.outcome is Outcome.CONFLICT
        ]
        if meets:
            self.told["conflicts"]["records"] += 1
            _list(self.told["conflicts"]["listed"], {"record": str(lane.record), "messages": meets})


@dataclass(frozen=True, slots=True)
class Foresight:
    """Plays lanes through."""

    sides: Sides
    appliers: Appliers

    async def of_lane(
        self, lane: LaneOfPlan, planned: Outline, ahead: ReadAhead
    ) -> tuple[Played, dict[int, int]]:
        """What a lane's messages would do, and which of its followers a later one makes needless."""
        imagined = Imagination.of(self.sides, planned, ahead)
        whole = await self._play(lane, lane.kept, imagined)
        needless = self._needless(lane, whole)
        if not needless:
            return whole, {}
        rest = [kept for kept in lane.kept if kept.number not in needless]
        shorter = await self._play(lane, rest, imagined.afresh(self.sides))
        # The proof: played without them, the lane ends with the same values, and nobody's edit is in the way.
        if shorter.agreed != whole.agreed or _collides(whole) or _collides(shorter):
            return whole, {}
        return shorter, needless

    def change_of(self, kept: Kept) -> Change | None:
        """What a message says; None when it cannot be read any more."""
        try:
            said = self.sides.parse(kept.message)
        except InvalidMessage:
            return None
        return said if isinstance(said, Change) else None

    async def _play(self, lane: LaneOfPlan, messages: Sequence[Kept], imagined: Imagination) -> Played:
        says: dict[int, str] = {}
        verdicts: dict[int, Verdict] = {}
        failing: dict[int, str] = {}
        blocked = lane.ahead is not None
        for kept in messages:
            if blocked:
                says[kept.number] = "behind"
                continue
            try:
                verdict = await self._decide(kept, lane.record, imagined)
            except ParentMissing as error:
                says[kept.number], failing[kept.number], blocked = "parked", str(error), True
            except InvalidMessage as error:
                says[kept.number], failing[kept.number] = "rejected", f"{error.code}: {error}"
            except Permanent as error:
                says[kept.number], failing[kept.number], blocked = "fails", f"{error.code}: {error}", True
            except SyncError as error:
                says[kept.number], failing[kept.number] = "unknown", f"{error.code}: {error}"
            else:
                says[kept.number], verdicts[kept.number] = verdict.outcome.value, verdict
                # Handed over by import: what follows waits until that is acknowledged.
                blocked = verdict.outcome is Outcome.PARKED
        agreed = await imagined.shadows.load(lane.record)
        values: dict[str, Value] = {name: mark.value for name, mark in agreed.marks.items()}
        reads = imagined.rows.reads + sum(each.reads for each in imagined.records.values())
        return Played(says, verdicts, failing, values, imagined.writes() | _posted(verdicts.values()), reads)

    async def _decide(self, kept: Kept, record: UUID, imagined: Imagination) -> Verdict:
        change = imagined.sides.parse(kept.message)
        if not isinstance(change, Change):
            raise TypeError("a drain message has no place in a lane")
        applier = self.appliers(imagined.sides)[change.direction]
        shadow = await imagined.shadows.load(record)
        verdict = await applier.apply(change, record, shadow, _nobody_else)
        if verdict.shadow is not None:
            imagined.shadows.agreed[record] = verdict.shadow
        imagined.crosswalk.pairs.update(verdict.pairs)
        return verdict

    def _needless(self, lane: LaneOfPlan, played: Played) -> dict[int, int]:
        """Followers that a later message covers, where that one is foreseen to go through."""
        if lane.ahead is not None or lane.has_strangers or played.failing:
            return {}
        followers = {kept.number for kept in lane.kept if not kept.is_head}
        told = [self._told(kept) for kept in lane.kept]
        return {early: late for early, late in covered(told).items() if early in followers}

    def _told(self, kept: Kept) -> Told:
        change = self.change_of(kept)
        if change is None or change.partial or change.operation is not Operation.UPSERT:
            return Told(kept.number, "", frozenset(), is_plain=False, once={})
        columns = self.sides.columns(change)
        table = self.sides.table(change)
        once: dict[str, Hashable] = {
            name: value
            for name, value in columns.items()
            if table is not None and table.columns[name].create_only
        }
        return Told(kept.number, str(change.subject), frozenset(columns), is_plain=True, once=once)


def _posted(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """What would be handed over by import, by entity."""
    posts = (verdict.posts for verdict in verdicts)
    return Counter(f"{post.system} {post.entity} by import" for post in posts if post is not None)


async def _nobody_else() -> None:
    """A lane in a prediction is nobody else's."""


def _collides(played: Played) -> bool:
    return any(verdict.outcome is Outcome.CONFLICT for verdict in played.verdicts.values())


def _list(listed: list[Any], entry: Any) -> None:
    if len(listed) < _LISTED:
        listed.append(entry)
