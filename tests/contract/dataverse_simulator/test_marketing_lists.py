"""Marketing lists: who is in one, which kind of row it holds, and the campaign it stands beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]
CONTACTS, LEADS = 2, 4


def listed(api: Api, kind: int = CONTACTS, **more: Any) -> str:
    """A new list of one kind of row."""
    return api.create("lists", listname="Spring", createdfromcode=kind, type=False, **more)


def act(api: Api, made: str, action: str, **arguments: Any) -> httpx.Response:
    """The answer to an action bound to a list."""
    answer: httpx.Response = api.post(f"lists({made})/Microsoft.Dynamics.CRM.{action}", json=arguments)
    return answer


def named(table: str, row: str) -> dict[str, str]:
    """A row as a parameter of an action."""
    return {f"{table}id": row, "@odata.type": f"Microsoft.Dynamics.CRM.{table}"}


def removed(api: Api, made: str, member: str) -> httpx.Response:
    return act(api, made, "RemoveMemberList", ListMember=named("listmember", member))


def added(api: Api, made: str, *members: tuple[str, str]) -> httpx.Response:
    """The answer to adding many at once."""
    rows = [named(kind, row) for kind, row in members]
    answer: httpx.Response = api.post(
        "AddListMembersList", json={"List": named("list", made), "Members": rows}
    )
    return answer


def members(api: Api) -> list[tuple[str, str, str]]:
    """Every place in every list: the list, the row, its kind."""
    rows = api.select("listmembers", select="_listid_value,_entityid_value,entitytype")
    return sorted((row["_listid_value"], row["_entityid_value"], row["entitytype"]) for row in rows)


def test_a_member_is_added_once_however_often_and_removed_by_its_own_id(api: Api, refused: Refused) -> None:
    made, ada = listed(api), api.create("contacts", lastname="Ada")

    answers = [act(api, made, "AddMemberList", EntityId=ada) for _ in range(2)]
    held = members(api)
    gone = removed(api, made, ada)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert held == [(made, ada, "contact")]
    assert (gone.status_code, members(api)) == (204, [])
    assert refused(removed(api, made, ada)) == (404, "0x80040217")


def test_a_list_holds_one_kind_of_row(api: Api, refused: Refused) -> None:
    people, prospects = listed(api), listed(api, LEADS)
    ada, lead = api.create("contacts", lastname="Ada"), api.create("leads", lastname="Lea")

    assert refused(act(api, people, "AddMemberList", EntityId=lead)) == (404, "0x80040217")
    assert refused(act(api, prospects, "AddMemberList", EntityId=ada)) == (404, "0x80040217")
    assert refused(added(api, people, ("contact", ada), ("lead", lead))) == (400, "0x80040203")
    assert members(api) == []
    assert added(api, people, ("contact", ada), ("contact", ada)).status_code == 204
    assert act(api, prospects, "AddMemberList", EntityId=lead).status_code == 200
    assert members(api) == sorted([(people, ada, "contact"), (prospects, lead, "lead")])


def test_a_list_stands_beside_its_campaign(api: Api, refused: Refused) -> None:
    campaign, made = api.create("campaigns", name="Spring"), listed(api)

    def beside(row: str) -> httpx.Response:
        return act(api, made, "AddItemCampaign", Campaign=named("campaign", row))

    assert [beside(campaign).status_code for _ in range(2)] == [200, 200]
    found = api.select(f"campaigns({campaign})/campaignlist_association", select="listid")
    assert found == [{"listid": made}]
    assert refused(beside(str(uuid4()))) == (404, "0x80040217")


def test_a_place_in_a_list_is_made_by_no_create(api: Api, refused: Refused) -> None:
    made, ada = listed(api), api.create("contacts", lastname="Ada")
    ends = {"listid@odata.bind": f"lists({made})", "entityid_contact@odata.bind": f"contacts({ada})"}

    assert refused(api.post("listmembers", json=ends)) == (405, "0x80040800")
    assert refused(api.patch(f"listmembers({uuid4()})", json=ends)) == (405, "0x80040800")


def test_a_query_has_no_members_to_add(api: Api, refused: Refused) -> None:
    made = api.create("lists", listname="All", createdfromcode=CONTACTS, type=True)
    ada = api.create("contacts", lastname="Ada")

    assert refused(act(api, made, "AddMemberList", EntityId=ada)) == (400, "0x80048d19")


@pytest.mark.parametrize("end", ["contacts", "lists"])
def test_whoever_goes_leaves_no_place_behind(api: Api, end: str) -> None:
    made, ada = listed(api), api.create("contacts", lastname="Ada")
    act(api, made, "AddMemberList", EntityId=ada)

    api.delete(f"{end}({made if end == 'lists' else ada})").raise_for_status()

    assert members(api) == []


@pytest.mark.parametrize("action", ["AddMemberList", "RemoveMemberList", "AddItemCampaign"])
def test_only_a_list_takes_these_actions(api: Api, refused: Refused, action: str) -> None:
    ada = api.create("contacts", lastname="Ada")

    answer = api.post(f"contacts({ada})/Microsoft.Dynamics.CRM.{action}", json={})

    assert refused(answer) == (405, "0x80040800")


def test_a_list_or_row_that_is_not_there_is_told(api: Api, refused: Refused) -> None:
    made, ada = listed(api), api.create("contacts", lastname="Ada")

    assert refused(act(api, str(uuid4()), "AddMemberList", EntityId=ada)) == (404, "0x80040217")
    assert refused(act(api, made, "AddMemberList", EntityId=str(uuid4()))) == (404, "0x80040217")
    assert refused(act(api, made, "AddMemberList")) == (400, "0x80048d19")
    assert refused(added(api, made, ("contact", str(uuid4())))) == (404, "0x80040217")
