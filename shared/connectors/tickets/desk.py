"""Tickets at the support teams' desk."""

import json
from collections.abc import Mapping
from urllib.parse import quote

from shared.connectors.web.client import WebClient
from shared.connectors.web.meaning import failure, of_status
from shared.core.errors import Refused


class HttpTicketDesk:
    """`TicketDesk` over the desk's REST interface.

    A ticket's key is also its idempotency key, so a repeated open gives the first ticket. `priority` is the
    one priority every ticket is opened with.
    """

    def __init__(self, client: WebClient, *, priority: str = "normal") -> None:
        self._client = client
        self._priority = priority

    async def open(self, key: str, title: str, body: str, team: str) -> str:
        """Open a ticket and return its id; the same key again gives the same ticket."""
        ticket = {"key": key, "title": title, "body": body, "team": team, "priority": self._priority}
        answer = await self._send("POST", "tickets", ticket, {"Idempotency-Key": key})
        ticket_id = answer.get("id")
        if not isinstance(ticket_id, str) or not ticket_id:
            raise Refused(f"{self._client.who} answered no ticket id", answer="no_id")
        return ticket_id

    async def update(self, ticket: str, body: str) -> None:
        """Replace a ticket's text."""
        await self._send("PATCH", f"tickets/{quote(ticket, safe='')}", {"body": body})

    async def close(self, ticket: str, comment: str) -> None:
        """Close a ticket; one already closed is fine."""
        await self._send(
            "PATCH", f"tickets/{quote(ticket, safe='')}", {"status": "closed", "comment": comment}
        )

    async def _send(
        self, method: str, path: str, body: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        content = json.dumps(body, ensure_ascii=False).encode()
        response = await self._client.send(method, path, headers=headers, content=content)
        if not response.is_success:
            raise failure(self._client.who, of_status(response.status_code), response)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        return answer if isinstance(answer, dict) else {}
