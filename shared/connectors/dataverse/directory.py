"""Reference data that Dataverse owns: users, currencies, the placeholder rows."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.connectors.dataverse.refusal import Asked, answered, is_absent, refusal
from shared.connectors.dataverse.rows import DataverseRows
from shared.connectors.web.client import WebClient
from shared.core.errors import MovedOn
from shared.core.mapping.columns import Table, Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.ports import Clock

PLACEHOLDERS: Mapping[str, Mapping[str, Value]] = {"account": {"name": "(no company)"}}
"""What the placeholder row of a table says (A-01b)."""

_ALSO: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("systemuser", "internalemailaddress"): ("domainname",),
}
"""Columns that may hold the value instead: a user's sign-in name is often the address people know."""

_DISABLED = "isdisabled"
_MOST_KEPT = 10_000

_Answer = tuple[UUID, ...] | UUID | str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """A kept answer; None is one, too."""

    answer: "_Answer"
    until: datetime


class DataverseDirectory:
    """`Directory` over the Web API, with a short memory.

    `tables` holds the tables that may be looked up. What was found is believed for `lasting`, a miss for
    `missing`: people repair a miss and then expect it repaired. A value that fits several enabled rows fits
    none: to give a record to one of them would be a guess.
    """

    def __init__(
        self,
        client: WebClient,
        rows: DataverseRows,
        tables: Mapping[str, Table],
        clock: Clock,
        *,
        lasting: timedelta = timedelta(minutes=5),
        missing: timedelta = timedelta(seconds=5),
    ) -> None:
        self._client = client
        self._rows = rows
        self._tables = tables
        self._clock = clock
        self._lasting = lasting
        self._missing = missing
        self._kept: dict[tuple[str, ...], _Found] = {}

    async def find(self, ref: DirectoryRef) -> UUID | None:
        """The row whose column equals the value, letter case aside; disabled users do not count."""
        found = await self.matches(ref)
        return found[0] if len(found) == 1 else None

    async def matches(self, ref: DirectoryRef) -> Sequence[UUID]:
        """The rows whose column equals the value, as `find` counts them; two stand for more than one."""
        key = ("find", ref.table, ref.column, ref.value.strip().casefold(), str(ref.scope))
        kept = self._fresh(key)
        if kept is None:
            kept = self._keep(key, await self._search(ref))
        return kept.answer if isinstance(kept.answer, tuple) else ()

    async def value_of(self, row: RowRef, column: str) -> str | None:
        """The way back: what a row holds in a column (a user's e-mail)."""
        key = ("value", row.table, column, str(row.id))
        kept = self._fresh(key)
        if kept is None:
            kept = self._keep(key, await self._look_up(row, column))
        return kept.answer if isinstance(kept.answer, str) else None

    async def placeholder(self, table: Table) -> UUID:
        """The table's placeholder row, created on first use; that it is there already is fine."""
        row_id = placeholder_id(table.name)
        key = ("placeholder", table.name)
        if self._fresh(key) is None:
            # MovedOn: somebody made it before us, which is as good.
            with contextlib.suppress(MovedOn):
                await self._rows.create(table, row_id, PLACEHOLDERS[table.name])
            self._keep(key, row_id)
        return row_id

    async def _search(self, ref: DirectoryRef) -> tuple[UUID, ...]:
        table = self._tables[ref.table]
        literal = "'" + ref.value.strip().replace("'", "''") + "'"
        columns = (ref.column, *_ALSO.get((ref.table, ref.column), ()))
        condition = "(" + " or ".join(f"{column} eq {literal}" for column in columns) + ")"
        if _DISABLED in table.columns:
            condition += f" and {_DISABLED} eq false"
        if ref.within is not None and ref.scope is not None:
            condition += f" and _{ref.within[0]}_value eq {ref.scope.id}"
        query = {"$select": table.primary_key, "$filter": condition, "$top": "2"}
        response = await self._client.send("GET", table.entity_set, params=query)
        if not response.is_success:
            raise answered(response)
        rows: list[dict[str, Any]] = json.loads(response.content)["value"]
        return tuple(UUID(row[table.primary_key]) for row in rows)

    async def _look_up(self, row: RowRef, column: str) -> str | None:
        table = self._tables[row.table]
        address = f"{table.entity_set}({row.id})"
        response = await self._client.send("GET", address, params={"$select": column})
        if not response.is_success:
            if is_absent(response):
                return None
            raise refusal(Asked(table, row.id), response)
        value = json.loads(response.content).get(column)
        return str(value) if value is not None else None

    def _fresh(self, key: tuple[str, ...]) -> _Found | None:
        kept = self._kept.get(key)
        return kept if kept is not None and self._clock.now() < kept.until else None

    def _keep(self, key: tuple[str, ...], answer: _Answer) -> _Found:
        # None of a name, or several: either is a miss that people repair.
        missed = answer is None or (isinstance(answer, tuple) and len(answer) != 1)
        lasts = self._missing if missed else self._lasting
        now = self._clock.now()
        if len(self._kept) >= _MOST_KEPT:
            self._kept = {known: found for known, found in self._kept.items() if now < found.until}
        found = _Found(answer, now + lasts)
        if len(self._kept) < _MOST_KEPT:
            self._kept[key] = found
        return found
