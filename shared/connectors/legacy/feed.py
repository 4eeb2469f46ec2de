"""A legacy system's change feed over REST."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import failure, of_status
from shared.core.change import Operation
from shared.core.errors import Refused
from shared.core.feed import FeedPage, LegacyChange
from shared.core.rest import ChangeFeed, Event

if TYPE_CHECKING:
    import httpx

_OPERATIONS = {
    Event.CREATED: Operation.UPSERT,
    Event.UPDATED: Operation.UPSERT,
    Event.DELETED: Operation.DELETE,
    Event.MERGED: Operation.ABSORB,
}


class RestFeed:
    """`LegacyFeed` of one system, where and as its declaration says it tells."""

    def __init__(self, feed: ChangeFeed, client: WebClient) -> None:
        self._feed = feed
        self._client = client

    async def changes(self, since: str, limit: int) -> FeedPage:
        """See `LegacyFeed.changes`."""
        feed = self._feed
        params = {feed.limit: str(limit)} | ({feed.since: since} if since else {})
        response = await self._client.send("GET", feed.path, params=params)
        if not response.is_success:
            raise failure(self._client.who, of_status(response.status_code), response)
        return self._page(response)

    def _page(self, response: "httpx.Response") -> FeedPage:
        """The page an answer carries; raises Refused when it carries none."""
        try:
            body: dict[str, Any] = response.json()
            return FeedPage(
                tuple(_change(self._feed, told) for told in body[self._feed.changes]),
                str(body[self._feed.next]),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise Refused(
                f"{self._client.who} answered something that is not a page of its feed",
                answer=str(response.status_code),
            ) from fault


def _change(feed: ChangeFeed, told: Any) -> LegacyChange:
    at = datetime.fromisoformat(told[feed.at])
    event = feed.events[told[feed.operation]]
    return LegacyChange(
        cursor=str(told[feed.cursor]),
        entity=str(told[feed.entity]),
        id=str(told[feed.id]),
        operation=_OPERATIONS[event],
        changed_at=at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
        record=dict(told[feed.record] or {}),
        changed_by=str(told.get(feed.by) or ""),
        is_create=event is Event.CREATED,
        heir=str(told[feed.into]) if event is Event.MERGED else "",
    )
