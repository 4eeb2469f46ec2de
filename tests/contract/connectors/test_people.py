"""Who can own rows and which unit they are of: one suite for the twins and for Dataverse over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.connectors.dataverse.people import DataversePeople
from shared.connectors.dataverse.units import DataverseUnits
from shared.connectors.memory.people import MemoryPeople
from shared.connectors.memory.units import MemoryUnits
from shared.core.mapping.references import RowRef
from shared.core.owner_lookup import ADDRESS
from shared.core.record_owner import Person
from tests.contract.connectors.conftest import MemoryOrganisation, SimulatedOrganisation


@dataclass
class Staff:
    """An organisation's people and units, and what its administrator does about them."""

    place: MemoryOrganisation | SimulatedOrganisation
    people: MemoryPeople | DataversePeople
    units: MemoryUnits | DataverseUnits

    async def user(self, address: str, *, disabled: bool = False) -> UUID:
        return await self.place.user(address, disabled=disabled)

    async def put(self, table: str, row: UUID, **values: Any) -> None:
        """Set columns of a row; a lookup is named as `(column, table, id)` under `link`."""
        link = values.pop("link", None)
        if isinstance(self.place, MemoryOrganisation):
            self.place.rows.put(table, row, values | ({link[0]: RowRef(link[1], link[2])} if link else {}))
            return
        sets = {"businessunit": "businessunits", "systemuser": "systemusers", "team": "teams"}
        linked = {f"{link[0]}@odata.bind": f"/{sets[link[1]]}({link[2]})"} if link else {}
        answer = await self.place.person.patch(f"{sets[table]}({row})", json={**values, **linked})
        answer.raise_for_status()

    async def unit(self, name: str, above: UUID | None = None) -> UUID:
        made = uuid4()
        if above is None and isinstance(self.place, SimulatedOrganisation):
            rows = (await self.place.person.get("businessunits")).json()["value"]
            above = UUID(rows[0]["businessunitid"])
        link = ("parentbusinessunitid", "businessunit", above) if above else None
        await self.put("businessunit", made, name=name, link=link)
        return made


@pytest.fixture(params=["memory", "simulated"])
def staff(request: pytest.FixtureRequest) -> Staff:
    if request.param == "memory":
        place = MemoryOrganisation()
        return Staff(place, MemoryPeople(place.rows), MemoryUnits(place.rows))
    real: SimulatedOrganisation = request.getfixturevalue("simulated")
    client = real.directory._client  # the one client there is
    return Staff(real, DataversePeople(client, real.clock), DataverseUnits(client, real.clock))


async def test_users_are_found_by_address_whatever_its_case_the_enabled_ones_first(staff: Staff) -> None:
    gone = await staff.user("Ada@crm.example", disabled=True)
    ada = await staff.user("ada@CRM.example")

    found = await staff.people.named(ADDRESS, " ADA@crm.example ")

    assert list(found) == [Person(ada, enabled=True), Person(gone, enabled=False)]
    assert list(await staff.people.named(ADDRESS, "o'nobody@crm.example")) == []


async def test_a_miss_is_asked_again_at_once_when_somebody_says_so(staff: Staff) -> None:
    assert list(await staff.people.named(ADDRESS, "ada@crm.example")) == []
    ada = await staff.user("ada@crm.example")

    assert list(await staff.people.named(ADDRESS, "ada@crm.example", fresh=True)) == [
        Person(ada, enabled=True)
    ]
    assert list(await staff.people.named(ADDRESS, "ada@crm.example")) == [Person(ada, enabled=True)]


async def test_the_roster_tells_enabled_users_that_changed_since(staff: Staff) -> None:
    await staff.user("gone@crm.example", disabled=True)
    await staff.user("ada@crm.example")
    everybody = await staff.people.changed(None)
    last = max(user.changed_at for user in everybody)

    since = await staff.people.changed(last - timedelta(seconds=1))
    nobody = await staff.people.changed(last + timedelta(days=1))

    assert "ada@crm.example" in frozenset[str]().union(*(user.names for user in since))
    assert all("gone@crm.example" not in user.names for user in everybody)
    assert list(nobody) == []


async def test_tandem_knows_itself(staff: Staff) -> None:
    assert await staff.people.myself() == await staff.people.myself()


async def test_a_team_is_found_by_its_name(staff: Staff) -> None:
    unit, team = await staff.unit("North"), uuid4()
    await staff.put("team", team, name="Unassigned", link=("businessunitid", "businessunit", unit))

    assert await staff.people.team("Unassigned") == team
    assert await staff.people.team("Nobody's") is None
    assert next(iter(await staff.units.of(RowRef("team", team)))).name == "North"


async def test_a_users_unit_comes_with_those_above_it(staff: Staff) -> None:
    ada = await staff.user("ada@crm.example")
    north = await staff.unit("North")
    harbour = await staff.unit("Harbour", north)
    await staff.put("systemuser", ada, link=("businessunitid", "businessunit", harbour))

    chain = await staff.units.of(RowRef("systemuser", ada))

    assert [(each.id, each.name) for each in chain][:2] == [(harbour, "Harbour"), (north, "North")]
    assert list(await staff.units.of(RowRef("systemuser", uuid4()))) == []


async def test_a_unit_is_found_by_its_name_or_id(staff: Staff) -> None:
    north = await staff.unit("North")

    by_name, by_id = await staff.units.named(" north"), await staff.units.named(f"{{{str(north).upper()}}}")

    assert by_name[0].id == by_id[0].id == north
    assert list(await staff.units.named("Nowhere")) == []
