"""Notices export drops, waits until each is whole, and reads them in the order in which they were written.

A drop is read when its list is there, every file the list names is there, and nothing has changed in it for a
while. A file that cannot be read, or holds another count than listed, stops its own module and no other.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.change import Json, Message
from shared.core.drop import DropState, Known, ModuleState, Seen, Tally
from shared.core.errors import SyncError, Transient
from shared.core.feed import Cursors
from shared.core.gate import Gate
from shared.core.ports import Bus, Clock, Jobs, Report, Telemetry
from shared.core.reading import inventory
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Export, Object
from shared.core.reading.finding import Finding, Remark
from shared.core.reading.inventory import Inventory
from shared.core.reading.source import Opened, Source, Unreadable
from shared.core.system import LegacySystem
from shared.inbound.drops.module import Module
from shared.inbound.drops.parts import PartsOf
from shared.inbound.drops.ports import DropPlace, Snapshots

_LEASE_SECONDS = 120.0
"""Longer than one batch takes; renewed with each."""

_LARGEST = 192 * 1024
_LONGEST_SESSION = 128
"""What fits on a queue of Service Bus, as for every feed."""


class Overtaken(Exception):
    """Another instance reads the drops by now."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A drop that is whole: its place in time, and what its list says."""

    known: Known
    seen: Seen
    source: Source
    listed: Inventory
    exported_at: datetime
    spoilt: Mapping[str, Remark]


@dataclass(frozen=True, slots=True)
class Drops:
    """Reads one system's drops; one runner at a time over all instances. `owner` names this one."""

    system: LegacySystem
    export: Export
    place: DropPlace
    snapshots: Snapshots
    cursors: Cursors
    jobs: Jobs
    bus: Bus
    gate: Gate
    clock: Clock
    telemetry: Telemetry
    queue: str
    owner: str
    settle: timedelta

    @property
    def name(self) -> str:
        """The name of its lease and its watermark."""
        return f"{self.system.name}-drops"

    async def run(self) -> int:
        """Read every drop that is ready; returns how many messages were posted.

        A place or queue that cannot be reached ends the run; the next one goes on where this one stopped.
        """
        posted = 0
        try:
            await self._hold()
            for ready in sorted(await self._ready(), key=lambda drop: (drop.exported_at, drop.seen.name)):
                posted += await self._read(ready)
            await self._let_go()
        except Overtaken:
            return posted
        except SyncError as error:
            dimensions = {"job": self.name, "code": error.code.value}
            self.telemetry.event("tandem.feed_stopped", dimensions, error=not isinstance(error, Transient))
        return posted

    async def _let_go(self) -> None:
        """Whoever dies between two runs then keeps nobody waiting; another's lease is left alone."""
        await self.jobs.lease(self.name, self.owner, 0)

    async def _hold(self) -> None:
        if not await self.jobs.lease(self.name, self.owner, _LEASE_SECONDS):
            raise Overtaken

    async def _ready(self) -> list[Ready]:
        ready: list[Ready] = []
        for seen in await self.place.drops():
            known = await self.snapshots.note(self.system.name, seen)
            if known.state in {DropState.READ, DropState.LATE}:
                continue
            if known.state is not DropState.READING and self.clock.now() - known.seen_at < self.settle:
                continue
            source = await self.place.opened(seen)
            listed = await asyncio.to_thread(inventory.read, self.export, source)
            if missing := _missing(self.export, source, listed):
                await self.snapshots.mark(known.number, DropState.INCOMPLETE, missing)
                continue
            times = [entry.exported_at for entry in listed.listed if entry.exported_at]
            spoilt = await asyncio.to_thread(_spoilt, self.export, source, listed)
            ready.append(Ready(known, seen, source, listed, max(times, default=known.seen_at), spoilt))
        return ready

    async def _read(self, ready: Ready) -> int:
        at = await self.cursors.load(self.name)
        if at.position and ready.exported_at < datetime.fromisoformat(at.position):
            reason = "older than a drop that was read before; its differences would undo newer changes"
            await self.snapshots.mark(ready.known.number, DropState.LATE, reason, ready.exported_at)
            return 0
        await self.snapshots.mark(ready.known.number, DropState.READING, "", ready.exported_at)
        posted, stopped = 0, 0
        for entry in self.export.objects:
            if all(self.system.map_of(entity) is None for entity in entities_of(entry)):
                continue
            tally = Tally()
            state = await self._module(ready, entry, tally)
            stopped += state is ModuleState.STOPPED
            posted += tally.created + tally.updated + tally.deleted
            await self.snapshots.told_of(ready.known.number, entity_of(entry), state, tally)
        await self.cursors.move(self.name, at, ready.exported_at.isoformat())
        await self.snapshots.mark(ready.known.number, DropState.READ, "", ready.exported_at)
        counts = {"changes": str(posted), "stopped_modules": str(stopped)}
        self.telemetry.event("tandem.drop", {"job": self.name} | counts, error=stopped > 0)
        return posted

    async def _module(self, ready: Ready, entry: Object, tally: Tally) -> ModuleState:
        listed = ready.listed.of(entry)
        tally.listed = listed.count if listed else None
        own = listed.exported_at if listed else None
        module = Module(
            self.system.name,
            ready.known.number,
            entry,
            entity_of(entry),
            min(own or ready.exported_at, self.clock.now()),
            self.export.modified if self.export.modified and entry.column(self.export.modified) else None,
            self.queue,
            self.snapshots,
            self._send,
            self._hold,
        )
        try:
            if _is_empty(ready, entry):
                await module.read(Opened((), (), iter(())), tally)
                return ModuleState.READ
            await self._check(ready, entry)
            opened = await asyncio.to_thread(ready.source.open, entry)
            parts = await self._parts(ready, entry)
            await replace(module, parts=parts, located=self._located(ready, entry)).read(opened, tally)
        except Unreadable as unreadable:
            remarks = unreadable.remarks
            if any(remark.code is FindingCode.FILE_MISSING for remark in remarks):
                # The list names no such file, or the drop would not be whole: it is another pass's.
                held, _ = await self.snapshots.present(self.system.name, module.entity, module.drop)
                kept = f"; its {held} records stay as they are" if held else ""
                tally.note = f"not in this drop{kept}"
                return ModuleState.ABSENT
            tally.findings += [Finding(self.system.name, entry.file, None, remark) for remark in remarks]
            tally.note = ", ".join(remark.code.value for remark in remarks)
            return ModuleState.STOPPED
        return ModuleState.READ

    async def _parts(self, ready: Ready, entry: Object) -> PartsOf | None:
        """The parts of this object's records, where it has any: a broken or cut sheet of them stops both."""
        known = self.system.map_of(entity_of(entry))
        if known is None or known.parts is None:
            return None
        sheet = next(each for each in self.export.objects if entity_of(each) == known.parts.entity)
        await self._check(ready, sheet)
        opened = await asyncio.to_thread(ready.source.open, sheet)
        return await asyncio.to_thread(PartsOf.counted, known.parts.field, entry, sheet, opened.rows)

    def _located(self, ready: Ready, entry: Object) -> Mapping[str, Json]:
        """In which folder of the place the files of this object's records lie, if they have any."""
        known = self.system.map_of(entity_of(entry))
        if entry.attachments is None or known is None or known.drop is None:
            return {}
        return {known.drop: f"{ready.seen.name}/{entry.attachments.prefix}".strip("/") or "."}

    async def _check(self, ready: Ready, entry: Object) -> None:
        """Refuse a file that is not what the list says, before any of its records is told."""
        if (spoilt := ready.spoilt.get(entry.file)) is not None:
            raise Unreadable(spoilt)
        opened = await asyncio.to_thread(ready.source.open, entry)
        count = await asyncio.to_thread(lambda: sum(1 for _ in opened.rows))
        if differs := inventory.counted(ready.listed, entry, count):
            raise Unreadable(*differs)

    async def _send(self, message: Message) -> None:
        """Put a message on the queue; one that no queue takes goes through the gate at once."""
        session = message.session_id or ""
        if 0 < len(session) <= _LONGEST_SESSION and len(message.body) <= _LARGEST:
            await self.bus.post(message)
        else:
            await self.gate.receive(message)


