"""A row's change on its way to a system that takes files only: handed over, acknowledged, and then agreed.

Nothing is agreed before the system says so. Until then the change keeps its place at the head of its lane.
Once the acknowledgement is there it is decided anew: in the light of what was accepted, or of what people had
made of the record there. So the same change may be handed over more than once, each time on top of what it
is known to replace.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.acknowledging import awaiting, folded, record_of, refused, still_awaiting
from shared.core.change import Change, Json
from shared.core.legacy import LegacySide, going_out
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Kind, Value
from shared.core.mapping.spec import EntityMap, Flow, OnDelete
from shared.core.merge import Merge, Side, merge
from shared.core.outcome import Outcome
from shared.core.pending import Acknowledged, Answer, Asked, PendingWrite, PendingWrites, Posted
from shared.core.policy import never_agreed, on_delete, parted
from shared.core.ports import Hold, LegacyRecord, Rows, Shadows
from shared.core.shadow import Moment, Shadow
from shared.core.takeback import TakeBack
from shared.core.turns import LoopBudget
from shared.core.verdict import Verdict
from shared.outbound.target import Target, agreed_after, followed, unseen, with_defaults


@dataclass(frozen=True, slots=True)
class _Case:
    """One change in the light of what was answered so far: the shadow before it, and the shadow now."""

    change: Change
    target: Target
    record: UUID
    before: Shadow
    shadow: Shadow
    posted: Posted | None

    @property
    def answered(self) -> Acknowledged | None:
        """What was answered to the record's last write."""
        return self.posted.answered if self.posted else None

    @property
    def entry(self) -> EntityMap:
        """The map of the record."""
        return self.target.entry

    def has_answer(self, asked: Asked, answer: Answer) -> bool:
        """Whether the last write asked for that and got this answer."""
        return (
            self.posted is not None
            and self.posted.write.asked is asked
            and self.answered is not None
            and self.answered.answer is answer
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """Applies changes of rows to systems that are written to by import: those with a place for them."""

    lookups: Mapping[str, Lookups]
    places: frozenset[str]
    writes: PendingWrites
    rows: Rows
    shadows: Shadows
    budget: LoopBudget

    async def apply(
        self, change: Change, target: Target, shadow: Shadow, ours: Side | None, hold: Hold
    ) -> Verdict:
        """Decide what is to be handed over; `ours` is what the row says, None after a delete."""
        record = UUID(change.subject.id)
        posted = await self.writes.of(record)
        latency = target.system.latency
        if posted is not None and posted.answered is None:
            return still_awaiting(change, target.entry, posted.write, latency)
        if posted is not None and posted.answered and posted.answered.answer is Answer.REFUSED:
            return refused(change, target.entry, posted, posted.answered)
        made = record_of(posted)
        target = replace(target, key=target.key or made)
        case = _Case(change, target, record, shadow, folded(shadow, posted), posted)
        result = await (self._delete(case) if ours is None else self._upsert(case, ours, hold))
        if posted is not None:
            result = replace(result, concludes=posted.number, shadow=result.shadow or case.shadow)
            if result.outcome is Outcome.ECHO and case.has_answer(Asked.UPDATE, Answer.ACCEPTED):
                # On a row that others share nothing else may tell that it crossed.
                reason = f"{target.system.name} has taken over: {', '.join(sorted(posted.write.values))}"
                result = replace(result, outcome=Outcome.APPLIED, reason=reason)
        if made is not None and ours is not None:
            result = deciding.paired(result, ((made, record),))
        return result

    async def _upsert(self, case: _Case, ours: Side, hold: Hold) -> Verdict:
        change, target, before = case.change, case.target, replace(case.shadow, parted=None)
        known = before if target.key is None else with_defaults(change, before, ours)
        held, raw = await self._held(case)
        decision = merge(known, ours, held, target.owned)
        if target.key is None or decision.write:
            now = await self._as_it_is(case, ours)
            if now is None:
                reason = "the row is gone; its delete follows"
                return deciding.unchanged(change, Outcome.SUPERSEDED, reason, case.entry)
            ours, decision = now, merge(known, now, held, target.owned)
        tables = self.lookups[target.system.name].tables
        moved = await followed(self.rows, tables, change, known, decision.write)
        spent = self.budget.spend(known, change, decision, moved)
        if target.key is not None and not decision.write:
            after = agreed_after(case.entry, change, spent, decision, ours, (target.system.name, None))
            after = await self._take_back(case, decision, ours, after, hold)
            decided = _agreeing(deciding.verdict(change, case.entry, known, decision, after), case, known)
            return deciding.recognised(change, decided)
        write = await self._write(case, ours, decision, raw)
        # What was decided against us, or is a person's to decide, is so now; the rest once acknowledged.
        lost = {collision.column for collision in decision.collisions} & decision.agreed.keys()
        kept = {column: decision.agreed[column] for column in lost}
        after = replace(known, marks={**known.marks, **kept}, turns=spent.turns)
        after = await self._take_back(case, decision, ours, after, hold)
        return replace(
            awaiting(change, case.entry, write, target.system.latency),
            shadow=after if after != case.before else None,
            collisions=decision.collisions,
        )

    async def _as_it_is(self, case: _Case, ours: Side) -> Side | None:
        """The row as it is by now: what is handed over takes hours, so it takes every edit along that it can.

        The messages of those edits then find them agreed on; without this each would be a round of its own.
        """
        row = await self.rows.read(case.entry.table, case.record)
        if row is None:
            return None
        values = {name: row.values.get(name, value) for name, value in ours.values.items()}
        return Side(ours.system, values, max(ours.moment, deciding.row_moment(row.modified_at, row.version)))

    async def _held(self, case: _Case) -> tuple[Side | None, Mapping[str, Json]]:
        """What the record was told to hold in the place of what it was said to; its fields as they are."""
        answered = case.answered
        if answered is None or answered.answer is not Answer.CHANGED:
            return None, {}
        at = answered.changed_at or answered.at
        found = LegacyRecord(answered.id or "", answered.held, "", at)
        return await self._side(case).compared(case.entry, found, case.shadow), answered.held

    async def _write(self, case: _Case, ours: Side, decision: Merge, raw: Mapping[str, Json]) -> PendingWrite:
        key, entry = case.target.key, case.entry
        values = dict(decision.write) if key else dict(ours.values)
        said = values if key else {name: value for name, value in values.items() if value is not None}
        fields = await self._side(case).fields(entry, said)
        return PendingWrite(
            case.target.system.name,
            entry.entity,
            case.record,
            Asked.UPDATE if key else Asked.CREATE,
            key.id if key else None,
            fields if key else fields | entry.row_field(case.record),
            await self._was(case, said, raw) if key else {},
            values,
            ours.moment,
        )

    async def _was(self, case: _Case, said: Mapping[str, Value], raw: Mapping[str, Json]) -> dict[str, Json]:
        """What each field is taken to hold, in the record's own words: as told, else as agreed."""
        marks, system = case.shadow.marks, case.target.system.name
        agreed = {name: marks[name].held_by(system) if name in marks else None for name in said}
        refs = await self._side(case).lookups.to_refs(case.entry, agreed)
        was = dict(case.entry.to_fields(refs).values)
        for line in case.entry.fields:
            # Where the words themselves are kept beside an option, they are what the record holds.
            kept = line.flow is Flow.INBOUND and line.column.kind is Kind.TEXT and line.column.name in marks
            if kept and line.legacy in was:
                was[line.legacy] = line.via.to_legacy(marks[line.column.name].value)
        return was | {name: raw[name] for name in was.keys() & raw.keys()}

    async def _take_back(self, case: _Case, decision: Merge, ours: Side, after: Shadow, hold: Hold) -> Shadow:
        if not decision.back:
            return after
        phases = case.target.owned.phases
        await self.shadows.overrule(case.change, case.record, decision.collisions, phases)
        back = TakeBack(decision.back, ours.values)
        seen = await back.from_row(self.rows, case.entry.table, case.record, hold)
        return deciding.taken_back(after, ours, seen)

    async def _delete(self, case: _Case) -> Verdict:
        change, target, entry = case.change, case.target, case.entry
        if target.key is None:
            return deciding.nothing_to_delete(change, entry, case.shadow, "no legacy system has the record")
        if case.has_answer(Asked.DELETE, Answer.ACCEPTED) and case.answered is not None:
            return deciding.deleted(change, entry, case.before, (target.system.name, case.answered.at))
        held, raw = await self._held(case)
        if deciding.too_old_to_delete(change, case.shadow):
            reason = "deleted here, changed there later"
            return deciding.unchanged(change, Outcome.CONFLICT, reason, entry)
        if held is not None and (reason := unseen(entry, case.shadow, held)):
            return deciding.unchanged(change, Outcome.CONFLICT, reason, entry)
        policy = on_delete(change, entry, target.owned)
        if policy is OnDelete.IGNORE:
            return parted(change, entry, case.shadow, deactivated=False)
        if policy is OnDelete.DEACTIVATE and self._is_inactive(case):
            return parted(change, entry, case.shadow, deactivated=True)
        return awaiting(change, entry, await self._ending(case, policy, raw), target.system.latency)

    def _is_inactive(self, case: _Case) -> bool:
        """Whether the last write marked the record as no longer in use."""
        is_done = case.has_answer(Asked.UPDATE, Answer.ACCEPTED)
        return is_done and case.posted is not None and case.posted.write.fields == case.entry.inactive_record

    async def _ending(self, case: _Case, policy: OnDelete, raw: Mapping[str, Json]) -> PendingWrite:
        """The write that ends a record, on condition that it is as it is known to be."""
        entry, key = case.entry, case.target.key
        known: dict[str, Value] = {
            name: mark.value for name, mark in case.shadow.marks.items() if name in going_out(entry)
        }
        deletes = policy is OnDelete.PROPAGATE
        if deletes:
            # What was never agreed has to be blank there, too: a person may have filled it since.
            known |= dict.fromkeys(never_agreed(entry, case.shadow))
        fields = {} if deletes else dict(entry.inactive_record)
        was = await self._was(case, known, raw)
        return PendingWrite(
            case.target.system.name,
            entry.entity,
            case.record,
            Asked.DELETE if deletes else Asked.UPDATE,
            key.id if key else None,
            fields,
            {name: value for name, value in was.items() if deletes or name in fields},
            {},
            Moment(case.change.changed_at, case.change.version),
        )

    def _side(self, case: _Case) -> LegacySide:
        return LegacySide(self.lookups[case.target.system.name])


def _agreeing(result: Verdict, case: _Case, known: Shadow) -> Verdict:
    """The same verdict, called applied where the acknowledgement made both sides agree on something.

    The write may have held later edits of the row than the message it was made for. What Dataverse filled in
    by itself was `known` before, and is not what this change came to.
    """
    is_agreed = case.answered is not None and case.answered.answer is Answer.ACCEPTED
    if not is_agreed or result.outcome not in {Outcome.ECHO, Outcome.STALE, Outcome.APPLIED}:
        return result
    learned = deciding.moved(known, result.shadow) if result.shadow else {}
    written = case.posted.write.values if case.posted else {}
    columns = {*deciding.moved(case.before, case.shadow), *learned, *written}
    return replace(result, outcome=Outcome.APPLIED, reason=", ".join(sorted(columns)))
