"""Hands pending writes to a system as workbooks, and takes its acknowledgements.

What goes into a workbook is settled in SQL before the first byte is written, and the bytes follow from it:
who dies in between writes the same workbook again under the same name. Each row has a name of its own that it
keeps in every workbook, so a system that has seen it repeats its answer and does nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from shared.core.change import Direction
from shared.core.errors import SyncError, Transient
from shared.core.imports import Imports, answered_in, table
from shared.core.pending import Acknowledged, ImportFile
from shared.core.ports import Bus, Clock, Jobs, Report, Telemetry
from shared.core.reading.export import Object
from shared.core.reading.source import Unreadable
from shared.outbound.imports.ports import ImportPlace, ImportQueue

_LEASE_SECONDS = 120.0
"""Longer than one workbook takes; renewed with each."""

_MOST_ROWS = 1000
"""Rows of one workbook: few enough to be looked through by a person."""


class Overtaken(Exception):
    """Another instance hands over by now."""


@dataclass(frozen=True, slots=True)
class Handing:
    """Hands over to one system; one runner at a time over all instances. `owner` names this one.

    `collect` is how long writes wait for others to share their workbook, `lost_after` how long a workbook may
    be gone from its place without an acknowledgement before it is written once more.
    """

    imports: Imports
    place: ImportPlace
    queue: ImportQueue
    jobs: Jobs
    bus: Bus
    clock: Clock
    telemetry: Telemetry
    owner: str
    collect: timedelta
    lost_after: timedelta

    @property
    def name(self) -> str:
        """The name of its lease."""
        return f"{self.imports.system}-imports"

    async def run(self) -> int:
        """Take what was acknowledged, then write what is pending; returns how many workbooks were written.

        A place that cannot be reached ends the run; the next one goes on where this one stopped.
        """
        written = 0
        try:
            await self._hold()
            there = await self.place.names()
            for file in await self.queue.under_way(self.imports.system):
                await self._hold()
                written += await self._follow(file, there)
            for entity, since in (await self.queue.waiting(self.imports.system)).items():
                if self.clock.now() - since >= self.collect:
                    await self._hold()
                    written += await self._make(entity)
            await self._let_go()
        except Overtaken:
            return written
        except SyncError as error:
            dimensions = {"job": self.name, "code": error.code.value}
            self.telemetry.event("tandem.import_stopped", dimensions, error=not isinstance(error, Transient))
        return written

    async def _let_go(self) -> None:
        """Whoever dies between two runs then keeps nobody waiting; another's lease is left alone."""
        await self.jobs.lease(self.name, self.owner, 0)

    async def _hold(self) -> None:
        if not await self.jobs.lease(self.name, self.owner, _LEASE_SECONDS):
            raise Overtaken

    async def _follow(self, file: ImportFile, there: frozenset[str]) -> int:
        """Take a workbook's acknowledgement, or write it where it surely is not; 1 when it was written."""
        module = self.imports.module(file.entity)
        if module is None:
            raise LookupError(f"{self.imports.system} has no module for {file.entity}")
        if answered_in(file.name) in there:
            await self._acknowledge(file, module)
            return 0
        if file.written_at is None:
            return await self._write(file, module)
        if file.name not in there and self.clock.now() - file.written_at >= self.lost_after:
            self.telemetry.event("tandem.import_lost", {"job": self.name, "file": file.name}, error=True)
            return await self._write(file, module)
        return 0

    async def _acknowledge(self, file: ImportFile, module: Object) -> None:
        entry = self.imports.answer_to(module, file.name)
        try:
            rows = await self.place.read(entry)
        except Unreadable as unreadable:
            # It may be half written still; if it stays so, its rows' age raises the alarm.
            codes = ", ".join(remark.code.value for remark in unreadable.remarks)
            await self.queue.remark(file.number, f"its acknowledgement cannot be read: {codes}")
            return
        now = self.clock.now()
        read = [self.imports.acknowledged(module, entry, row, now) for row in rows]
        answers = dict(said for said in read if said is not None)
        odd = sum(said is None for said in read)
        note = f"{odd} rows of its acknowledgement say nothing" if odd else ""
        await self._told(file, answers, await self.queue.acknowledge(file.number, answers, note))

    async def _told(
        self, file: ImportFile, answers: "dict[UUID, Acknowledged]", released: Sequence[UUID]
    ) -> None:
        counts = dict.fromkeys(self.imports.answers.values(), 0)
        for said in answers.values():
            counts[said.answer] += 1
        dimensions = {"job": self.name, "file": file.name}
        dimensions |= {answer.value: str(count) for answer, count in counts.items()}
        self.telemetry.event("tandem.import_acknowledged", dimensions)
        for record in released:
            await self.bus.wake(Direction.OUTBOUND, record, self.clock.now())

    async def _make(self, entity: str) -> int:
        module = self.imports.module(entity)
        if module is None:
            raise LookupError(f"{self.imports.system} has no module for {entity}")
        written = 0
        stem = self.imports.stem(module, self.clock.now())
        while file := await self.queue.form(self.imports.system, entity, stem, _MOST_ROWS):
            written += await self._write(file, module)
        return written

    async def _write(self, file: ImportFile, module: Object) -> int:
        rows = await self.queue.rows(file.number)
        cells = table(self.imports, module, rows)
        await self.place.put(file.name, module.sheet or module.entity, cells)
        await self.queue.written(file.number)
        dimensions = {"job": self.name, "file": file.name, "rows": str(len(rows))}
        self.telemetry.event("tandem.import", dimensions)
        return 1


@dataclass(frozen=True, slots=True)
class Handover:
    """Every system that is written to by import, and what people are told of it.

    `latency` is the class of delay to expect of each.
    """

    systems: Sequence[Handing]
    queue: ImportQueue
    latency: Mapping[str, str] = field(default_factory=dict)

    async def run(self) -> int:
        """Hand over what is pending; returns how many workbooks were written."""
        return sum([await each.run() for each in self.systems])

    async def told(self) -> Report:
        """The pending writes, with how long that may take, and the last workbooks."""
        told = await self.queue.report()
        pending = [{**entry, "latency": self.latency.get(entry["system"], "")} for entry in told["pending"]]
        return {**told, "pending": pending}
