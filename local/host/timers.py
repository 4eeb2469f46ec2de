"""Timer functions: NCRONTAB schedules (six fields, or five) or time spans, in UTC, never two runs at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

from croniter import croniter

from local.host.function import Function
from local.host.invocation import Call, Completion, Datum, trace_parent
from local.host.settings import InvalidSettings, timespan

_NEVER = datetime(1, 1, 1, tzinfo=UTC)
# A run that starts this much late is past due.
_LATE = timedelta(seconds=1)

Invoke = Callable[[Call], Awaitable[Completion]]
Schedule = Callable[[datetime], datetime]


def schedule_of(expression: str) -> Schedule:
    """From an instant to the next occurrence after it. Raises InvalidSettings naming the expression."""
    if ":" in expression:
        every = timespan(expression)
        if not every:
            raise InvalidSettings(f"{expression!r}: a timer needs a time span above zero")
        return lambda after: after + every
    fields = expression.split()
    with_seconds = fields if len(fields) == 6 else ["0", *fields]
    text = " ".join(with_seconds)
    if len(with_seconds) != 6 or not croniter.is_valid(text, second_at_beginning=True):
        raise InvalidSettings(f"{expression!r}: not an NCRONTAB expression")

    def following(after: datetime) -> datetime:
        occurrences: Iterator[datetime] = croniter(text, after, ret_type=datetime, second_at_beginning=True)
        return next(occurrences)

    return following


class Timer:
    """One timer function. The status a run is given is kept as long as the host lives."""

    def __init__(self, function: Function, schedule: Schedule, invoke: Invoke) -> None:
        self.function = function
        self._schedule = schedule
        self._invoke = invoke
        self._last = _NEVER
        self._due = asyncio.Event()

    def tick(self) -> None:
        """Run now (or, if it is running, once more right after), whatever the schedule says."""
        self._due.set()

    async def run(self) -> None:
        """Run at each occurrence until cancelled."""
        if self.function.trigger.get("runOnStartup"):
            await self._once(past_due=False)
        due = datetime.now(UTC)
        while True:
            # A wait may end a moment early by the wall clock, which must not make one occurrence two.
            due = self._schedule(max(datetime.now(UTC), due))
            while await self._wait(due):
                await self._once(past_due=False)
            late = datetime.now(UTC) - due > _LATE
            await self._once(past_due=late)

    async def _wait(self, due: datetime) -> bool:
        """Wait for the instant; whether somebody's hand came first."""
        try:
            async with asyncio.timeout((due - datetime.now(UTC)).total_seconds()):
                await self._due.wait()
        except TimeoutError:
            return False
        self._due.clear()
        return True

    async def _once(self, *, past_due: bool) -> None:
        now = datetime.now(UTC)
        status = {
            "Last": _written(self._last),
            "Next": _written(self._schedule(now)),
            "LastUpdated": _written(self._last),
        }
        given = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        call = Call(self.function, Datum("json", json.dumps(given)), trace_parent=trace_parent())
        await self._invoke(call)
        self._last = now


def _written(at: datetime) -> str:
    return at.isoformat()
