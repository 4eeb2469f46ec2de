"""Alerts: one ticket per group of failures, kept true, closed when the group is empty (E-14).

A ticket names the cause, the count, the systems, since when, one example by message id, and what to do. It
never carries a customer's value. A desk that cannot be reached costs nothing but time: the next run tells it.

What is tried again by itself needs nobody, unless it lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.errors import SyncError
from shared.core.ports import Clock, Jobs, Report, Telemetry, TicketDesk
from shared.recovery.teams import Teams

_JOB = "alert"
_LEASE_SECONDS = 30.0


class Cases(Protocol):
    """Failure groups and what their tickets say."""

    async def untold(self) -> Sequence[Report]:
        """Open groups without a ticket."""
        ...

    async def outdated(self) -> Sequence[Report]:
        """Open groups whose ticket says something that is no longer true."""
        ...

    async def emptied(self) -> Sequence[Report]:
        """Groups with a ticket and nothing that fails any more."""
        ...

    async def ticket_opened(self, group: str, ticket_id: str, team: str, told: int) -> bool:
        """Record a group's ticket."""
        ...

    async def ticket_updated(self, group: str, told: int) -> None:
        """Record what a group's ticket says now."""
        ...

    async def ticket_closed(self, group: str) -> None:
        """Record that a group's ticket is closed."""
        ...


@dataclass(frozen=True, slots=True)
class Alerts:
    """Tells people about groups of failures that need them.

    `lasting` is how long a group may be tried again before people are told of it all the same.
    """

    cases: Cases
    desk: TicketDesk
    jobs: Jobs
    telemetry: Telemetry
    owner: str
    clock: Clock
    lasting: timedelta
    teams: Teams = field(default_factory=Teams)

    async def run(self) -> None:
        """Open, update and close tickets; by one instance at a time."""
        if not await self.jobs.lease(_JOB, self.owner, _LEASE_SECONDS):
            return
        try:
            await self._tell()
        except SyncError as error:
            self.telemetry.event("tandem.desk_unreachable", {"code": error.code.value}, error=True)

    async def _tell(self) -> None:
        for group in await self.cases.untold():
            if group["held"] or group["rejected"] or group["parked"] or self._lasts(group):
                team = self.teams.of(group)
                ticket = await self.desk.open(group["ticket_key"], _title(group), _body(group), team)
                await self.cases.ticket_opened(group["group"], ticket, team, group["open"])
        for group in await self.cases.outdated():
            await self.desk.update(group["ticket"], _body(group))
            await self.cases.ticket_updated(group["group"], group["open"])
        for group in await self.cases.emptied():
            await self.desk.close(group["ticket"], "Nothing of this group fails any more.")
            await self.cases.ticket_closed(group["group"])

    def _lasts(self, group: Report) -> bool:
        """Whether something of a group has failed for so long that it may not pass by itself."""
        return self.clock.now() - datetime.fromisoformat(group["first_failed_at"]) >= self.lasting


def _title(group: Report) -> str:
    where = f" in {group['field']}" if group["field"] else ""
    return f"{group['table']}: {group['code']}{where}"


def _held_back(group: Report) -> str:
    if group["sender"] is not None:
        return f"refused at the gate, sent by {group['sender']}; no record waits for them."
    return "each holds its own record back, no other."


def _units(group: Report) -> str:
    """Which business units it is about, where they are told apart."""
    units = ", ".join(f"{name} ({count})" for name, count in sorted(group["units"].items()))
    return f" Business units: {units}." if units else ""


def _body(group: Report) -> str:
    answer = f" The far side answered {group['answer']}." if group["answer"] else ""
    counts = ", ".join(
        f"{count} {way} {system}"
        for way, systems in (("from", group["systems"]), ("to", group["targets"]))
        for system, count in sorted(systems.items())
    )
    return "\n".join(
        (
            f"{group['cause']}{answer}",
            f"Rule: {group['rule']}",
            f"Messages: {group['open']} ({counts}); {_held_back(group)}{_units(group)}",
            f"First failed {group['first_failed_at']}, last {group['last_failed_at']}.",
            f"Example: tandem record show {group['example']}",
            f"What to do: {group['advice']}",
            f"Group {group['group']}",
        )
    )
