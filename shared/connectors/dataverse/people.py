"""Who can own rows: users by address or name, teams, and the user Tandem itself is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from shared.connectors.dataverse.refusal import answered
from shared.connectors.web.client import WebClient
from shared.core.owner_lookup import ADDRESS
from shared.core.ports import Clock
from shared.core.record_owner import Named, Person, sole, spelled

_ALSO: Mapping[str, tuple[str, ...]] = {ADDRESS: ("domainname",)}
"""Columns that may hold the name instead: a user's sign-in name is often the address people know."""

_NAMES = (ADDRESS, "domainname", "fullname")
"""Whatever a legacy system may call a user by."""

_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Kept:
    found: tuple[Person, ...]
    until: datetime


@dataclass(slots=True)
class DataversePeople:
    """`People` over the Web API, with a short memory.

    What was found is believed for `lasting`, a miss for `missing`: people repair a miss and then expect it
    repaired.
    """

    client: WebClient
    clock: Clock
    lasting: timedelta = timedelta(minutes=5)
    missing: timedelta = timedelta(seconds=5)
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict, init=False)
    _myself: UUID | None = field(default=None, init=False)

    async def named(self, column: str, name: str, *, fresh: bool = False) -> Sequence[Person]:
        """See `People.named`."""
        key = (column, spelled(name))
        kept = self._kept.get(key)
        if kept is not None and not fresh and self.clock.now() < kept.until:
            return kept.found
        return self._keep(key, await self._users(column, name))

    async def team(self, name: str) -> UUID | None:
        """See `People.team`."""
        query = {"$select": "teamid", "$filter": f"name eq {_literal(name)}", "$top": "2"}
        rows = await self._asked("teams", query)
        return UUID(rows[0]["teamid"]) if len(rows) == 1 else None

    async def changed(self, since: datetime | None) -> Sequence[Named]:
        """Enabled users that are new or changed since an instant of Dataverse's own clock; all for None."""
        condition = "isdisabled eq false"
        if since is not None:
            condition += f" and modifiedon ge {since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        query: Mapping[str, str] = {
            "$select": ",".join((*_NAMES, "modifiedon")),
            "$filter": condition,
            "$orderby": "modifiedon",
        }
        found: list[Named] = []
        while query:
            page = await self._page("systemusers", query)
            found += (_named(row) for row in page["value"])
            # What the link says is asked at our own address: our token goes nowhere else.
            query = dict(parse_qsl(urlsplit(page.get("@odata.nextLink", "")).query))
        return found

    async def myself(self) -> UUID:
        """See `People.myself`; asked once."""
        if self._myself is None:
            answer = await self.client.send("GET", "WhoAmI")
            if not answer.is_success:
                raise answered(answer)
            self._myself = UUID(json.loads(answer.content)["UserId"])
        return self._myself

    async def _users(self, column: str, name: str) -> tuple[Person, ...]:
        columns = (column, *_ALSO.get(column, ()))
        query = {
            "$select": "systemuserid,isdisabled",
            "$filter": " or ".join(f"{one} eq {_literal(name)}" for one in columns),
            "$orderby": "isdisabled",
            "$top": "3",
        }
        rows = await self._asked("systemusers", query)
        return tuple(Person(UUID(row["systemuserid"]), enabled=not row.get("isdisabled")) for row in rows)

    async def _asked(self, entity_set: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self._page(entity_set, query))["value"]
        return rows

    async def _page(self, entity_set: str, query: Mapping[str, str]) -> dict[str, Any]:
        answer = await self.client.send("GET", entity_set, params=query)
        if not answer.is_success:
            raise answered(answer)
        page: dict[str, Any] = json.loads(answer.content)
        return page

    def _keep(self, key: tuple[str, str], found: tuple[Person, ...]) -> tuple[Person, ...]:
        now = self.clock.now()
        lasts = self.lasting if isinstance(sole(found), UUID) else self.missing
        if len(self._kept) >= _MOST_KEPT:
            self._kept = {name: kept for name, kept in self._kept.items() if now < kept.until}
        if len(self._kept) < _MOST_KEPT:
            self._kept[key] = _Kept(found, now + lasts)
        return found


def _named(row: Mapping[str, Any]) -> Named:
    names = frozenset(spelled(row[column]) for column in _NAMES if row.get(column))
    return Named(names, datetime.fromisoformat(row["modifiedon"]))


def _literal(text: str) -> str:
    return "'" + text.strip().replace("'", "''") + "'"
