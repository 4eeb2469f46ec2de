"""Whoever a campaign is meant for is in its list for that kind of person, in memory and simulated alike."""

import asyncio
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import httpx
import pytest

from mappers.dataverse import TABLES
from mappers.legrand import LEGRAND
from mappers.legrand.campaign_members import CAMPAIGN_MEMBER, marketing_list
from shared.core.codes import Code
from shared.core.crosswalk import Crosswalk
from shared.core.errors import Refused, Unavailable
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Membership
from shared.core.ports import Directory
from shared.inbound.satellites import Followers

if TYPE_CHECKING:
    from local.dataverse.server import Simulator
    from tests.contract.connectors.conftest import Organisation, SimulatedOrganisation

_COLUMN = {"contact": "tandem_contactid", "lead": "tandem_leadid"}


async def free() -> None:
    """The lane is ours."""


def followers(organisation: "Organisation") -> Followers:
    lookups = Lookups(LEGRAND, TABLES, cast("Crosswalk", None), cast("Directory", None))
    return Followers(CAMPAIGN_MEMBER, organisation.rows, lookups, organisation.lists)


async def made(organisation: "Organisation", table: str, name: str) -> RowRef:
    row = uuid4()
    await organisation.rows.create(
        TABLES[table], row, {name: "Spring"} | ({"subject": "S"} if table == "lead" else {})
    )
    return RowRef(table, row)


def meant_for(campaign: RowRef, person: RowRef) -> dict[str, Value]:
    """What the row of a campaign's member holds."""
    return {"subject": "Spring", "regardingobjectid": campaign, _COLUMN[person.table]: person}


def place_of(values: dict[str, Value]) -> Membership:
    (place,) = marketing_list(uuid4(), values).memberships
    return place


async def test_a_campaign_has_a_list_for_each_kind_of_person_and_members_come_and_go(
    organisation: "Organisation",
) -> None:
    campaign = await made(organisation, "campaign", "name")
    ada, bob, lead = [await made(organisation, table, "lastname") for table in ("contact", "contact", "lead")]
    after = followers(organisation)
    members = {person: (uuid4(), meant_for(campaign, person)) for person in (ada, bob, lead)}
    contacts, leads = place_of(members[ada][1]).list_id, place_of(members[lead][1]).list_id

    for row, values in members.values():
        await after.follow(row, {}, values, free)
        await after.follow(row, {}, values, free)
    full = await organisation.members(contacts), await organisation.members(leads)
    await after.undo(*members[ada], free)
    await after.undo(*members[lead], free)
    await after.undo(*members[lead], free)

    assert full == ({ada, bob}, {lead})
    assert (await organisation.members(contacts), await organisation.members(leads)) == ({bob}, set())


async def test_a_member_who_turns_out_to_be_another_person_changes_places(
    organisation: "Organisation",
) -> None:
    campaign = await made(organisation, "campaign", "name")
    ada, bob = [await made(organisation, "contact", "lastname") for _ in range(2)]
    after, row = followers(organisation), uuid4()

    await after.follow(row, {}, meant_for(campaign, ada), free)
    await after.follow(row, meant_for(campaign, ada), meant_for(campaign, bob), free)

    assert await organisation.members(place_of(meant_for(campaign, ada)).list_id) == {bob}


async def test_a_place_for_a_person_who_is_gone_is_refused(organisation: "Organisation") -> None:
    campaign = await made(organisation, "campaign", "name")
    nobody = meant_for(campaign, RowRef("contact", uuid4()))

    with pytest.raises(Refused, match="does not exist"):
        await organisation.lists.join(place_of(nobody))


async def test_the_list_is_the_campaigns_own_and_stays_what_people_make_of_it(
    simulated: "SimulatedOrganisation",
) -> None:
    campaign = await made(simulated, "campaign", "name")
    ada, bob = [await made(simulated, "contact", "lastname") for _ in range(2)]
    place = place_of(meant_for(campaign, ada))

    await simulated.lists.join(place)
    await simulated.person.patch(f"lists({place.list_id})", json={"listname": "Renamed"})
    await simulated.lists.join(place_of(meant_for(campaign, bob)))
    held = (await simulated.person.get(f"lists({place.list_id})")).json()
    under = (await simulated.person.get(f"campaigns({campaign.id})/campaignlist_association")).json()["value"]

    assert (place.name, held["listname"], held["createdfromcode"], held["type"]) == (
        "Spring (contacts)",
        "Renamed",
        2,
        False,
    )
    assert [UUID(row["listid"]) for row in under] == [place.list_id]


async def test_a_list_is_made_under_its_campaign_or_not_at_all(gathered: "SimulatedOrganisation") -> None:
    person = await made(gathered, "contact", "lastname")
    nowhere = place_of(meant_for(RowRef("campaign", uuid4()), person))

    with pytest.raises(Refused) as refused:
        await gathered.lists.join(nowhere)

    assert refused.value.code is Code.VALUE_UNKNOWN_REFERENCE
    assert (await gathered.person.get("lists")).json()["value"] == []


async def test_a_list_whose_making_was_not_answered_is_joined_by_the_next_try(
    simulator: "Simulator", gathered: "SimulatedOrganisation"
) -> None:
    campaign = await made(gathered, "campaign", "name")
    place = place_of(meant_for(campaign, await made(gathered, "contact", "lastname")))
    lost = {"path": "batch", "drop": "after", "times": 1}
    (await gathered.person.post(f"{simulator.http_url}/admin/faults", json=lost)).raise_for_status()

    with pytest.raises(Unavailable):
        await gathered.lists.join(place)
    await gathered.lists.join(place)

    under = (await gathered.person.get(f"campaigns({campaign.id})/campaignlist_association")).json()["value"]
    assert [UUID(row["listid"]) for row in under] == [place.list_id]
    assert await gathered.members(place.list_id) == {place.member}


async def test_members_that_come_at_once_share_one_list(organisation: "Organisation") -> None:
    campaign = await made(organisation, "campaign", "name")
    people = [await made(organisation, "contact", "lastname") for _ in range(4)]
    places = [place_of(meant_for(campaign, person)) for person in people]

    await asyncio.gather(*(organisation.lists.join(place) for place in places))

    assert await organisation.members(places[0].list_id) == set(people)


async def test_the_first_member_costs_three_requests_the_next_one_and_another_title_none(
    simulator: "Simulator", gathered: "SimulatedOrganisation"
) -> None:
    campaign = await made(gathered, "campaign", "name")
    ada, bob = [meant_for(campaign, await made(gathered, "contact", "lastname")) for _ in range(2)]
    after, row = followers(gathered), uuid4()
    renamed: dict[str, Value] = {**bob, "subject": "Summer"}
    nothing: dict[str, Value] = {}

    def asked() -> int:
        told = httpx.get(f"{simulator.http_url}/admin/requests").raise_for_status().json()
        requests: int = told["requests"]
        return requests

    costs = []
    for before, now in ((nothing, ada), (nothing, bob), (bob, renamed), (renamed, renamed)):
        already = asked()
        await after.follow(row, before, now, free)
        costs.append(asked() - already)

    assert costs == [3, 1, 0, 0]
