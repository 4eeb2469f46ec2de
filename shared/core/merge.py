"""The three-way merge: base is the shadow, one side speaks, the other is what its record holds now.

A pure decision per column. It is the same in both directions and does not depend on the order of arrival:

- the same side said something newer already          -> stale, left alone
- it says what is agreed                               -> nothing to do
- it changed the column, the other side did not        -> written
- both changed it to the same value                    -> agreed
- the other side alone decides the column              -> what is said is kept, and taken back there
- both changed it to different values                  -> the side that decides the column wins, or the newer
  change; the losing value is kept
- and the column is a person's to decide               -> both sides stay as they are until one has decided

Where the other side wins, what ours says becomes the agreed value: the winner's change then counts as made on
top of it, so its own message writes it over here whatever the clocks say by then, and nobody decides twice.

A column without a mark has nothing agreed, so any value the other side holds counts as its change.

Where several records are one row, each side's base is what that side was known to hold, and among the records
survivorship decides first whose value the row is to hold:

- the row's value is news to the record spoken to        -> written there
- another record's value stands                          -> what is said is kept, and taken back there
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import Owner
from shared.core.ownership import Ownership
from shared.core.shadow import NEVER, Mark, Moment, Shadow
from shared.core.survivorship import NEWEST, Claim, Survivorship, best, others
from shared.core.verdict import Collision


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says: its columns, the moment it speaks of, and the system's name.

    `alike` names the columns in which that is its word for what is agreed, too.
    """

    system: str
    values: Mapping[str, Value]
    moment: Moment
    alike: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Merge:
    """The decision: what to write to the other side, and what becomes agreed by it.

    `agreed` holds new marks for columns that need no write; `write` the columns to write; `stale` the columns
    left alone; `collisions` what both sides changed; `complete` whether, once written, the other side holds
    exactly what it is taken to hold. `back` holds agreed values that our own side is to take back; `ended`
    names the columns on which both sides agree again without the person who was to decide. `behind` names the
    columns in `write` that are no news but to the record they are written to; `other` is that side's system,
    `third` the systems whose records are this row, too.
    """

    write: Mapping[str, Value]
    agreed: Mapping[str, Mark]
    stale: tuple[str, ...]
    collisions: tuple[Collision, ...]
    complete: bool
    back: Mapping[str, Value] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    other: str = field(default="", compare=False)
    third: frozenset[str] = field(default=frozenset(), compare=False)


ANYBODY = Ownership()
"""Both sides may edit every column, and the newer change wins."""


def merge(
    shadow: Shadow,
    ours: Side,
    theirs: Side | None,
    owned: Ownership = ANYBODY,
    rules: Survivorship = NEWEST,
) -> Merge:
    """Decide every column that `ours` speaks of, in the light of who owns it.

    `theirs` is what the other side holds now, when it had to be read; None means it is known to hold the
    agreed values. `rules` decide between the records that are this row.
    """
    other = owned.system if ours.system == DATAVERSE else DATAVERSE
    other = theirs.system if theirs else other
    third = shadow.sharing - {DATAVERSE, ours.system, other}
    found = _Columns(shadow, ours, theirs, owned, rules, other, third)
    for column, value in ours.values.items():
        found.decide(column, value)
    agreed = found.agreed
    if theirs is not None:
        agreed = agreed | _confirmed({**shadow.marks, **agreed}, theirs, found.write)
    settled = {**shadow.marks, **agreed}
    complete = theirs is None or all(
        held == (settled[column].held_by(theirs.system) if column in settled else None)
        for column, held in theirs.values.items()
        if column not in found.write
    )
    return Merge(
        found.write,
        agreed,
        tuple(found.stale),
        tuple(found.collisions),
        complete=complete,
        back=found.back,
        ended=tuple(found.ended),
        behind=tuple(found.behind),
        other=found.other,
        third=found.third,
    )


