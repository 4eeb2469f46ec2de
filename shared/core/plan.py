"""A replay plan: how many messages are sent again without anybody losing sleep over it (N-02).

A plan is a frozen set. It is foreseen before it is run, tried on a few records first, grows in waves, stops
by rule, and ends with one fate for each of its messages. Everything here is pure: the driver in
`shared/recovery/plans` asks, and acts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

RAMP = (1, 5, 20, 100, 500)
"""Records per wave after the canary; the last number goes on."""

IN_FLIGHT = 64
"""Records of a plan that are on their way at once: what is left of the workers belongs to live traffic."""


_TOO_FEW = 5
"""With fewer live messages than these a lag is nobody's."""


class PlanState(StrEnum):
    """Where a plan stands."""

    FROZEN = "frozen"
    """Its messages are chosen; what they would do is being foreseen."""
    READY = "ready"
    """It is foreseen and waits for somebody to run it."""
    RUNNING = "running"
    PAUSED = "paused"
    """A person halted it; nothing new is sent."""
    STOPPED = "stopped"
    """The stop rule halted it; a person decides."""
    CANCELLED = "cancelled"
    FINISHED = "finished"

    @property
    def is_over(self) -> bool:
        """Whether it can never run again."""
        return self in {PlanState.CANCELLED, PlanState.FINISHED}


MOVES: Mapping[str, Mapping[PlanState, PlanState]] = {
    "run": {
        PlanState.READY: PlanState.RUNNING,
        PlanState.PAUSED: PlanState.RUNNING,
        PlanState.STOPPED: PlanState.RUNNING,
    },
    "resume": {PlanState.PAUSED: PlanState.RUNNING, PlanState.STOPPED: PlanState.RUNNING},
    "pause": {PlanState.RUNNING: PlanState.PAUSED},
    "cancel": dict.fromkeys((state for state in PlanState if not state.is_over), PlanState.CANCELLED),
}
"""What a person may ask of a plan, and what it becomes by it."""


class PlanOvertaken(Exception):
    """Another driver, or a person, has changed the plan; what this driver meant to write is not written."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a plan is run.

    `canary` records go first and are read back; `rate` is records per second; it stops once more than
    `stop_percent` of the messages decided since the start failed, or when the p95 lag of the records that
    are not in the plan exceeds `stop_lag`.
    """

    canary: int = 5
    rate: float = 50.0
    stop_percent: float = 1.0
    stop_lag: timedelta = timedelta(seconds=30)

    def told(self) -> dict[str, Any]:
        """The policy, JSON-ready; the lag in seconds."""
        return {
            "canary": self.canary,
            "rate": self.rate,
            "stop_percent": self.stop_percent,
            "stop_lag": self.stop_lag.total_seconds(),
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """Which failures a plan takes: those that fit every kind that is given, where one of each kind is enough.

    `groups` are group ids, `systems` and `entities` names, `records` ids of any system (`system:entity:id`, a
    row's GUID, or the legacy id); `since` and `until` bound when it failed last. `everything` has to be said
    where nothing else is.
    """

    groups: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing, not even everything."""
        named = (self.groups, self.systems, self.entities, self.records, self.since, self.until)
        return not any(named) and not self.everything

    def told(self) -> dict[str, Any]:
        """The selection, JSON-ready."""
        return {
            "groups": list(self.groups),
            "systems": list(self.systems),
            "entities": list(self.entities),
            "records": list(self.records),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "everything": self.everything,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is kept; `sent` counts the records of the wave under way."""

    number: int
    state: PlanState
    selection: Selection
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    fence: int
    wave: int = 0
    sent: int = 0
    policy: Policy | None = None
    sent_at: datetime | None = None
    started_at: datetime | None = None
    started_by: str | None = None
    counted_from: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running plan stands, in records; `decided` and `failed` count messages since the last start.

    `level` is how many of the `waiting` ones nobody in the plan has to precede any more; `sent` how many the
    present wave has sent; `unproven` how many of the canary still have to be read back.
    """

    waiting: int
    in_flight: int
    level: int
    wave: int
    sent: int
    unproven: int
    decided: int
    failed: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send so many records, as part of this wave."""

    wave: int
    count: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop, and say why."""

    reason: str


class Wait(StrEnum):
    """Nothing to send now."""

    FOR_WAVE = "the wave is under way"
    FOR_PROOF = "the canary is read back"
    OVER = "every record was reached"


def wave_size(policy: Policy, wave: int) -> int:
    """Records of a wave: the canary is wave 0."""
    return policy.canary if wave == 0 else RAMP[min(wave - 1, len(RAMP) - 1)]


def halt(policy: Policy, progress: Progress, lag: timedelta | None) -> Halt | None:
    """Whether the stop rule speaks; `lag` is the p95 of live traffic, None when there is none."""
    if progress.failed * 100 > policy.stop_percent * progress.decided:
        return Halt(
            f"{progress.failed} of {progress.decided} messages failed, "
            f"which is over {policy.stop_percent:g} %"
        )
    if lag is not None and lag > policy.stop_lag:
        return Halt(
            f"live traffic lags {lag.total_seconds():.0f} s (p95), "
            f"which is over {policy.stop_lag.total_seconds():g} s"
        )
    return None


def next_step(policy: Policy, progress: Progress, allowed: int) -> Send | Wait:
    """What to do now, the stop rule aside; `allowed` is what the rate permits since the last look.

    A wave ends when all of it is decided, and a level when nothing of it is waiting: a record is never sent
    while one it hangs from is on its way.
    """
    if progress.waiting == 0:
        return Wait.FOR_WAVE if progress.in_flight or progress.unproven else Wait.OVER
    wave, sent = progress.wave, progress.sent
    is_sent = sent >= wave_size(policy, wave) or (sent > 0 and progress.level == 0)
    if is_sent:
        if progress.in_flight:
            return Wait.FOR_WAVE
        if progress.unproven:
            return Wait.FOR_PROOF
        wave, sent = wave + 1, 0
    while wave_size(policy, wave) == 0:
        wave += 1
    room = min(wave_size(policy, wave) - sent, IN_FLIGHT - progress.in_flight, allowed)
    # The next level begins with a wave of its own, which the last one has to leave first.
    room = min(room, progress.level) if progress.level else (room if not progress.in_flight else 0)
    return Send(wave, room) if room > 0 else Wait.FOR_WAVE


def allowed_by(rate: float, elapsed: timedelta) -> int:
    """Records that a rate permits after a pause, which saves up a second's worth, or one record, at most."""
    return math.floor(rate * min(max(1.0, 1 / rate), max(0.0, elapsed.total_seconds())))


@dataclass(frozen=True, slots=True)
class Budget:
    """What Dataverse grants in a window of `window` seconds, of which live traffic takes `live` requests."""

    requests: float
    window: float
    live: float


def seconds_needed(policy: Policy, records: int, requests: int, budget: Budget) -> float:
    """How long a plan takes at least: the slower of its own rate and of the requests that are left to it."""
    left = max(1.0, budget.requests - budget.live)
    # What fits into the present window costs no waiting; what does not waits for the next ones.
    paced = 0.0 if requests <= left else (requests - left) / left * budget.window
    return max(records / policy.rate, paced)


def p95(seconds: Sequence[float]) -> timedelta | None:
    """The value that 95 of 100 do not exceed; None when there are too few to tell."""
    if len(seconds) < _TOO_FEW:
        return None
    ranked = sorted(seconds)
    return timedelta(seconds=ranked[math.ceil(0.95 * len(ranked)) - 1])
