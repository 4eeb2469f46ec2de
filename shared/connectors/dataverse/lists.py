"""Marketing lists: made with their first member, each under its campaign; who is in them comes and goes."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.operation import PROTOCOL
from shared.connectors.dataverse.refusal import Asked, is_absent, refusal
from shared.connectors.dataverse.rows import DataverseRows, untagged
from shared.connectors.web.client import WebClient
from shared.core.errors import MovedOn
from shared.core.mapping.columns import Option, Target, Value, boolean, choice, lookup, table, text
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import encode
from shared.core.mapping.satellites import Membership

if TYPE_CHECKING:
    import httpx

_KINDS = {"account": Option(1), "contact": Option(2), "lead": Option(4)}
"""What `createdfromcode` calls the one kind of row a list holds; it cannot be changed later."""

_NAMESPACE = "Microsoft.Dynamics.CRM"

LIST = table(
    "list",
    "lists",
    "listid",
    text("listname", "Name", 128),
    choice("createdfromcode", "Marketing List Member Type", {1: "Account", 2: "Contact", 4: "Lead"}),
    boolean("type", "Type"),
)
"""The list table, as far as a new list needs it."""

_PLACE = table(
    "listmember",
    "listmembers",
    "listmemberid",
    lookup("campaign", "Campaign", Target("campaign", "campaigns", "campaign")),
    lookup("member", "Member", Target("contact", "contacts", "member"), Target("lead", "leads", "member")),
)
"""What is asked when a place is taken, for telling which of its rows an answer says is gone."""


class DataverseLists:
    """`MarketingLists` over the Web API.

    Dataverse reads no single member and changes none, so a place is looked for by its list and its person,
    taken by `AddListMembersList`, and given up by deleting it. Whoever was put in by a person is in.
    """

    def __init__(
        self, client: WebClient, rows: DataverseRows, *, tag: Callable[[], str | None] = untagged
    ) -> None:
        self._client = client
        self._rows = rows
        self._tag = tag

    async def join(self, place: Membership) -> None:
        """See `MarketingLists.join`."""
        if not await self._is_under_its_campaign(place):
            await self._make(place)
        if await self._held(place) is None:
            members = [_named(place.member.table, place.member.id)]
            body = {"List": _named("list", place.list_id), "Members": members}
            await self._act("AddListMembersList", body, place)

    async def leave(self, place: Membership) -> None:
        """See `MarketingLists.leave`."""
        held = await self._held(place)
        if held is None:
            return
        response = await self._client.send(
            "DELETE", f"listmembers({held})", params=self._tagged(), headers=PROTOCOL
        )
        if not response.is_success and not is_absent(response):
            raise refusal(_asked(place), response)

    async def _is_under_its_campaign(self, place: Membership) -> bool:
        """Whether the list is there and belongs to its campaign."""
        query = {"$select": "campaignid", "$filter": f"campaignid eq {place.campaign}"}
        response = await self._client.send(
            "GET", f"lists({place.list_id})/campaignlist_association", params=query, headers=PROTOCOL
        )
        if not response.is_success and is_absent(response):
            return False
        return bool(_rows_of(response, place))

    async def _make(self, place: Membership) -> None:
        """The list, and its place under the campaign; whichever is there already is fine."""
        values: dict[str, Value] = {
            "listname": place.name,
            "createdfromcode": _KINDS[place.member.table],
            "type": False,
        }
        with contextlib.suppress(MovedOn):
            await self._rows.create(LIST, place.list_id, values)
        action = f"lists({place.list_id})/{_NAMESPACE}.AddItemCampaign"
        with contextlib.suppress(MovedOn):
            await self._act(action, {"Campaign": _named("campaign", place.campaign)}, place)

    async def _held(self, place: Membership) -> str | None:
        """The id of the member's place in the list."""
        condition = f"_listid_value eq {place.list_id} and _entityid_value eq {place.member.id}"
        query = {"$select": "listmemberid", "$filter": condition, "$top": "1"}
        response = await self._client.send("GET", "listmembers", params=query, headers=PROTOCOL)
        found = _rows_of(response, place)
        return str(UUID(found[0]["listmemberid"])) if found else None

    async def _act(self, action: str, body: Mapping[str, Any], place: Membership) -> None:
        response = await self._client.send(
            "POST", action, params=self._tagged(), headers=PROTOCOL, content=encode(body)
        )
        if not response.is_success:
            raise refusal(_asked(place), response)

    def _tagged(self) -> dict[str, str]:
        tag = self._tag()
        return {} if tag is None else {"tag": f"tandem:{tag}"}


def _named(kind: str, row_id: UUID) -> dict[str, str]:
    """A row as actions are told of it."""
    return {f"{kind}id": str(row_id), "@odata.type": f"{_NAMESPACE}.{kind}"}


def _asked(place: Membership) -> Asked:
    values: dict[str, Value] = {"campaign": RowRef("campaign", place.campaign), "member": place.member}
    return Asked(_PLACE, place.list_id, values)


def _rows_of(response: "httpx.Response", place: Membership) -> list[dict[str, Any]]:
    if not response.is_success:
        raise refusal(_asked(place), response)
    found: list[dict[str, Any]] = json.loads(response.content)["value"]
    return found
