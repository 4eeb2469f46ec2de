"""One module of a drop against the last accepted snapshot: what is new, changed or gone becomes messages.

A record is accepted once its message is on the queue. Who dies in between posts it again under the same id,
because the id is made of nothing but the record, its count of changes and the message itself.
"""

import asyncio
import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.core.change import Json, Message, Operation
from shared.core.drop import Accepted, ModuleState, Tally
from shared.core.envelope import SCHEMA_VERSION, session_for
from shared.core.reading import record
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Absence, Object
from shared.core.reading.finding import Finding, Remark
from shared.core.reading.record import Read
from shared.core.reading.source import Opened, Row
from shared.core.trace import carried_on
from shared.inbound.drops.parts import PartsOf
from shared.inbound.drops.ports import Snapshots

BATCH = 200
"""Records that are compared and accepted together: all that is in memory of a module besides its file."""

_FEW = 10
_MANY_SHARE = 0.2
"""More missing at once than this share, and than a few, is a cut export until a second one says so."""

_MOST_FINDINGS = 1000

Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Module:
    """One object of one drop. `hold` raises when somebody else reads the drop by now.

    `entity` is the word of the bus for its records; where they are of several kinds, each says its own.
    `located` adds to a record what the message alone tells: in which drop its file lies.
    """

    system: str
    drop: int
    entry: Object
    entity: str
    exported_at: dt.datetime
    modified: str | None
    queue: str
    snapshots: Snapshots
    send: Send
    hold: Callable[[], Awaitable[None]]
    parts: PartsOf | None = None
    located: Mapping[str, Json] = field(default_factory=dict)

    async def read(self, opened: Opened, tally: Tally) -> None:
        """Tell everything that differs; raises Unreadable when the file turns out broken in the middle."""
        keys: set[bytes] = set()
        sure = True
        while rows := await asyncio.to_thread(_taken, opened):
            await self.hold()
            found: list[Read] = []
            for row in rows:
                tally.found += 1
                said = record.read(self.entry, row, self.modified)
                if self.parts is not None and said.id:
                    said = self.parts.named(said)
                if not said.id:
                    # It may be any of those that seem to be missing.
                    sure = False
                    told = row.remarks or (Remark(FindingCode.KEY_BLANK, f"line {row.line}"),)
                    self._bar(tally, row, None, told)
                elif (folded := _digest(self._ids(said)[0].casefold())) in keys:
                    again = Remark(FindingCode.KEY_REPEATED, f"line {row.line}", self.entry.key[0])
                    self._bar(tally, row, said.id, (again,))
                else:
                    keys.add(folded)
                    if said.barred:
                        self._bar(tally, row, said.id, said.barred)
                    found.append(said)
            await self._compare(found, tally)
            await self.snapshots.told_of(self.drop, self.entity, ModuleState.READING, tally)
        if sure and self.entry.absence is Absence.DELETED:
            await self._gone(tally)

    def _bar(self, tally: Tally, row: Row, record_id: str | None, remarks: Sequence[Remark]) -> None:
        tally.kept_out += 1
        for remark in remarks:
            if len(tally.findings) < _MOST_FINDINGS:
                tally.findings.append(Finding(self.system, row.file, record_id, remark))

    async def _compare(self, found: Sequence[Read], tally: Tally) -> None:
        seen = [name for said in found for name in self._ids(said)]
        known = await self.snapshots.accepted(self.system, self.entity, seen)
        accepted: list[Accepted] = []
        for said in found:
            (name, *_) = self._ids(said)
            before = known.get(name)
            if said.barred:
                continue
            if before is not None and before.is_present and before.content == said.content:
                tally.unchanged += 1
                continue
            now = Accepted(name, said.content, before.version + 1 if before else 1)
            at = record.moment(self.entry, said, self.exported_at, self.modified)
            await self.send(self._message(now, Operation.UPSERT, at, {**said.data, **self.located}))
            accepted.append(now)
            if before is not None and before.is_present:
                tally.updated += 1
            else:
                tally.created += 1
        await self.snapshots.accept(self.system, self.entity, self.drop, accepted, seen)

    async def _gone(self, tally: Tally) -> None:
        """Tell what the export no longer holds, unless it is so much that the export is to be doubted."""
        present, missing = await self.snapshots.present(self.system, self.entity, self.drop)
        if missing > max(_FEW, present * _MANY_SHARE) and not await self.snapshots.was_doubted(
            self.system, self.entity, self.drop
        ):
            tally.doubted = missing
            tally.note = (
                f"{missing} of {present} records are missing: deletes wait until a later drop says so"
            )
            return
        while gone := await self.snapshots.absent(self.system, self.entity, self.drop, BATCH):
            await self.hold()
            ended: list[Accepted] = []
            for before in gone:
                now = Accepted(before.id, before.content, before.version + 1, is_present=False)
                await self.send(self._message(now, Operation.DELETE, self.exported_at, None))
                ended.append(now)
                tally.deleted += 1
            await self.snapshots.accept(self.system, self.entity, self.drop, ended, ())

    def _ids(self, said: Read) -> list[str]:
        """Under what a record is remembered: its id, with its kind where that may change; one that does not
        tell its kind may be any of them.
        """
        if self.entry.kinds is None:
            return [said.id]
        kinds = [said.entity] if said.entity else list(self.entry.kinds.entities.values())
        return [f"{kind}/{said.id}" for kind in kinds]

    def _message(
        self,
        now: Accepted,
        operation: Operation,
        changed_at: dt.datetime,
        data: Mapping[str, Json] | None,
    ) -> Message:
        """The message of a change: the same one each time, byte for byte."""
        entity, record_id = self.entity, now.id
        if self.entry.kinds is not None:
            entity, _, record_id = now.id.partition("/")
        envelope: dict[str, Json] = {
            "schemaVersion": SCHEMA_VERSION,
            "source": self.system,
            "entity": entity,
            "sourceKey": record_id,
            "operation": operation.value,
            "changedOn": changed_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            "version": now.version,
        }
        if data is not None:
            envelope["data"] = dict(data)
        body = json.dumps(envelope, separators=(",", ":")).encode()
        message = Message(
            id=f"{self.system}-drop-{entity}-{hashlib.sha256(body).hexdigest()[:40]}",
            queue=self.queue,
            session_id=session_for(body),
            body=body,
            properties={"contentType": "application/json"},
            application_properties={"source": self.system, "entity": entity},
        )
        return carried_on(message)


def _taken(opened: Opened) -> list[Row]:
    return list(itertools.islice(opened.rows, BATCH))


def _digest(key: str) -> bytes:
    """Eight bytes for a key, so that even a large module's keys are little to remember."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
