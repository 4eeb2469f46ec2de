"""What the recovery may rely on when it tells people (E-14)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from local.desk import start
from local.loopback.server import LoopbackServer
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.memory.tickets import MemoryTicketDesk
from shared.connectors.tickets.desk import HttpTicketDesk
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Gone, Refused, Unavailable
from shared.core.ports import TicketDesk


class Office(Protocol):
    @property
    def desk(self) -> TicketDesk: ...

    def shown(self) -> list[dict[str, Any]]:
        """Every ticket as the desk shows it, oldest first."""
        ...


class MemoryOffice:
    def __init__(self) -> None:
        self.desk = MemoryTicketDesk()

    def shown(self) -> list[dict[str, Any]]:
        return [
            {
                name: getattr(ticket, name)
                for name in ("id", "key", "title", "body", "team", "status", "comments")
            }
            for ticket in self.desk.tickets.values()
        ]


class HttpOffice:
    def __init__(self, server: LoopbackServer, desk: HttpTicketDesk) -> None:
        self.server, self.desk = server, desk

    def arm(self, **fault: object) -> None:
        httpx.post(f"{self.server.url}/admin/faults", json=fault).raise_for_status()

    def shown(self) -> list[dict[str, Any]]:
        names = ("id", "key", "title", "body", "team", "status")
        tickets = []
        for listed in reversed(httpx.get(f"{self.server.url}/tickets").json()["tickets"]):
            ticket = httpx.get(f"{self.server.url}/tickets/{listed['id']}").json()
            comments = [event["comment"] for event in ticket["history"] if event["comment"]]
            tickets.append({name: ticket[name] for name in names} | {"comments": comments})
        return tickets


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoopbackServer]:
    key_file = tmp_path / "key"
    key_file.write_text("our-token")
    with start(api_key_file=key_file) as running:
        yield running


@pytest.fixture
async def http_office(server: LoopbackServer) -> AsyncIterator[HttpOffice]:
    client = WebClient("The ticket desk", server.url, FixedSecret("our-token"))
    yield HttpOffice(server, HttpTicketDesk(client))
    await client.aclose()


@pytest.fixture(params=["memory", "http"])
def office(request: pytest.FixtureRequest) -> Office:
    if request.param == "memory":
        return MemoryOffice()
    real: HttpOffice = request.getfixturevalue("http_office")
    return real


async def test_a_ticket_is_opened_once_updated_and_closed(office: Office) -> None:
    ticket = await office.desk.open("group-1", "3 deals wait", "See the lane.", "sales-ops")
    again = await office.desk.open("group-1", "4 deals wait", "Another text", "sales-ops")
    await office.desk.update(ticket, "Now four.")
    await office.desk.close(ticket, "The group is empty.")
    await office.desk.close(ticket, "The group is empty.")

    (shown,) = office.shown()
    assert again == ticket == shown["id"]
    assert shown.pop("comments")[0] == "The group is empty."
    assert shown == {
        "id": ticket,
        "key": "group-1",
        "title": "3 deals wait",
        "body": "Now four.",
        "team": "sales-ops",
        "status": "closed",
    }


async def test_two_keys_are_two_tickets(office: Office) -> None:
    first = await office.desk.open("group-1", "title", "body", "team")
    second = await office.desk.open("group-2", "title", "body", "team")

    assert [ticket["id"] for ticket in office.shown()] == [first, second]


async def test_a_ticket_that_is_not_there_is_gone(office: Office) -> None:
    with pytest.raises(Gone):
        await office.desk.update("T-99", "text")
    with pytest.raises(Gone):
        await office.desk.close("T-99", "comment")


async def test_an_open_whose_answer_was_lost_finds_its_ticket(http_office: HttpOffice) -> None:
    http_office.arm(kind="lost_answer", method="POST", path="/tickets")

    with pytest.raises(Unavailable):
        await http_office.desk.open("group-1", "title", "body", "team")
    ticket = await http_office.desk.open("group-1", "title", "body", "team")

    assert [shown["id"] for shown in http_office.shown()] == [ticket]


async def test_a_desk_that_does_not_know_us_says_so(server: LoopbackServer) -> None:
    client = WebClient("The ticket desk", server.url, FixedSecret("another-token"))

    with pytest.raises(Refused) as refused:
        await HttpTicketDesk(client).open("group-1", "title", "body", "team")

    assert (refused.value.code, refused.value.rule) == (
        Code.TARGET_UNAUTHORISED,
        "The ticket desk answered 401: the credentials are not accepted",
    )
    await client.aclose()
