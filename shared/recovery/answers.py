"""What operators and senders are told about messages and records, put together from what the state knows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.core.change import Direction
from shared.core.mapping.personal import Classified, Mask
from shared.core.page import Page
from shared.core.ports import Report
from shared.core.system import LegacySystem
from shared.recovery.masking import masked, masked_conflict, table_of, without_payload

_PAGE = 200
"""How many failures and refusals one answer lists."""


class Messages(Protocol):
    """Single messages."""

    async def find(self, message_id: str, queue: str | None = None) -> Report | None:
        """A message and what is known of it."""
        ...


class Failures(Protocol):
    """What did not go through."""

    async def page(self, limit: int, *, after: int = 0) -> Page:
        """Open failures behind message number `after`, and what was refused at the gate (no `state`)."""
        ...


class Groups(Protocol):
    """Failure groups."""

    async def open(self) -> Sequence[Report]:
        """Every open group."""
        ...


class History(Protocol):
    """Records' histories."""

    async def of(self, any_id: str) -> Sequence[Report]:
        """The history of every record an id may mean."""
        ...

    async def as_of(self, any_id: str, at: datetime) -> Sequence[Report]:
        """What was believed of every such record at an instant."""
        ...

    async def seen_by(self, actor: str, *any_ids: str) -> None:
        """Write down whose values somebody saw unmasked."""
        ...


class Counts(Protocol):
    """How much there is of everything."""

    async def take(self) -> Report:
        """All counts, of one moment."""
        ...


class Standing(Protocol):
    """What stands where, and what stops it."""

    async def take(self) -> Report:
        """Everything of one moment."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks: `plain_for` names who sees personal data, None masks it."""

    plain_for: str | None = None


MASKED = Look()
"""For everybody who need not see personal data."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to people's questions; every one is JSON-ready."""

    messages: Messages
    failing: Failures
    groups: Groups
    history: History
    counts: Counts
    queues: Mapping[Direction, str]
    standing: Standing
    systems: Sequence[LegacySystem]
    # A table that nobody classified is masked altogether.
    personal: Classified = field(default_factory=dict)
    # The systems to which nothing is written, as they are declared or set up.
    read_only: frozenset[str] = frozenset()

    async def ping(self) -> None:
        """Nothing, if the state can be read; raises StoreUnavailable."""
        await self.messages.find("ping")

    async def message(self, message_id: str) -> Report | None:
        """What a sender is told about its message; None when it has not arrived."""
        found = await self.messages.find(message_id, self.queues[Direction.INBOUND])
        if found is None:
            return None
        return {
            "id": found["message_id"],
            "status": found["status"],
            "outcome": found["outcome"] or (found["status"] if found["status"] != "received" else None),
            "reason": found["reason"],
            "faults": [_pointer(fault) for fault in found["faults"]],
            "subject": found["subject"],
            "record": found["record"],
            "behind": found["behind"],
            "waitsOn": found["waits_on"],
            "attempts": found["attempts"],
            "nextRetryAt": found["next_retry_at"],
            "receivedAt": found["received_at"],
            "finishedAt": found["finished_at"],
            "sender": found["sender"],
            "correlationId": found["correlation_id"],
            "expected": self._expected({str(found["subject"]).partition(":")[0]}),
        }

    async def failures(self, after: int = 0) -> Report:
        """What is failing now: groups, open failures, and what was refused at the gate.

        Of the two last 200 together, newest message first, behind message number `after`; `more` says how
        many come behind the last one.
        """
        page = await self.failing.page(_PAGE, after=after)
        return {
            "groups": await self.groups.open(),
            "failures": [entry for entry in page.entries if entry["state"] is not None],
            "rejected": [entry for entry in page.entries if entry["state"] is None],
            "more": page.more,
        }

    async def record(self, any_id: str, look: Look = MASKED, as_of: datetime | None = None) -> Report | None:
        """The history of every record an id may mean; of the message alone when it never got a lane.

        With `as_of` what was believed of them at that instant. Personal data is masked unless `look` names
        somebody who may see it; that is then written down.
        """
        if as_of is not None:
            records = await self.history.as_of(any_id, as_of)
            message = None
        else:
            records = await self.history.of(any_id)
            message = None if records else await self.messages.find(any_id)
        if not records and message is None:
            return None
        if look.plain_for is not None:
            await self.history.seen_by(look.plain_for, any_id)
            plain = [self._with_expected(entry) for entry in records]
            return {"records": plain, "messages": [message] if message else []}
        shown = [masked(entry, table_of(entry, self._tables()), self.personal) for entry in records]
        return {
            "records": [self._with_expected(entry) for entry in shown],
            "messages": [without_payload(message)] if message else [],
        }

    async def conflicts(self, found: Sequence[Report], look: Look = MASKED) -> list[Report]:
        """Conflicts as somebody may see them; who sees their values is written down, as with a record's."""
        if look.plain_for is not None:
            if subjects := dict.fromkeys(entry["subject"] or entry["record"] for entry in found):
                await self.history.seen_by(look.plain_for, *subjects)
            return [*found]
        mask, tables = Mask(self.personal), self._tables()
        return [masked_conflict(entry, tables, mask) for entry in found]

    def _with_expected(self, entry: Report) -> Report:
        """A record's history, with how soon its legacy systems can be expected to answer."""
        return {
            **entry,
            "expected": self._expected({key["key"].partition(":")[0] for key in entry["crosswalk"]}),
        }

    def _expected(self, names: Collection[str]) -> list[Report]:
        """How soon a change reaches each system, and by what; nulls where nothing is written to it."""
        return [
            {"system": system.name, "latency": None, "way": None}
            if system.name in self.read_only
            else {"system": system.name, "latency": system.latency, "way": system.way}
            for system in self.systems
            if system.name in names
        ]

    def _tables(self) -> dict[tuple[str, str], str]:
        return {
            (system.name, entry.entity): entry.table.name for system in self.systems for entry in system.maps
        }

    async def now(self) -> Report:
        """How things stand; `conserved` is False when a message was lost or counted twice, as `strays` tells.

        `systems` tells how soon each legacy system can be expected to answer.
        """
        standing = await self.standing.take()
        counts: Mapping[str, Any] = await self.counts.take()
        fates: Mapping[str, Mapping[str, int]] = counts["by_queue"]
        messages = {direction.value: dict(fates.get(queue, {})) for direction, queue in self.queues.items()}
        total = sum((Counter(fate) for fate in messages.values()), Counter[str]())
        return {
            "messages": messages,
            "received": {direction: sum(fate.values()) for direction, fate in messages.items()},
            "waiting": total["waiting"] - counts["behind"],
            "behind": counts["behind"],
            "lanes_open": counts["lanes_open"],
            "lanes_held": counts["lanes_held"],
            "conflicts": counts["conflicts"],
            "unexplained": counts["unexplained"],
            **standing,
            "systems": self._expected({system.name for system in self.systems}),
            "conserved": counts["unexplained"] == 0 and total.total() == counts["received"],
        }


def _pointer(fault: Mapping[str, str]) -> dict[str, str]:
    return {"pointer": fault["field"], "code": fault["code"], "expected": fault["expected"]}
