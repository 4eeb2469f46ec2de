"""A legacy system's change feed over REST."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import failure, of_status
from shared.core.change import Operation
from shared.core.errors import Refused
from shared.core.ports import FeedPage, LegacyChange

if TYPE_CHECKING:
    import httpx

_OPERATIONS = {
    "create": Operation.UPSERT,
    "update": Operation.UPSERT,
    "delete": Operation.DELETE,
    "merge": Operation.ABSORB,
}


class RestFeed:
    """`LegacyFeed` of one system, from `GET changes?since=&limit=`."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    async def changes(self, since: str, limit: int) -> FeedPage:
        """See `LegacyFeed.changes`."""
        params = {"limit": str(limit)} | ({"since": since} if since else {})
        response = await self._client.send("GET", "changes", params=params)
        if not response.is_success:
            raise failure(self._client.who, of_status(response.status_code), response)
        return self._page(response)

    def _page(self, response: "httpx.Response") -> FeedPage:
        """The page an answer carries; raises Refused when it carries none."""
        try:
            body: dict[str, Any] = response.json()
            return FeedPage(tuple(_change(told) for told in body["changes"]), str(body["next"]))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise Refused(
                f"{self._client.who} answered something that is not a page of its feed",
                answer=str(response.status_code),
            ) from fault


def _change(told: Any) -> LegacyChange:
    at = datetime.fromisoformat(told["changed_at"])
    return LegacyChange(
        cursor=str(told["cursor"]),
        entity=str(told["entity"]),
        id=str(told["id"]),
        operation=_OPERATIONS[told["operation"]],
        changed_at=at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
        record=dict(told["record"] or {}),
        changed_by=str(told.get("changed_by") or ""),
        is_create=told["operation"] == "create",
        heir=str(told["into"]) if told["operation"] == "merge" else "",
    )
