"""Everything a legacy system has, over REST."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import failure, of_status
from shared.core.errors import Refused
from shared.core.feed import LegacyPage
from shared.core.ports import LegacyRecord
from shared.core.system import LegacySystem

if TYPE_CHECKING:
    import httpx


class RestSnapshot:
    """`LegacySnapshot` of one system, from the lists of its collections.

    A record of a list has no version of its own: whoever wants to write it reads it first.
    """

    def __init__(self, system: LegacySystem, client: WebClient) -> None:
        self._system = system
        self._rest = system.interface
        self._client = client

    async def page(self, entity: str, position: str, limit: int) -> LegacyPage:
        """See `LegacySnapshot.page`."""
        collection = self._rest.collections.get(entity)
        if collection is None:
            raise Refused(f"{self._system.name} lists no {entity} over REST", answer="no_collection")
        words = self._rest.listing
        params = {words.limit: str(limit)} | ({words.cursor: position} if position else {})
        response = await self._client.send("GET", collection, params=params)
        if not response.is_success:
            raise failure(self._client.who, of_status(response.status_code), response)
        return self._page(entity, response)

    def _page(self, entity: str, response: "httpx.Response") -> LegacyPage:
        """The page an answer carries; raises Refused when it carries none."""
        try:
            body: dict[str, Any] = response.json()
            after = body[self._rest.listing.next]
            records = [self._record(entity, fields) for fields in body[self._rest.listing.records]]
            return LegacyPage(records, None if after is None else str(after))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise Refused(
                f"{self._client.who} answered something that is not a page of its {entity} records",
                answer=str(response.status_code),
            ) from fault

    def _record(self, entity: str, fields: dict[str, Any]) -> LegacyRecord:
        entry = self._system.map_of(entity)
        key = entry.key if entry is not None else "id"
        at = datetime.fromisoformat(fields[self._rest.changed])
        changed_at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return LegacyRecord(str(fields[key]), dict(fields), "", changed_at)