@dataclass(slots=True)
class _Columns:
    """The decision as it grows, column by column."""

    shadow: Shadow
    ours: Side
    theirs: Side | None
    owned: Ownership
    rules: Survivorship
    other: str
    third: frozenset[str]
    write: dict[str, Value] = field(default_factory=dict)
    back: dict[str, Value] = field(default_factory=dict)
    agreed: dict[str, Mark] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)
    collisions: list[Collision] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)

    def decide(self, column: str, value: Value) -> None:
        """Decide one column."""
        ours, mark = self.ours, self.shadow.marks.get(column)
        base = mark.held_by(ours.system) if mark else None
        known = mark.held_by(self.other) if mark else None
        held = self._held(column, known)
        if mark and ours.moment < mark.seen.get(ours.system, ours.moment):
            self.stale.append(column)
        elif mark and mark.disputed:
            self._dispute_again(column, value, mark)
        elif mark and value == base:
            self.agreed[column] = _seen(mark, ours)
            if ours.system == DATAVERSE and value != known:
                self._tell_on(column, value, mark, held, known)
        elif mark and held == known and ours.system in mark.seen and self._is_theirs(column):
            self._take_back(column, value, mark)
        elif held == value:
            self.agreed[column] = self._mark(value, mark)
        elif mark and (stands := self._surviving(column, value, mark)) is not None:
            self._yield(column, value, mark, stands, is_free=held == known)
        elif held == known or self.theirs is None:
            self.write[column] = value
        else:
            self._collide(column, (base, value, held), mark, self.theirs)

    def _held(self, column: str, known: Value) -> Value:
        """What the other side holds; its word for what is agreed is no change."""
        if self.theirs is None or column in self.theirs.alike:
            return known
        return self.theirs.values.get(column, known)

    def _mark(self, value: Value, mark: Mark | None) -> Mark:
        return _mark(value, self.ours, mark, self.third)

    def _tell_on(self, column: str, value: Value, mark: Mark, held: Value, known: Value) -> None:
        """The row says nothing new, and the record spoken to was known to hold something else."""
        if held == value:
            # It was told by a write that nobody heard of: what it tells of that is not its own word.
            self.agreed[column] = _together(_seen(mark, self.ours), self.other)
        elif held == known:
            self.write[column] = value
            self.behind.append(column)

    def _surviving(self, column: str, value: Value, mark: Mark) -> Claim | None:
        """Another record's claim, if that is the one to stand."""
        ours = self.ours
        sharing = () if ours.system == DATAVERSE else others(mark, ours.system, self.shadow.gone)
        if not sharing:
            return None
        stands = best(self.rules, column, mark, Claim(ours.system, value, ours.moment.at), sharing)
        return None if stands.system == ours.system else stands

    def _yield(self, column: str, value: Value, mark: Mark, stands: Claim, *, is_free: bool) -> None:
        """Keep what is said as this record's own; the row holds, or gets, what stands."""
        rule = f"survivorship: {self.rules.of(column)}"
        self.collisions.append(Collision(column, mark.value, value, mark.value, stands.system, rule))
        self.agreed[column] = _apart(_seen(mark, self.ours), self.ours.system, value)
        row = mark.value
        if stands.value != row and is_free:
            # The value that goes was ours alone: the next best takes its place.
            self.write[column] = row = stands.value
        if row != value:
            self.back[column] = row

    def _is_theirs(self, column: str) -> bool:
        """Whether the other side alone decides a column."""
        owner = self.owned.of(column)
        return owner is (Owner.LEGACY if self.ours.system == DATAVERSE else Owner.DATAVERSE)

    def _take_back(self, column: str, value: Value, mark: Mark) -> None:
        inbound, outbound = _placed(self.ours, value, mark.value)
        rule = f"{self.owned.phase}: not for {self.ours.system} to change"
        winner = self.owned.system if self.ours.system == DATAVERSE else DATAVERSE
        self.collisions.append(Collision(column, mark.value, inbound, outbound, winner, rule))
        self.back[column] = mark.value
        self.agreed[column] = _seen(mark, self.ours)

    def _collide(
        self, column: str, values: tuple[Value, Value, Value], mark: Mark | None, theirs: Side
    ) -> None:
        base, value, held = values
        inbound, outbound = _placed(self.ours, value, held)
        winner, rule = _winner(self.ours, theirs, self.owned.of(column), self.owned.phase)
        self.collisions.append(Collision(column, base, inbound, outbound, winner, rule))
        if not winner:
            known = _held_at(mark or Mark(None, self.ours.moment.at, self.ours.system), theirs)
            self.agreed[column] = _disputed(known, self.ours, value, theirs.system, held)
        elif winner == self.ours.system:
            self.write[column] = value
        else:
            self.agreed[column] = self._mark(value, mark)

    def _dispute_again(self, column: str, value: Value, mark: Mark) -> None:
        """More is said about a column that waits for a person: only agreement ends that."""
        ours, other = self.ours, DATAVERSE if self.ours.system != DATAVERSE else mark.rival
        held = mark.disputed[other]
        if {ours.system, self.other} - mark.disputed.keys() and not self._joins(column, value, mark, held):
            return
        if self.theirs is not None and column in self.theirs.values:
            held, mark = self.theirs.values[column], _held_at(mark, self.theirs)
        if value == held:
            self.agreed[column] = self._mark(value, mark)
            self.ended.append(column)
            return
        again = _disputed(mark, ours, value, other, held)
        self.agreed[column] = again
        if again.disputed != mark.disputed:
            inbound, outbound = _placed(ours, value, held)
            self.collisions.append(Collision(column, mark.value, inbound, outbound, "", "person"))

    def _joins(self, column: str, value: Value, mark: Mark, held: Value) -> bool:
        """Whether a record that has no part in a dispute says something else than the row holds, too.

        Then it is its value that the person decides on; that of the other record is known, as every record's
        of this row that is not asked about. Else the dispute goes on without it, and what the row says in it
        is told to it once that is over.
        """
        ours = self.ours.system
        if ours != DATAVERSE and value not in (mark.held_by(ours), held):
            return True
        known = _seen(mark, self.ours)
        self.agreed[column] = known if ours == DATAVERSE else _apart(known, ours, value)
        return False


