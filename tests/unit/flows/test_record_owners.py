"""Whose a record is: found, waited for, stood in for, and put right once there is a user."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.memory.people import MYSELF, MemoryPeople
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import tables
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from shared.core.owner_lookup import OwnerLookup
from shared.core.ownership import Phase
from shared.core.record_owner import OnUnmatched, OwnerPolicy
from shared.recovery.record_owners import NotAnAlias, RecordOwners
from tests.unit.flows.conftest import Desk, desk_with

if TYPE_CHECKING:
    from datetime import datetime

SECOND = timedelta(seconds=1)
ADA, BOB, EVE = (UUID(int=number) for number in (0xADA, 0xB0B, 0xE7E))
STANDS_IN = OwnerPolicy(fallbacks={"allegory": "eve@crm.example"})
WAITS = OwnerPolicy({"allegory": OnUnmatched.WAIT}, STANDS_IN.fallbacks)


class Office:
    """A desk with users, and the job that looks whether owners are users by now."""

    def __init__(self, desk: Desk, policy: OwnerPolicy) -> None:
        self.desk = desk
        people = MemoryPeople(desk.rows)
        self.telemetry = MemoryTelemetry()
        self.owners = RecordOwners(
            desk.store.record_owners,
            people,
            OwnerLookup(people, desk.store.record_owners, policy),
            desk.gate.systems,
            desk.store.crosswalk,
            desk.bus,
            desk.store.jobs,
            desk.clock,
            self.telemetry,
            queue="inbound",
            owner="w",
        )
        self.user(EVE, "eve@crm.example")

    def user(self, user: UUID, address: str, **more: Any) -> None:
        self.desk.rows.put("systemuser", user, {"internalemailaddress": address, **more})

    async def says(
        self, name: str, owner: str, *, at: "datetime | None" = None, **more: Any
    ) -> Outcome | None:
        """Allegory tells of a company and whose it is."""
        data = {"name": name, "owner_email": owner, **more}
        return await self.desk.record_changed(name, data, at=at)

    def owner_of(self, name: str) -> UUID | None:
        row = self.desk.rows.of("account").get(row_of(name))
        owner = row["ownerid"] if row else None
        assert owner is None or isinstance(owner, RowRef)
        return owner.id if owner else None

    async def look(self) -> int:
        """The timer runs, and what it sends arrives."""
        found = await self.owners.run()
        await self.desk.delivered()
        return found

    async def counts(self) -> list[tuple[str, str, dict[str, int], dict[str, int]]]:
        told = await self.owners.told(plain=True)
        return [(each["name"], each["why"], each["waiting"], each["owed"]) for each in told["unmatched"]]


def row_of(name: str) -> UUID:
    return chosen_row_id(RecordKey("allegory", "company", name))


@pytest.fixture
def waits() -> Iterator[Office]:
    """New records of an unmatched owner wait."""
    with desk_with(ALLEGORY, policy=WAITS) as desk:
        yield Office(desk, WAITS)


@pytest.fixture
def stands_in() -> Iterator[Office]:
    """Eve stands in for owners who are no user."""
    with desk_with(ALLEGORY, policy=STANDS_IN) as desk:
        yield Office(desk, STANDS_IN)


async def test_a_record_waits_for_its_owner_and_no_other_does(waits: Office) -> None:
    waits.user(BOB, "bob@crm.example")

    assert await waits.says("A-1", "ada@crm.example") is Outcome.PARKED
    assert await waits.says("A-2", "Ada@CRM.example ") is Outcome.PARKED
    assert await waits.says("B-1", "bob@crm.example") is Outcome.APPLIED

    assert (waits.owner_of("B-1"), waits.owner_of("A-1")) == (BOB, None)
    assert await waits.counts() == [("ada@crm.example", "unknown", {"company": 2}, {})]
    assert await waits.look() == 0, "nobody came"
    assert waits.owner_of("A-1") is None


async def test_whoever_waited_goes_on_in_one_run_once_the_user_is_there(waits: Office) -> None:
    await waits.says("A-1", "ada@crm.example")
    await waits.says("A-1", "ada@crm.example", phone="2")
    await waits.says("C-1", "carl@crm.example")
    await waits.look()
    waits.user(ADA, "ada@crm.example")

    assert await waits.look() == 1

    assert (waits.owner_of("A-1"), waits.owner_of("C-1")) == (ADA, None)
    assert waits.desk.rows.of("account")[row_of("A-1")]["telephone1"] == "2", "its follower went on, too"
    assert await waits.counts() == [("carl@crm.example", "unknown", {"company": 1}, {})]


async def test_a_row_that_is_there_keeps_its_owner_and_everything_else_crosses(waits: Office) -> None:
    waits.user(BOB, "bob@crm.example")
    await waits.says("B-1", "bob@crm.example", phone="1")
    waits.desk.clock.advance(SECOND)

    assert await waits.says("B-1", "ada@crm.example", phone="2") is Outcome.APPLIED

    assert waits.owner_of("B-1") == BOB
    assert waits.desk.rows.of("account")[row_of("B-1")]["telephone1"] == "2"
    assert await waits.counts() == [("ada@crm.example", "unknown", {}, {"company": 1})]
    waits.user(ADA, "ada@crm.example")
    await waits.look()
    assert waits.owner_of("B-1") == ADA
    assert await waits.look() == 0
    assert await waits.counts() == []


async def test_somebody_stands_in_until_the_owner_is_a_user(stands_in: Office) -> None:
    assert await stands_in.says("A-1", "ada@crm.example") is Outcome.APPLIED
    assert stands_in.owner_of("A-1") == EVE
    assert await stands_in.counts() == [("ada@crm.example", "unknown", {}, {"company": 1})]
    stands_in.user(ADA, "ada@crm.example")

    assert await stands_in.look() == 1

    assert stands_in.owner_of("A-1") == ADA
    (told, _) = [line for line in journal(stands_in.desk) if "ownerid" in line["changes"]]
    assert json.loads(told["changes"])["ownerid"]["after"] == {"t": "row", "v": f"systemuser/{EVE}"}


async def test_without_a_fallback_tandem_itself_stands_in() -> None:
    nothing = OwnerPolicy()
    with desk_with(ALLEGORY, policy=nothing) as desk:
        office = Office(desk, nothing)
        await office.says("A-1", "ada@crm.example")
        assert office.owner_of("A-1") == MYSELF
        office.user(ADA, "ada@crm.example")
        await office.look()
        assert office.owner_of("A-1") == ADA


async def test_a_team_may_stand_in() -> None:
    policy = OwnerPolicy(fallbacks={"*/company": "Unassigned"})
    with desk_with(ALLEGORY, policy=policy) as desk:
        office = Office(desk, policy)
        team = UUID(int=0x7EA)
        desk.rows.put("team", team, {"name": "Unassigned"})
        await office.says("A-1", "ada@crm.example")
        assert desk.rows.of("account")[row_of("A-1")]["ownerid"] == RowRef("team", team)


async def test_a_blank_owner_goes_to_the_fallback_and_waits_for_nobody(
    waits: Office, stands_in: Office
) -> None:
    for office in (waits, stands_in):
        assert await office.says("A-1", "") is Outcome.APPLIED
        assert office.owner_of("A-1") == EVE
        assert await office.counts() == []


@pytest.mark.parametrize(
    ("users", "why"),
    [
        ([(ADA, "ada@crm.example", True)], "disabled"),
        ([(ADA, "ada@crm.example", False), (BOB, "ADA@crm.example", False)], "ambiguous"),
    ],
)
async def test_a_disabled_and_an_ambiguous_owner_are_told_apart(
    waits: Office, users: list[tuple[UUID, str, bool]], why: str
) -> None:
    for user, address, disabled in users:
        waits.user(user, address, isdisabled=disabled)

    assert await waits.says("A-1", "ada@crm.example") is Outcome.PARKED

    assert await waits.counts() == [("ada@crm.example", why, {"company": 1}, {})]
    waits.user(ADA, "ada@crm.example", isdisabled=False)
    waits.user(BOB, "bob@crm.example")
    await waits.look()
    assert waits.owner_of("A-1") == ADA


async def test_a_disabled_namesake_is_in_nobodys_way(waits: Office) -> None:
    waits.user(BOB, "ada@crm.example", isdisabled=True)
    waits.user(ADA, "ada@crm.example")

    assert await waits.says("A-1", "ada+leads@crm.example") is Outcome.APPLIED

    assert waits.owner_of("A-1") == ADA


async def test_an_alias_says_who_is_meant_at_once_and_both_ways(waits: Office) -> None:
    waits.user(ADA, "ada@crm.example")
    await waits.says("A-1", "ada.maiden@old.example")
    asked = {"system": "allegory", "name": "ADA.maiden@old.example", "user": "ada@crm.example"}

    told = await waits.owners.alias(asked | {"reason": "she married"}, "ann")
    await waits.desk.delivered()

    assert (told["set"], told["records"]) == (True, 1)
    assert waits.owner_of("A-1") == ADA
    assert await waits.desk.store.record_owners.name_of("allegory", "Ada@crm.example") == asked["name"]
    (line,) = rows(waits.desk, tables.audit_event)
    deed = (line["actor"], line["action"], line["was"], line["became"], line["reason"])
    assert deed == ("ann", "set_owner_alias", None, "ada@crm.example", "she married")


async def test_an_alias_that_is_taken_away_counts_no_more(waits: Office) -> None:
    waits.user(ADA, "ada@crm.example")
    asked = {"system": "allegory", "name": "old@old.example", "reason": "so it is"}
    await waits.owners.alias(asked | {"user": "ada@crm.example"}, "ann")
    assert await waits.says("A-1", "old@old.example") is Outcome.APPLIED

    await waits.owners.alias(asked | {"user": ""}, "bert")

    assert await waits.says("A-2", "old@old.example") is Outcome.PARKED
    actions = [(line["actor"], line["action"]) for line in rows(waits.desk, tables.audit_event)]
    assert actions == [("ann", "set_owner_alias"), ("bert", "remove_owner_alias")]


@pytest.mark.parametrize(
    ("name", "user", "why"),
    [
        ("x@old.example", "nobody@crm.example", "no user has that address"),
        ("eve@crm.example", "ada@crm.example", "a user's own"),
        ("y@old.example", "", "no such alias"),
        ("", "ada@crm.example", "name a system"),
    ],
)
async def test_an_alias_that_cannot_be_is_refused(waits: Office, name: str, user: str, why: str) -> None:
    waits.user(ADA, "ada@crm.example")
    asked = {"system": "allegory", "name": name, "user": user, "reason": "x"}

    with pytest.raises(NotAnAlias, match=why):
        await waits.owners.alias(asked, "ann")

    assert rows(waits.desk, tables.audit_event) == []


async def test_what_was_decided_since_stands(stands_in: Office) -> None:
    desk = stands_in.desk
    stands_in.user(BOB, "bob@crm.example")
    await stands_in.says("A-1", "ada@crm.example")
    desk.records.put("company", "A-1", {"name": "A-1", "owner_email": "ada@crm.example"})
    desk.clock.advance(SECOND)
    desk.rows.put("account", row_of("A-1"), {"ownerid": RowRef("systemuser", BOB)})
    told: dict[str, Any] = {"_ownerid_value": str(BOB), "_ownerid_type": "systemusers"}
    assert await desk.row_changed(row_of("A-1"), **told) is Outcome.APPLIED
    assert desk.records.of("company")["A-1"]["owner_email"] == "bob@crm.example"
    stands_in.user(ADA, "ada@crm.example")

    await stands_in.look()

    assert stands_in.owner_of("A-1") == BOB
    assert await stands_in.counts() == []


async def test_a_later_word_of_the_legacy_system_stands(stands_in: Office) -> None:
    stands_in.user(BOB, "bob@crm.example")
    first = stands_in.desk.clock.now()
    await stands_in.says("A-1", "ada@crm.example")
    stands_in.desk.clock.advance(SECOND)
    await stands_in.says("A-1", "carl@crm.example")

    assert await stands_in.says("A-1", "bob@crm.example", at=first) is Outcome.STALE

    assert stands_in.owner_of("A-1") == EVE, "Carl was named later than Bob"
    assert await stands_in.counts() == [("carl@crm.example", "unknown", {}, {"company": 1})]


async def test_where_dataverse_decides_an_owner_owed_from_before_is_let_be(stands_in: Office) -> None:
    await stands_in.says("A-1", "ada@crm.example")
    await stands_in.desk.store.owners.set_phase(
        ("allegory", "company", ""), Phase.DYNAMICS_MASTER, "ann", "on we go"
    )
    stands_in.user(ADA, "ada@crm.example")

    await stands_in.look()

    assert stands_in.owner_of("A-1") == EVE
    assert rows(stands_in.desk, tables.conflict) == []
    assert await stands_in.counts() == []


async def test_a_record_that_is_deleted_owes_nothing(stands_in: Office) -> None:
    await stands_in.says("A-1", "ada@crm.example")
    stands_in.desk.clock.advance(SECOND)
    assert await stands_in.desk.record_changed("A-1", None) is Outcome.APPLIED

    await stands_in.look()

    assert await stands_in.counts() == []


async def test_who_need_not_wait_any_more_goes_on(waits: Office) -> None:
    await waits.says("A-1", "ada@crm.example")
    eased = Office(waits.desk, STANDS_IN)

    await eased.owners.run()

    assert [row["state"] for row in rows(waits.desk, tables.lane_item)] == ["waiting"]


async def test_a_row_whose_owner_cannot_be_written_now_is_told_again_when_its_lane_is_free(
    stands_in: Office,
) -> None:
    await stands_in.says("A-1", "ada@crm.example")
    stands_in.user(ADA, "ada@crm.example")
    await stands_in.owners.run()
    (lost,) = stands_in.desk.bus.sent
    stands_in.desk.bus.sent.clear()
    assert lost.message.session_id == str(row_of("A-1"))

    assert await stands_in.look() == 1, "it may be on its way"
    assert stands_in.owner_of("A-1") == EVE
    stands_in.desk.clock.advance(60 * SECOND)
    await stands_in.look()

    assert stands_in.owner_of("A-1") == ADA


async def test_names_are_told_only_to_those_who_may_see_them(waits: Office) -> None:
    waits.user(ADA, "ada@crm.example")
    await waits.says("A-1", "jo@old.example")
    asked = {"system": "allegory", "name": "ann@old.example", "user": "ada@crm.example", "reason": "x"}
    await waits.owners.alias(asked, "ann")

    plain, masked = [json.dumps(await waits.owners.told(plain=plain)) for plain in (True, False)]

    assert "jo@old.example" in plain
    assert "@old.example" not in masked
    assert "ada@" not in masked
    for table in (tables.journal, tables.dependency, tables.lane_item):
        assert "old.example" not in json.dumps(rows(waits.desk, table), default=str)


def journal(desk: Desk) -> list[dict[str, Any]]:
    return rows(desk, tables.journal)


def rows(desk: Desk, table: sa.Table) -> list[dict[str, Any]]:
    with desk.store.engine.connect() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]
