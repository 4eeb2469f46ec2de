"""The change feed: what people do in a legacy system becomes inbound messages, without a sender there.

Each change is the envelope a sender would have put on the bus, in the session of its record, under an id made
of its place in the feed. The watermark moves once a page is posted; who dies in between posts the page again
under the same ids, and the gate knows them. Our own writes come back here, too; the shadow recognises them.
"""

import json
from dataclasses import dataclass
from datetime import UTC

from shared.core.change import Json, Message, Operation
from shared.core.envelope import SCHEMA_VERSION, session_for
from shared.core.errors import SyncError, Transient
from shared.core.feed import Cursors, FeedPage, LegacyChange, LegacyFeed
from shared.core.gate import Gate
from shared.core.ports import Bus, Jobs, Telemetry
from shared.core.system import LegacySystem
from shared.core.trace import carried_on

_LEASE_SECONDS = 30.0
"""Far longer than a page takes; what is left of it is all that a runner that died costs."""

_PAGES = 50
"""Pages of one run, so that a long backlog meets no function timeout; the next run goes on."""

_LARGEST = 192 * 1024
"""Bytes of body that fit on the queue: with its properties a message must stay below its 256 KB."""

_LONGEST_SESSION = 128
"""Characters of a session id that Service Bus takes."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Reads one system's feed; one runner at a time over all instances. `owner` names this one."""

    system: LegacySystem
    source: LegacyFeed
    cursors: Cursors
    jobs: Jobs
    bus: Bus
    gate: Gate
    telemetry: Telemetry
    queue: str
    owner: str
    page_size: int = 100

    @property
    def name(self) -> str:
        """The feed's name: of its lease, its watermark, and its message ids."""
        return f"{self.system.name}-feed"

    async def run(self) -> int:
        """Post what changed since the last run; returns how many messages.

        A system or queue that cannot be reached ends the run; the next one goes on where this one stopped.
        """
        posted = 0
        try:
            for _ in range(_PAGES):
                if not await self.jobs.lease(self.name, self.owner, _LEASE_SECONDS):
                    break
                seen = await self.cursors.load(self.name)
                page = await self.source.changes(seen.position, self.page_size)
                if not page.changes:
                    break
                posted += await self._post(page)
                moved = await self.cursors.move(self.name, seen, page.next)
                if moved is None or len(page.changes) < self.page_size:
                    break
        except SyncError as error:
            dimensions = {"job": self.name, "code": error.code.value}
            self.telemetry.event("tandem.feed_stopped", dimensions, error=not isinstance(error, Transient))
        return posted

    async def _post(self, page: FeedPage) -> int:
        known = [change for change in page.changes if self.system.map_of(change.entity) is not None]
        for change in known:
            await self._send(self._message(change))
        counts = {"changes": str(len(known)), "skipped": str(len(page.changes) - len(known))}
        self.telemetry.event("tandem.feed", {"job": self.name} | counts)
        return len(known)

    async def _send(self, message: Message) -> None:
        """Put a message on the queue; one that no queue takes goes through the gate at once."""
        message = carried_on(message)
        session = message.session_id or ""
        if 0 < len(session) <= _LONGEST_SESSION and len(message.body) <= _LARGEST:
            await self.bus.post(message)
        else:
            await self.gate.receive(message)

    def _message(self, change: LegacyChange) -> Message:
        """The message of a change: the same one each time, byte for byte."""
        envelope: dict[str, Json] = {
            "schemaVersion": SCHEMA_VERSION,
            "source": self.system.name,
            "entity": change.entity,
            "sourceKey": change.id,
            "operation": "merge" if change.heir else change.operation.value,
            "changedOn": change.changed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        if change.changed_by:
            envelope["changedBy"] = change.changed_by
            if change.is_create:
                envelope["createdBy"] = change.changed_by
        if change.heir:
            envelope["mergedInto"] = change.heir
        elif change.operation is not Operation.DELETE:
            envelope["data"] = dict(change.record)
        body = json.dumps(envelope, separators=(",", ":")).encode()
        return Message(
            id=f"{self.name}-{change.cursor}",
            queue=self.queue,
            session_id=session_for(body),
            body=body,
            properties={"contentType": "application/json"},
            application_properties={"source": self.system.name, "entity": change.entity},
        )
