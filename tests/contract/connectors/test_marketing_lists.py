"""Whoever a campaign is meant for is in its list for that kind of person, in memory and simulated alike."""

from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import pytest

from mappers.dataverse import TABLES
from mappers.legrand import LEGRAND
from mappers.legrand.campaign_members import CAMPAIGN_MEMBER, marketing_list
from shared.core.crosswalk import Crosswalk
from shared.core.errors import Refused
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Membership
from shared.core.ports import Directory
from shared.inbound.satellites import Followers

if TYPE_CHECKING:
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


async def test_a_list_that_was_made_and_not_yet_put_under_its_campaign_is(
    simulated: "SimulatedOrganisation",
) -> None:
    campaign = await made(simulated, "campaign", "name")
    place = place_of(meant_for(campaign, await made(simulated, "contact", "lastname")))
    body = {"listid": str(place.list_id), "listname": "Half made", "createdfromcode": 2, "type": False}
    (await simulated.person.post("lists", json=body)).raise_for_status()

    await simulated.lists.join(place)

    under = (await simulated.person.get(f"campaigns({campaign.id})/campaignlist_association")).json()["value"]
    assert [row["listname"] for row in under] == ["Half made"]
