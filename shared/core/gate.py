"""The one gate: whatever door a message came through, it is admitted here or refused here (ADR 0001).

A refused message is recorded with every fault, answered, and never tried again by itself. An admitted one
has its place in its record's lane before anything else happens to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from shared.core.change import Change, Direction, Drain, Json, Message, Operation
from shared.core.claim import Claim
from shared.core.codes import Code
from shared.core.crosswalk import Crosswalk
from shared.core.envelope import Parse, contents
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey, chosen_row_id, guid
from shared.core.lane import OUTCOME_EVENT, LaneWorker
from shared.core.outcome import Outcome
from shared.core.patience import Patience
from shared.core.ports import Inbox, Telemetry
from shared.core.seal import Seal
from shared.core.system import LegacySystem
from shared.core.trace import correlation_of
from shared.core.verdict import Receipt


@dataclass(frozen=True, slots=True)
class Gate:
    """Admits messages and sets their lanes going."""

    inbox: Inbox
    crosswalk: Crosswalk
    systems: Mapping[str, LegacySystem]
    parse: Parse
    worker: LaneWorker
    telemetry: Telemetry
    seal: Seal
    patience: Patience = field(default_factory=Patience)

    async def receive(self, message: Message) -> Receipt | None:
        """Admit or refuse a message, then work its lane; None for a control message.

        A message seen before gets its old fate back. Raises only when the state cannot be written.
        """
        started = perf_counter()
        change: Change | None = None
        try:
            said = self._said(message)
            if isinstance(said, Drain):
                await self.worker.drain(said.record)
                return None
            change = said
            self._check(change)
            claimed = await self._claimed(message, change)
            wait = self.patience.of(change)
            receipt = await self.inbox.admit(message, change, claimed, wait, at_once=True)
        except InvalidMessage as refusal:
            return await self._refuse(message, change, refusal, started)
        if receipt.outcome is Outcome.REJECTED:
            self._tell_refusal(message, change, receipt, perf_counter() - started)
        elif receipt.record is not None and (receipt.outcome is None or not receipt.outcome.is_final):
            if receipt.due_at is not None:
                await self.worker.wake(change.direction, receipt.record, receipt.due_at)
            await self._go_on(receipt, receipt.record)
        return receipt

    async def _go_on(self, receipt: Receipt, record: UUID) -> None:
        """Work the lane of a message that has come to no end yet."""
        if receipt.turn is not None:
            await self.worker.work(receipt.turn)
        elif not receipt.first:
            # It was delivered before, and may wait for nobody else.
            await self.worker.drain(record)

    async def refuse(self, message: Message, refusal: InvalidMessage) -> Receipt:
        """Keep a message that its door refuses, under every fault it has."""
        return await self._refuse(message, self._about(message), refusal, perf_counter())

    def _about(self, message: Message) -> Change | None:
        """The change that a refused message tells of, where that is a sender's and its envelope whole."""
        try:
            said = self._said(message)
        except InvalidMessage:
            return None
        return said if isinstance(said, Change) and said.direction is Direction.INBOUND else None

    def examine(self, message: Message) -> Change | Drain:
        """What a message says, if it can be admitted; raises InvalidMessage with every fault."""
        said = self._said(message)
        if isinstance(said, Change):
            self._check(said)
        return said

    def _said(self, message: Message) -> Change | Drain:
        """What a message says; one that speaks in Tandem's name must be of its making (ADR 0021)."""
        try:
            said = self.parse(message)
        except InvalidMessage as refusal:
            raise InvalidMessage(*refusal.faults, *self._faults_beside(message, refusal)) from refusal
        is_control = isinstance(said, Drain) or said.settles is not None or said.case is not None
        if is_control and not self.seal.fits(message):
            raise InvalidMessage(Fault("/kind", Code.NOT_OURS, "a message that is not Tandem's own"))
        return said

    def _check(self, change: Change) -> None:
        """Refuse what no map can take: unknown system, entity, field or value; all faults at once."""
        if change.direction is Direction.OUTBOUND:
            table = change.subject.entity
            maps = (system.map_to(table) for system in self.systems.values())
            if not any(entry and entry.outbound for entry in maps):
                raise InvalidMessage(Fault("/table", Code.UNKNOWN_ENTITY, "a table that a map sends out"))
            return
        if faults := self._faults(change.subject, change.data):
            raise InvalidMessage(*faults)

    def _faults(self, subject: RecordKey, data: Mapping[str, Json]) -> tuple[Fault, ...]:
        """Everything no map can take of what a legacy record says."""
        system = self.systems.get(subject.system)
        if system is None:
            return (Fault("/source", Code.UNKNOWN_SYSTEM, f"one of {', '.join(self.systems)}"),)
        entry = system.map_of(subject.entity)
        if entry is None:
            known = ", ".join(each.entity for each in system.maps)
            return (Fault("/entity", Code.UNKNOWN_ENTITY, f"one of {known}"),)
        of_key = entry.key_faults(subject.id, data) if subject.id else ()
        return (*of_key, *entry.to_columns(data).faults)

    def _faults_beside(self, message: Message, refusal: InvalidMessage) -> tuple[Fault, ...]:
        """What is wrong besides with an envelope that is refused already: its sender is told all at once."""
        found = contents(message.body)
        if found is None:
            return ()
        told = {fault.field for fault in refusal.faults}
        return tuple(fault for fault in self._faults(*found) if fault.field not in told)

    async def record_of(self, message: Message, change: Change) -> UUID:
        """The canonical record: the row itself, or the row this legacy record is or will be."""
        claimed = await self._claimed(message, change)
        if isinstance(claimed, UUID):
            return claimed
        known = None if claimed.is_told else await self.crosswalk.entry(claimed.key)
        if known is not None and known.is_paired:
            return claimed.granted(known.row)
        return claimed.granted(await self.crosswalk.claim(claimed.key, claimed.named, claimed.chosen))

    async def _claimed(self, message: Message, change: Change) -> UUID | Claim:
        """The canonical record where the change says it, else which row the record claims to be."""
        if change.direction is Direction.OUTBOUND:
            return UUID((change.heir or change.subject).id)
        if change.heir is not None:
            return Claim(change.heir, None, chosen_row_id(change.heir))
        if change.operation in {Operation.SETTLE, Operation.SPLIT} and change.row_id is not None:
            return change.row_id
        told = await self._row_told(change)
        session, is_told = guid(message.session_id or ""), change.row_id is not None
        return Claim(change.subject, told, chosen_row_id(change.subject), session, is_told)

    async def _row_told(self, change: Change) -> UUID | None:
        """The row a sender, or the record itself, says it is; never one that is another record's already.

        A sender that names such a row is refused. A record that does so is a copy somebody made of the other
        one, with all its fields: it is a customer of its own and gets a row of its own.
        """
        told = change.row_id or self._row_kept(change)
        if told is None:
            return None
        holders = await self.crosswalk.records_of(told)
        if not any(key != change.subject and key.system == change.subject.system for key in holders):
            return told
        if change.row_id is not None:
            expected = f"a row that is no other record's of {change.subject.system}"
            raise InvalidMessage(Fault("/dataverseId", Code.IDENTITY_MISMATCH, expected))
        return None

    def _row_kept(self, change: Change) -> UUID | None:
        """The row a legacy record names in the field its system keeps for that."""
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        told = change.data.get(entry.row_id) if entry and entry.row_id else None
        return guid(told) if isinstance(told, str) else None

    async def _refuse(
        self, message: Message, change: Change | None, refusal: InvalidMessage, started: float
    ) -> Receipt:
        receipt = await self.inbox.reject(message, change, refusal.faults)
        if receipt.first:
            self._tell_refusal(message, change, receipt, perf_counter() - started)
        return receipt

    def _tell_refusal(
        self, message: Message, change: Change | None, receipt: Receipt, seconds: float
    ) -> None:
        dimensions = {
            "message_id": message.id,
            "session_id": message.session_id or "",
            "record": str(receipt.record or ""),
            "subject": str(change.subject) if change else "",
            "direction": change.direction.value if change else "",
            "outcome": Outcome.REJECTED.value,
            "map_version": self._map_version(change) if change else "",
            "duration_ms": f"{seconds * 1000:.1f}",
            "code": receipt.faults[0].code.value if receipt.faults else "",
            **correlation_of(message),
        }
        self.telemetry.event(OUTCOME_EVENT, dimensions, error=True)

    def _map_version(self, change: Change) -> str:
        """The map that refused the change, if it came as far as that."""
        system = self.systems.get(change.subject.system)
        entry = system.map_of(change.subject.entity) if system else None
        return entry.revision if entry else ""
