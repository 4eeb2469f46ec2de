"""What replay plans ask of the state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.core.identity import RecordKey
from shared.core.mapping.columns import Table
from shared.core.plan import Plan, Policy, Progress, Selection
from shared.core.plan_items import Ending, Foreseen, Known, LaneOfPlan, Standing, Unit
from shared.core.ports import Report, Row
from shared.core.repair import Repaired


class Plans(Protocol):
    """Plans as a whole."""

    async def create(self, selection: Selection, actor: str) -> Plan:
        """Freeze what a selection means now."""
        ...

    async def find(self, number: int) -> Plan | None:
        """A plan."""
        ...

    async def newest(self) -> Sequence[Plan]:
        """The newest plans."""
        ...

    async def at_work(self) -> Sequence[Plan]:
        """Plans a driver has work with."""
        ...

    async def move(
        self, number: int, action: str, actor: str, *, policy: Policy | None = None, reason: str | None = None
    ) -> Plan | None:
        """Do what a person asks of a plan; None where its state does not allow it."""
        ...

    async def take(self, number: int) -> Plan | None:
        """Take a plan over as its driver."""
        ...

    async def halt(self, plan: Plan, reason: str) -> None:
        """Stop a plan by rule."""
        ...

    async def finish(self, plan: Plan) -> None:
        """End a plan."""
        ...


class ManyRows(Protocol):
    """Dataverse rows, many in few requests."""

    async def read_many(self, table: Table, row_ids: Sequence[UUID]) -> Mapping[UUID, Row | None]:
        """Rows by id, None where there is none; one whose read failed is left out."""
        ...


class ForeseenItems(Protocol):
    """The messages of plans, as the prophet needs them: what each is, and what it would do."""

    async def records(self, plan: int, after: UUID | None, limit: int) -> Sequence[UUID]:
        """The records of a plan that come after one, in their order."""
        ...

    async def unforeseen(self, plan: int, limit: int) -> Sequence[UUID]:
        """Records whose messages were not foreseen yet."""
        ...

    async def lanes(self, plan: int, records: Sequence[UUID]) -> Sequence[LaneOfPlan]:
        """The messages of a plan in these lanes."""
        ...

    async def known(self, records: Sequence[UUID], keys: Sequence[RecordKey]) -> Known:
        """What is agreed about records, and which rows and records belong together."""
        ...

    async def foresee(self, plan: Plan, found: Sequence[Foreseen], told: Report) -> None:
        """Write down what messages would do."""
        ...

    async def arrange(self, plan: Plan, levels: Mapping[UUID, int], told: Report) -> None:
        """Write down how deep each record hangs."""
        ...


class SentItems(Protocol):
    """The messages of plans, as the driver needs them: sent in waves, watched, concluded, proven."""

    async def of_record(self, plan: int, record: UUID) -> LaneOfPlan:
        """The messages of a plan in one lane."""
        ...

    async def next_units(self, plan: int, limit: int | None) -> Sequence[Unit]:
        """Records of the lowest level that still waits."""
        ...

    async def send(self, plan: Plan, wave: int, sent: int, records: Sequence[UUID], *, prove: bool) -> None:
        """Mark the messages of records as sent."""
        ...

    async def standings(self, plan: int, *, held: bool = False) -> Sequence[Standing]:
        """Where the messages that were sent stand; or those that ended held."""
        ...

    async def conclude(self, plan: Plan, endings: Sequence[Ending]) -> None:
        """Write down what became of messages."""
        ...

    async def uncovered(self, plan: int) -> Sequence[int]:
        """Messages that the plan superseded in favour of one that did not go through."""
        ...

    async def put_back(self, plan: Plan, numbers: Sequence[int]) -> Sequence[UUID]:
        """Let superseded messages take their places again; returns their records."""
        ...

    async def progress(self, plan: Plan) -> Progress:
        """Where a plan stands."""
        ...

    async def unproven(self, plan: int) -> Sequence[UUID]:
        """Records of the canary that have to be read back now."""
        ...

    async def prove(self, plan: Plan, record: UUID, proof: str) -> None:
        """Write down what reading a record back has shown."""
        ...


class Reports(Protocol):
    """What is told of plans."""

    async def ready(self, plan: Plan, told: Report) -> None:
        """Keep a whole prediction; the plan may be run then."""
        ...

    async def prediction(self, plan: int) -> Report | None:
        """What was foreseen, as far as it is."""
        ...

    async def counts(self, plan: int) -> Report:
        """Messages by fate."""
        ...

    async def listed(self, plan: int) -> Mapping[str, list[Report]]:
        """Messages by fate, with the reason of each."""
        ...

    async def later(self, plan: Plan) -> Report:
        """What came too late for the plan."""
        ...

    async def live_lags(self, plan: Plan) -> list[float]:
        """Seconds that live messages took lately."""
        ...

    async def live_requests(self, since: datetime) -> int:
        """How many messages were decided since then."""
        ...


class Repairs(Protocol):
    """What is done about messages, as if a person did it."""

    async def replay_all(self, chosen: Sequence[tuple[str, int]], actor: str) -> Sequence[Repaired]:
        """Let messages, by id and number, go on now: all of them, or none."""
        ...

    async def skip(self, message_id: str, reason: str, actor: str, *, number: int | None = None) -> Repaired:
        """Let the lane go on without a message."""
        ...