def already_made(decision: Merge, ours: Side) -> Merge:
    """The decision once the other side's record turns out to be the one this very change made earlier.

    What it holds besides was changed on top of ours, so nothing is written and nothing collides; what was
    changed is told by its own messages.
    """
    made = {column: _mark(value, ours, None, decision.third) for column, value in ours.values.items()}
    # Nor does a column wait for a person that nobody has changed but them.
    changed = {collision.column for collision in decision.collisions}
    agreed = {column: mark for column, mark in decision.agreed.items() if column not in changed}
    untouched = decision.complete and not decision.write and not changed
    return replace(decision, write={}, agreed={**made, **agreed}, collisions=(), complete=untouched)


def marks_after(shadow: Shadow, decision: Merge, ours: Side, other: Side | None) -> dict[str, Mark]:
    """The shadow's marks once the write succeeded.

    `other` is what the other side answered to it; None when that tells nothing of when it held the values.
    """
    marks = {**shadow.marks, **decision.agreed}
    for column, value in decision.write.items():
        mark = _written(value, ours, decision.agreed.get(column), shadow.marks.get(column), decision)
        seen = {**mark.seen, other.system: other.moment} if other else mark.seen
        marks[column] = replace(mark, seen=seen)
    return marks


def _written(value: Value, ours: Side, agreed: Mark | None, before: Mark | None, decision: Merge) -> Mark:
    """A written column's mark: a new value of ours, else the row's own told on, or another record's."""
    if agreed is None:
        return _mark(value, ours, before, decision.third)
    if ours.system in agreed.apart:
        return _apart(_mark(value, ours, before, decision.third), ours.system, agreed.apart[ours.system])
    return _together(agreed, decision.other)


def _confirmed(marks: Mapping[str, Mark], theirs: Side, write: Mapping[str, Value]) -> dict[str, Mark]:
    """The marks of columns that the other side was just read to hold: no earlier word of it can undo them."""
    return {
        column: replace(mark, seen={**mark.seen, theirs.system: theirs.moment})
        for column, mark in marks.items()
        if column in theirs.values
        and column not in write
        and not mark.disputed
        and theirs.values[column] == mark.held_by(theirs.system)
        and theirs.moment > mark.seen.get(theirs.system, NEVER)
    }


def _mark(value: Value, ours: Side, mark: Mark | None, third: frozenset[str]) -> Mark:
    """A value on which ours and the other side agree; whoever else held another one is apart from now on."""
    seen = {**(mark.seen if mark else {}), ours.system: ours.moment}
    held = {system: mark.told_by(system) if mark else None for system in sorted(third)}
    apart = {system: other for system, other in held.items() if other != value}
    return Mark(value, ours.moment.at, ours.system, seen, apart=apart)


def _apart(mark: Mark, system: str, value: Value) -> Mark:
    return replace(mark, apart={**mark.apart, system: value})


def _together(mark: Mark, system: str) -> Mark:
    return replace(mark, apart={name: held for name, held in mark.apart.items() if name != system})


def _seen(mark: Mark, ours: Side) -> Mark:
    return replace(mark, seen={**mark.seen, ours.system: ours.moment})


def _held_at(mark: Mark, theirs: Side) -> Mark:
    """The mark of a column in dispute, once the other side was read: what it said earlier comes too late."""
    seen = max(theirs.moment, mark.seen.get(theirs.system, NEVER))
    return replace(mark, seen={**mark.seen, theirs.system: seen})


def _disputed(mark: Mark, ours: Side, value: Value, other: str, held: Value) -> Mark:
    """The mark of a column in dispute between two; a third whose value was in it is apart by now."""
    parties = {ours.system: value, other: held}
    apart = {**mark.apart, **{name: was for name, was in mark.disputed.items() if name not in parties}}
    return replace(_seen(mark, ours), disputed=parties, apart=apart)


def _placed(ours: Side, value: Value, held: Value) -> tuple[Value, Value]:
    """What we say and what the other side holds, as what came in and what went out."""
    return (held, value) if ours.system == DATAVERSE else (value, held)


def _winner(ours: Side, theirs: Side, owner: Owner, phase: str) -> tuple[str, str]:
    """Whose change stands, and by which rule; nobody's when a person is to decide.

    Of two changes the newer one; at the same second Dataverse's, so that both orders of arrival agree.
    """
    if owner is Owner.PERSON:
        return "", "person"
    if owner is not Owner.NEWEST:
        is_ours = (ours.system == DATAVERSE) == (owner is Owner.DATAVERSE)
        return (ours.system if is_ours else theirs.system), f"{phase}: {owner} decides"
    mine, yours = _second(ours.moment.at), _second(theirs.moment.at)
    if mine == yours:
        return DATAVERSE, "same second: Dataverse"
    return (ours.system if mine > yours else theirs.system), "newest"


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
