"""A legacy system's records over REST, wherever its declaration says they live."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import Meaning, failure, named_in, of_status
from shared.core.change import Json
from shared.core.errors import Gone, Refused
from shared.core.ports import LegacyRecord
from shared.core.system import LegacySystem

if TYPE_CHECKING:
    import httpx


class RestRecords:
    """`LegacyRecords` of one system.

    Its declaration says where each entity lives, and what headers and fields are called.
    """

    def __init__(self, system: LegacySystem, client: WebClient) -> None:
        self._system = system
        self._rest = system.interface
        self._client = client

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        """The record, or None."""
        response = await self._client.send("GET", self._path(entity, record_id))
        if response.status_code == 404:
            return None
        return self._record(entity, self._accepted(response, ()))

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        """Create a record; the same key again gives the same record."""
        response = await self._client.send(
            "POST",
            self._path(entity),
            headers={self._rest.idempotency: idempotency_key},
            content=_body(fields),
        )
        return self._record(entity, self._accepted(response, fields))

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        """Write fields if the record is still at `version`; raises MovedOn, or Gone when deleted."""
        response = await self._client.send(
            "PATCH",
            self._path(entity, record_id),
            headers={self._rest.condition: version},
            content=_body(fields),
        )
        return self._record(entity, self._accepted(response, fields))

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        """Delete the record if still at `version`; raises MovedOn when not; one already gone is fine."""
        path = self._path(entity, record_id)
        response = await self._client.send("DELETE", path, headers={self._rest.condition: version})
        try:
            self._accepted(response, ())
        except Gone:
            return

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        """Merge a record into its heir; one merged so already is fine. Raises Gone when one is not there."""
        path = f"{self._path(entity, heir)}/merge"
        self._accepted(await self._client.send("POST", path, content=_body({"loser": loser})), ())

    def _path(self, entity: str, record_id: str | None = None) -> str:
        collection = self._rest.collections.get(entity)
        if collection is None:
            raise Refused(f"{self._system.name} takes no {entity} over REST", answer="no_collection")
        if record_id in {"", ".", ".."}:
            # A URL would take it for the collection itself or for what is above it.
            raise Refused(f"{self._system.name} cannot address such an id over REST", answer="bad_id")
        return collection if record_id is None else f"{collection}/{quote(record_id, safe='')}"

    def _accepted(self, response: "httpx.Response", sent: Mapping[str, Json] | tuple[()]) -> "httpx.Response":
        if response.is_success:
            return response
        answer = of_status(response.status_code)
        field = named_in(response.text, sent) if answer.meaning is Meaning.REFUSED else None
        raise failure(self._client.who, answer, response, field=field)

    def _record(self, entity: str, response: "httpx.Response") -> LegacyRecord:
        """The record an answer carries; raises Refused when it carries none."""
        try:
            fields: dict[str, Any] = response.json()
            at = datetime.fromisoformat(fields[self._rest.changed])
            entity_map = self._system.map_of(entity)
            key = entity_map.key if entity_map is not None else "id"
            return LegacyRecord(
                id=str(fields[key]),
                fields=fields,
                version=response.headers[self._rest.version],
                changed_at=at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
            )
        except (ValueError, TypeError, KeyError) as fault:
            raise Refused(
                f"{self._client.who} answered something that is not a {entity}",
                answer=str(response.status_code),
            ) from fault


def _body(fields: Mapping[str, Json]) -> bytes:
    return json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode()
