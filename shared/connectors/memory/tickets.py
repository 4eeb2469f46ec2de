"""`TicketDesk` without a desk."""

from dataclasses import dataclass, field

from shared.connectors.memory.trouble import Trouble
from shared.core.errors import Gone


@dataclass(slots=True)
class Ticket:
    """A ticket as the desk shows it."""

    id: str
    key: str
    title: str
    body: str
    team: str
    status: str = "open"
    comments: list[str] = field(default_factory=list)


class MemoryTicketDesk:
    """A twin of the desk; `tickets` by id, `trouble` arranges failures."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.trouble = Trouble()

    async def open(self, key: str, title: str, body: str, team: str) -> str:
        """Open a ticket and return its id; the same key again gives the same ticket."""
        self.trouble.strike()
        for ticket in self.tickets.values():
            if ticket.key == key:
                return ticket.id
        ticket = Ticket(f"T-{len(self.tickets) + 1}", key, title, body, team)
        self.tickets[ticket.id] = ticket
        return ticket.id

    async def update(self, ticket: str, body: str) -> None:
        """Replace a ticket's text; raises Gone when the desk has no such ticket."""
        self._find(ticket).body = body

    async def close(self, ticket: str, comment: str) -> None:
        """Close a ticket; one already closed is fine."""
        found = self._find(ticket)
        found.status = "closed"
        found.comments.append(comment)

    def _find(self, ticket: str) -> Ticket:
        self.trouble.strike()
        if ticket not in self.tickets:
            raise Gone("the desk has no such ticket")
        return self.tickets[ticket]