@dataclass(frozen=True, slots=True)
class FileExchange:
    """Every system's drops, and what people are told of them."""

    drops: Sequence[Drops]
    snapshots: Snapshots

    async def run(self) -> int:
        """Read what is ready; returns how many messages were posted."""
        return sum([await drops.run() for drops in self.drops])

    async def told(self, after: int = 0) -> Report:
        """The last drops, their modules, and what is kept out, behind finding `after`."""
        return await self.snapshots.report(after)


def entity_of(entry: Object) -> str:
    """The word of the bus for an object of an export."""
    return entry.entity.replace(" ", "_")


def entities_of(entry: Object) -> tuple[str, ...]:
    """Every word of the bus that a record of an object may go by."""
    return tuple(entry.kinds.entities.values()) if entry.kinds else (entity_of(entry),)


def _is_empty(ready: Ready, entry: Object) -> bool:
    """Whether the list says that an object has no rows, and no file of it is there: a folder of no texts."""
    counts = [
        said.count
        for said in ready.listed.listed
        if said.file == entry.file and said.sheet in {None, entry.sheet}
    ]
    is_there = any(path.startswith(entry.file) for path in ready.source.files())
    return bool(counts) and not any(count != 0 for count in counts) and not is_there


def _spoilt(export: Export, source: Source, listed: Inventory) -> dict[str, Remark]:
    """The files that are not what the list says, by their path."""
    codes = {FindingCode.FILE_SIZE_DIFFERS, FindingCode.FILE_HASH_DIFFERS}
    return {
        file: remark for file, remark in inventory.compared(export, source, listed) if remark.code in codes
    }


def _missing(export: Export, source: Source, listed: Inventory) -> str:
    """Why a drop is not whole yet; blank when it is."""
    if listed.remarks:
        return f"waits for {export.inventory.file}"
    files = source.files()
    gone = [
        entry.file
        for entry in listed.listed
        if entry.count and not any(path.startswith(entry.file) for path in files)
    ]
    return f"waits for {', '.join(dict.fromkeys(gone))}" if gone else ""
