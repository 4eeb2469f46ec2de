"""Who took part: found by record or by address, in memory and in the simulated Dataverse alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES, contact, email, lead
from shared.connectors.sqlstore.values import tagged, untagged
from shared.core.attendance import Attendance
from shared.core.crosswalk import Entry
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Option
from shared.core.mapping.parties import Party, PartyRef, Role
from shared.core.mapping.references import RowRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contract.connectors.conftest import Organisation, SimulatedOrganisation


@dataclass
class Pairs:
    """`Crosswalk` of the pairs given."""

    rows: dict[RecordKey, UUID] = field(default_factory=dict)

    async def claim(self, key: RecordKey, row_id: UUID | None, chosen: UUID) -> UUID:
        return self.rows.setdefault(key, row_id or chosen)

    async def row_of(self, key: RecordKey) -> UUID | None:
        return self.rows.get(key)

    async def records_of(self, row_id: UUID) -> Sequence[RecordKey]:
        return [key for key, row in self.rows.items() if row == row_id]

    async def claims_on(self, row_id: UUID) -> Sequence[RecordKey]:
        return await self.records_of(row_id)

    async def heir_of(self, row_id: UUID) -> UUID | None:
        del row_id
        return None

    async def entry(self, key: RecordKey) -> Entry | None:
        return Entry(self.rows[key], is_paired=True) if key in self.rows else None


async def person(organisation: Organisation, address: str) -> RowRef:
    row_id = uuid4()
    await organisation.rows.create(contact.TABLE, row_id, {"lastname": "Berg", "emailaddress1": address})
    return RowRef("contact", row_id)


async def prospect(organisation: Organisation, address: str) -> RowRef:
    row_id = uuid4()
    await organisation.rows.create(lead.TABLE, row_id, {"lastname": "Berg", "emailaddress1": address})
    return RowRef("lead", row_id)


async def found(
    organisation: Organisation, *parties: PartyRef, pairs: Pairs | None = None, table: str = "email"
) -> dict[str, object]:
    attendance = Attendance(ALLEGORY, pairs or Pairs(), organisation.directory)
    column = TABLES[table].columns[f"{table}_activity_parties"]
    return dict(await attendance.resolved(column, parties))


async def test_an_address_is_a_user_before_a_contact_before_a_lead(organisation: Organisation) -> None:
    user = RowRef("systemuser", await organisation.user("all@x.example"))
    for address in ("all@x.example", "two@x.example"):
        await prospect(organisation, address)
    await person(organisation, "all@x.example")
    second = await person(organisation, "two@x.example")
    third = await prospect(organisation, "one@x.example")

    refs = [PartyRef(Role.TO, f"{name}@X.example") for name in ("all", "two", "one", "none")]

    assert await found(organisation, *refs) == {
        "email_activity_parties": tuple(
            Party(ref.role, ref.address, row)
            for ref, row in zip(refs, (user, second, third, None), strict=True)
        )
    }


async def test_an_address_of_two_contacts_is_nobodys_not_even_the_leads(organisation: Organisation) -> None:
    await person(organisation, "twice@x.example")
    await person(organisation, "twice@x.example")
    await prospect(organisation, "twice@x.example")

    assert await found(organisation, PartyRef(Role.TO, "twice@x.example")) == {
        "email_activity_parties": (Party(Role.TO, "twice@x.example"),)
    }


async def test_a_record_decides_where_it_is_known_and_is_not_waited_for(organisation: Organisation) -> None:
    named = await person(organisation, "anna@x.example")
    other = await person(organisation, "bo@x.example")
    known, unknown = (RecordKey("allegory", "contact", name) for name in ("P-1", "P-2"))
    pairs = Pairs({known: named.id})

    assert await found(
        organisation,
        PartyRef(Role.SENDER, "bo@x.example", known),
        PartyRef(Role.TO, "bo@x.example", unknown),
        pairs=pairs,
    ) == {
        "email_activity_parties": (
            Party(Role.SENDER, "bo@x.example", named),
            Party(Role.TO, "bo@x.example", other),
        )
    }


async def test_a_call_keeps_whom_nobody_knows_as_text(organisation: Organisation) -> None:
    user = RowRef("systemuser", await organisation.user("anna@x.example"))

    assert await found(
        organisation,
        PartyRef(Role.SENDER, "anna@x.example"),
        PartyRef(Role.TO, "+49 30 1"),
        table="phonecall",
    ) == {
        "phonecall_activity_parties": (Party(Role.SENDER, "anna@x.example", user),),
        "tandem_unresolved": "to +49 30 1",
    }


async def test_an_email_is_made_with_its_parties_in_one_write(simulated: SimulatedOrganisation) -> None:
    who, row_id = await person(simulated, "anna@x.example"), uuid4()
    parties = (Party(Role.SENDER, "stranger@x.example"), Party(Role.TO, "anna@x.example", who))

    await simulated.rows.create(
        email.TABLE,
        row_id,
        {"subject": "Hello", "email_activity_parties": parties, "statuscode": Option(3)},
    )

    answer = await simulated.person.get(f"emails({row_id})/email_activity_parties")
    held = {
        (row["participationtypemask"], row["_partyid_value"], row["addressused"])
        for row in answer.raise_for_status().json()["value"]
    }
    assert held == {(1, None, "stranger@x.example"), (2, str(who.id), None)}


@pytest.mark.parametrize("row", [None, RowRef("contact", uuid4())])
def test_parties_are_the_same_once_they_were_kept(row: RowRef | None) -> None:
    parties = (Party(Role.CC, "anna@x.example", row), Party(Role.ORGANIZER, ""))

    assert untagged(tagged(parties)) == parties
    assert untagged(tagged(())) == ()
