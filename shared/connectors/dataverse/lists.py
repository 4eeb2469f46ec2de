"""Marketing lists: made with their first member, each under its campaign; who is in them comes and goes."""

import contextlib
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.operation import ACTIONS, typed
from shared.connectors.dataverse.refusal import Asked, is_absent, refusal
from shared.connectors.dataverse.rows import DataverseRows
from shared.core.errors import MovedOn
from shared.core.mapping.columns import Option, Target, Value, boolean, choice, lookup, table, text
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Membership

if TYPE_CHECKING:
    import httpx

_KINDS = {"account": Option(1), "contact": Option(2), "lead": Option(4)}
"""What `createdfromcode` calls the one kind of row a list holds; it cannot be changed later."""

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
    """`MarketingLists` over the Web API, paced with the rows.

    A place is taken by `AddListMembersList`, which may be said twice; its answer tells that there is no list
    yet. A place is given up by deleting it, and looked for by its list and its person: Dataverse reads no
    single member. Whoever was put in by a person is in.
    """

    def __init__(self, rows: DataverseRows) -> None:
        self._rows = rows

    async def join(self, place: Membership) -> None:
        """See `MarketingLists.join`."""
        response = await self._add(place)
        if not response.is_success and is_absent(response):
            await self._make(place)
            response = await self._add(place)
        if not response.is_success:
            raise refusal(_asked(place), response)

    async def leave(self, place: Membership) -> None:
        """See `MarketingLists.leave`."""
        held = await self._held(place)
        if held is None:
            return
        response = await self._rows.act("DELETE", f"listmembers({held})")
        if not response.is_success and not is_absent(response):
            raise refusal(_asked(place), response)

    async def _add(self, place: Membership) -> "httpx.Response":
        members = [typed(place.member.table, place.member.id)]
        body = {"List": typed("list", place.list_id), "Members": members}
        return await self._rows.act("POST", "AddListMembersList", body)

    async def _make(self, place: Membership) -> None:
        """The list and its place under the campaign, both or neither; another member may be quicker."""
        values: dict[str, Value] = {
            "listname": place.name,
            "createdfromcode": _KINDS[place.member.table],
            "type": False,
        }
        action = f"lists({place.list_id})/{ACTIONS}AddItemCampaign"
        with contextlib.suppress(MovedOn):
            await self._rows.create_with(
                LIST, place.list_id, values, action, {"Campaign": typed("campaign", place.campaign)}
            )

    async def _held(self, place: Membership) -> str | None:
        """The id of the member's place in the list."""
        condition = f"_listid_value eq {place.list_id} and _entityid_value eq {place.member.id}"
        query = {"$select": "listmemberid", "$filter": condition, "$top": "1"}
        response = await self._rows.act("GET", "listmembers", params=query)
        if not response.is_success:
            raise refusal(_asked(place), response)
        found: list[dict[str, Any]] = json.loads(response.content)["value"]
        return str(UUID(found[0]["listmemberid"])) if found else None


def _asked(place: Membership) -> Asked:
    values: dict[str, Value] = {"campaign": RowRef("campaign", place.campaign), "member": place.member}
    return Asked(_PLACE, place.list_id, values)
