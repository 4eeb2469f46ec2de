"""Many rows of one table in one request, all or nothing; for tables that only one side writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.fitting import misfit
from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.operation import PROTOCOL
from shared.connectors.dataverse.refusal import Asked, refusal
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Refused, SyncError, Throttled, Unavailable
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.rows import encode, write_row

if TYPE_CHECKING:
    import httpx

# Refusals that every row would meet: to look for the one that caused them would cost requests for nothing.
_OF_ALL = {"404", "405", "501", "0x8006088a", "0x80060600"}

_MOST_SUSPECTS = 10_000
"""How many rows that were refused are remembered; beyond it the oldest is searched for anew."""


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A row as it shall be: created under its GUID, or its columns written over."""

    id: UUID
    values: Mapping[str, Value]


class BulkRows:
    """UpsertMultiple by GUID, without a condition: what a person changed meanwhile is written over.

    A request is one transaction, and does not say which row it failed for. It is then halved until the bad
    rows stand alone: N rows with k bad ones cost at most N / `batch_size` + k (2 log2 `batch_size` + 1)
    requests. A row that was found bad goes alone from then on, until it is taken: nobody looks for it again
    (N-12). Rows that cannot fit their columns are never sent. After a time-out the next requests are half as
    large, and grow again with every success.
    """

    def __init__(self, client: WebClient, *, ledger: Ledger | None = None, batch_size: int = 100) -> None:
        self._client = client
        self._ledger = ledger or Ledger()
        self._most = self._size = batch_size
        self._suspects: dict[tuple[str, UUID], None] = {}

    @property
    def batch_size(self) -> int:
        """How many rows go into the next request."""
        return self._size

    async def upsert(self, table: Table, rows: Sequence[BulkRow]) -> tuple[SyncError | None, ...]:
        """What became of each row, in order: None when it is written, else its failure.

        A Transient failure says nothing about the row; the call may be repeated for it. Raises ValueError
        before anything is sent when two rows have one id: which of them is newer is the caller's to know.
        """
        if len({row.id for row in rows}) < len(rows):
            raise ValueError(f"two rows of {table.name} have one id")
        failures: dict[UUID, SyncError] = {}
        fitting: list[BulkRow] = []
        for row in rows:
            unfit = misfit(table, row.values)
            if unfit is None:
                fitting.append(row)
            else:
                failures[row.id] = unfit
        suspects = [row for row in fitting if (table.name, row.id) in self._suspects]
        fitting = [row for row in fitting if (table.name, row.id) not in self._suspects]
        while fitting:
            together, fitting = fitting[: self._size], fitting[self._size :]
            failures |= await self._isolate(table, together)
        for row in suspects:
            failures |= await self._isolate(table, [row])
        return tuple(failures.get(row.id) for row in rows)

    async def _isolate(
        self, table: Table, rows: Sequence[BulkRow], *, fails: bool = False
    ) -> dict[UUID, SyncError]:
        """The failures among rows sent together; `fails` when it is known that together they would."""
        if not fails or len(rows) == 1:
            failure = await self._send(table, rows)
            if len(rows) == 1:
                self._remember(table, rows[0], failure)
            if failure is None:
                return {}
            if len(rows) == 1 or _is_of_all(failure):
                return {row.id: failure for row in rows}
        middle = len(rows) // 2
        first = await self._isolate(table, rows[:middle])
        # A good first half leaves the fault to the second.
        return first | await self._isolate(table, rows[middle:], fails=not first)

    def _remember(self, table: Table, row: BulkRow, failure: SyncError | None) -> None:
        """What a row that was sent alone is from now on; a failure that is not about it says nothing."""
        if failure is not None and _is_of_all(failure):
            return
        self._suspects.pop((table.name, row.id), None)
        if failure is not None:
            self._suspects[table.name, row.id] = None
        if len(self._suspects) > _MOST_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]

    async def _send(self, table: Table, rows: Sequence[BulkRow]) -> SyncError | None:
        """The failure of one request; None when all its rows are written."""
        await self._ledger.turn(len(rows), bulk=True)
        entry = self._ledger.begin(len(rows), bulk=True)
        try:
            response = await self._client.send(
                "POST",
                f"{table.entity_set}/Microsoft.Dynamics.CRM.UpsertMultiple",
                headers=PROTOCOL,
                content=encode({"Targets": [_target(table, row) for row in rows]}),
            )
        except (Throttled, Unavailable) as lost:
            return self._sized(lost)
        finally:
            self._ledger.end(entry)
        return self._sized(_failure(table, rows, response))

    def _sized(self, failure: SyncError | None) -> SyncError | None:
        if failure is None:
            self._size = min(self._most, self._size * 2)
        elif isinstance(failure, Unavailable):
            self._size = max(1, self._size // 2)
        return failure


def _target(table: Table, row: BulkRow) -> dict[str, Any]:
    return {
        "@odata.type": f"Microsoft.Dynamics.CRM.{table.name}",
        table.primary_key: str(row.id),
        **write_row(table, row.values),
    }


def _failure(table: Table, rows: Sequence[BulkRow], response: "httpx.Response") -> SyncError | None:
    if response.is_success:
        return None
    return refusal(Asked(table, rows[0].id, rows[0].values), response)


def is_unsupported(failure: Refused) -> bool:
    """Whether the table does not have the message at all."""
    return failure.answer in _OF_ALL


def _is_of_all(failure: SyncError) -> bool:
    if isinstance(failure, Throttled | Unavailable):
        return True
    return isinstance(failure, Refused) and (
        failure.code is Code.TARGET_UNAUTHORISED or failure.answer in _OF_ALL
    )
