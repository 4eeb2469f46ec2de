"""The same customer in two systems: noticed, told to a person, put together, and taken apart again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.change import Json
from shared.core.customers import NotOpen, Unfitting
from shared.core.errors import Unavailable
from shared.core.identity import RecordKey
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import US, desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))
ALIKE: dict[str, Json] = {"name": "Nordwind GmbH", "domain": "https://www.nordwind.example/de"}
ALIKE_TOO: dict[str, Json] = {"name": "NORDWIND", "domain": "nordwind.example", "phone": "2"}


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def saved(desk: "Desk", system: str, record: str, **fields: Json) -> Outcome | None:
    desk.clock.advance(timedelta(seconds=10))
    records = desk.others[system]
    told = records.put("company", record, {**records.of("company").get(record, {}), **fields})
    return await desk.record_changed(record, told.fields, system=system)


async def row_of(desk: "Desk", system: str, record: str) -> UUID:
    row = await desk.store.crosswalk.row_of(RecordKey(system, "company", record))
    assert row is not None
    return row


async def two(desk: "Desk") -> tuple[UUID, UUID]:
    """Two rows of two systems that are alike; Allegory's is the elder."""
    await saved(desk, "allegory", "A-1", **ALIKE)
    await saved(desk, "borealis", "B-1", **ALIKE_TOO)
    return await row_of(desk, "allegory", "A-1"), await row_of(desk, "borealis", "B-1")


async def waiting(desk: "Desk") -> list[dict[str, Any]]:
    return list((await desk.customers.waiting())["matches"])


async def told(desk: "Desk", *rows: UUID) -> None:
    """The flow tells of rows; what we put on the queues arrives."""
    await desk.delivered()
    for row in rows:
        if row in desk.rows.of("account"):
            await desk.tell_row(row)
    await desk.delivered()


def column(desk: "Desk", row: UUID, name: str) -> Any:
    return desk.rows.of("account")[row].get(name)


async def test_two_rows_that_are_alike_wait_for_a_person_with_reason_and_confidence(desk: "Desk") -> None:
    heir, loser = await two(desk)

    (match,) = await waiting(desk)
    assert (match["confidence"], match["certain"], match["table"]) == (97, True, "account")
    assert match["reasons"] == ["the same website", "the same website and the same name"]
    assert {row["row"]: row["records"] for row in match["rows"]} == {
        str(heir): ["allegory:company:A-1"],
        str(loser): ["borealis:company:B-1"],
    }
    # Nothing was put together.
    assert column(desk, loser, "statecode") is None


async def test_duplicates_within_one_system_are_told_too(desk: "Desk") -> None:
    await saved(desk, "allegory", "A-1", **ALIKE)
    await saved(desk, "allegory", "A-2", **ALIKE)

    (match,) = await waiting(desk)
    assert [row["records"] for row in match["rows"]] in (
        [["allegory:company:A-1"], ["allegory:company:A-2"]],
        [["allegory:company:A-2"], ["allegory:company:A-1"]],
    )


async def test_a_customer_made_in_dataverse_is_held_against_those_known(desk: "Desk") -> None:
    await saved(desk, "allegory", "A-1", **ALIKE)
    row = UUID(int=9)

    await desk.row_changed(row, operation="Create", name="Nordwind", websiteurl="nordwind.example")

    (match,) = await waiting(desk)
    assert str(row) in {one["row"] for one in match["rows"]}


async def test_who_changes_is_no_match_any_more_only_for_new_ones(desk: "Desk") -> None:
    await saved(desk, "allegory", "A-1", **ALIKE)
    await saved(desk, "allegory", "A-1", domain="other.example")

    await saved(desk, "borealis", "B-1", **ALIKE_TOO)

    assert await waiting(desk) == []


async def test_accepting_makes_one_customer_of_two_systems(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)

    assert (await desk.store.operations.standing.take())["asked"] == {"conflicts": 0, "matches": 1}
    queued = await desk.customers.accept(match["case"], "", "ann", "same address")
    assert (await desk.store.operations.standing.take())["asked"] == {"conflicts": 0, "matches": 0}
    assert queued["heir"] == str(heir)
    await told(desk, heir, loser)

    assert await row_of(desk, "borealis", "B-1") == heir
    assert column(desk, loser, "statecode") == 1
    assert await waiting(desk) == []
    over = await desk.customers.one(match["case"])
    assert over is not None
    assert (over["state"], over["decided_by"], over["reason"]) == ("over", "ann", "same address")
    assert desk.others["borealis"].of("company")["B-1"]["name"] == "Nordwind GmbH"
    assert desk.others["allegory"].of("company")["A-1"]["phone"] == "2"


async def test_the_other_row_may_be_the_one_that_lives_on(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)

    await desk.customers.accept(match["case"], str(loser), "ann", "the newer one is right")
    await told(desk, loser, heir)

    assert await row_of(desk, "allegory", "A-1") == loser
    with pytest.raises(NotOpen):
        await desk.customers.accept(match["case"], "", "bob", "again")


async def test_the_rules_say_whose_values_one_customer_holds_whichever_row_lives_on(desk: "Desk") -> None:
    """The elder row is that of the system that comes last; its nickname replaces no registered name."""
    theirs: dict[str, Json] = {"phone": "1", "tags": "short", "city": "Kiel", "year_founded": 1990}
    await saved(desk, "borealis", "B-1", **{**ALIKE_TOO, **theirs})
    ours: dict[str, Json] = {"phone": "2", "tags": "much longer", "city": "", "year_founded": 1991}
    await saved(desk, "allegory", "A-1", **{**ALIKE, **ours})
    heir, loser = await row_of(desk, "borealis", "B-1"), await row_of(desk, "allegory", "A-1")
    (match,) = await waiting(desk)

    assert (await desk.customers.accept(match["case"], "", "ann", "same address"))["heir"] == str(heir)
    await told(desk, heir, loser)

    # By priority, newest not blank, longest, newest not blank, newest.
    names = ("name", "telephone1", "tandem_tags", "address1_city", "tandem_yearfounded")
    assert [column(desk, heir, name) for name in names] == ["Nordwind GmbH", "2", "much longer", "Kiel", 1991]
    agreed = {"name": "Nordwind GmbH", "phone": "2", "tags": "much longer", "city": "Kiel"}
    for system, record in (("allegory", "A-1"), ("borealis", "B-1")):
        held = desk.others[system].of("company")[record]
        assert {name: held[name] for name in agreed} == agreed, system
        assert str(held["year_founded"]) == "1991"
    # What is agreed is what both hold: nothing goes round.
    before = [dict(desk.others[name].of("company")) for name in ("allegory", "borealis")]
    await told(desk, heir)
    assert [dict(desk.others[name].of("company")) for name in ("allegory", "borealis")] == before


async def test_a_value_that_loses_when_two_become_one_is_kept_with_the_rule(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)

    (story,) = await desk.store.operations.history.of(str(heir))
    lost = {(one["column"], one["inbound"], one["winner"], one["rule"]) for one in story["conflicts"]}
    assert ("name", "NORDWIND", "allegory", "survivorship: priority") in lost


async def test_whose_values_stood_may_be_taken_out_again_and_keeps_them(desk: "Desk") -> None:
    await saved(desk, "borealis", "B-1", **ALIKE_TOO)
    # It has never spoken of a telephone; the other one's, which it is told, does not stay with it.
    await saved(desk, "allegory", "A-1", **{**ALIKE, "tags": "long"})
    heir, loser = await row_of(desk, "borealis", "B-1"), await row_of(desk, "allegory", "A-1")
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)

    await desk.customers.unmerge("allegory:company:A-1", "ann", "they are two")
    await told(desk, loser, heir)

    assert await row_of(desk, "allegory", "A-1") == loser
    own = {name: column(desk, loser, name) for name in ("name", "tandem_tags", "telephone1", "statecode")}
    assert own == {"name": "Nordwind GmbH", "tandem_tags": "long", "telephone1": None, "statecode": 0}
    record = desk.others["allegory"].of("company")["A-1"]
    assert (record["name"], record["tags"], record.get("phone") or "") == ("Nordwind GmbH", "long", "")
    # The other one keeps the shared row as it is.
    assert (column(desk, heir, "name"), column(desk, heir, "telephone1")) == ("Nordwind GmbH", "2")


async def test_the_record_whose_key_the_shared_row_has_may_be_taken_out_too(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)

    queued = await desk.customers.unmerge("allegory:company:A-1", "ann", "they are two")
    own = UUID(queued["row"])
    await told(desk, own, heir)

    assert own not in {heir, loser}
    assert await row_of(desk, "allegory", "A-1") == own
    keys = [column(desk, row, "tandem_sourcekey") for row in (own, heir, loser)]
    assert keys == ["allegory:company:A-1", None, "borealis:company:B-1"]
    assert (column(desk, own, "name"), column(desk, own, "telephone1")) == ("Nordwind GmbH", None)
    # It was told the other one's telephone while they were one customer.
    assert not desk.others["allegory"].of("company")["A-1"].get("phone")
    # Each goes its own way.
    await saved(desk, "allegory", "A-1", phone="5")
    await saved(desk, "borealis", "B-1", phone="6")
    await told(desk, own, heir)
    assert [column(desk, row, "telephone1") for row in (own, heir)] == ["5", "6"]


async def test_a_link_that_follows_a_merge_is_no_answer_to_what_we_wrote(desk: "Desk") -> None:
    """Dataverse moves what hung from the loser under our name; it may come right behind a real answer."""
    loser, heir = await two(desk)
    await saved(desk, "allegory", "A-9", name="Below", parent_company_id="A-1", phone="02 03")
    below = await row_of(desk, "allegory", "A-9")
    desk.rows.put("account", below, {"telephone1": "0203"})
    assert await desk.tell_row(below, US) is Outcome.APPLIED

    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], str(heir), "ann", "one of them")
    await told(desk, heir, loser)
    assert column(desk, below, "parentaccountid") == RowRef("account", heir)
    assert await desk.tell_row(below, US) is Outcome.APPLIED


async def test_what_a_user_typed_meanwhile_is_no_rules_to_decide(desk: "Desk") -> None:
    await saved(desk, "borealis", "B-1", **ALIKE_TOO)
    await saved(desk, "allegory", "A-1", **ALIKE)
    heir, loser = await row_of(desk, "borealis", "B-1"), await row_of(desk, "allegory", "A-1")
    (match,) = await waiting(desk)
    desk.rows.put("account", heir, {"name": "As the user knows it"})

    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)

    assert column(desk, heir, "name") == "As the user knows it"
    assert desk.others["allegory"].of("company")["A-1"]["name"] == "As the user knows it"


async def test_refusing_is_remembered(desk: "Desk") -> None:
    await two(desk)
    (match,) = await waiting(desk)

    await desk.customers.refuse(match["case"], "ann", "two branches")
    await saved(desk, "borealis", "B-1", name="Nordwind Ltd")
    await saved(desk, "borealis", "B-1", name="Nordwind")

    assert await waiting(desk) == []
    with pytest.raises(NotOpen):
        await desk.customers.refuse(match["case"], "ann", "again")


async def test_by_policy_a_certain_match_between_two_systems_decides_itself(desk: "Desk") -> None:
    desk.customers = replace(desk.customers, policy="certain")
    heir, loser = await two(desk)
    await saved(desk, "allegory", "A-2", **ALIKE)

    await desk.customers.run()
    desk.clock.advance(timedelta(minutes=1))
    await desk.customers.run()
    await told(desk, heir, loser)

    assert await row_of(desk, "borealis", "B-1") == heir
    assert await row_of(desk, "allegory", "A-2") != heir
    left = {frozenset(row["row"] for row in match["rows"]) for match in await waiting(desk)}
    assert frozenset({str(heir), str(await row_of(desk, "allegory", "A-2"))}) in left


async def test_an_unmerge_gives_a_record_its_own_row_with_its_own_values(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)
    # What its own system says afterwards is its own, too; what others say is not.
    await saved(desk, "borealis", "B-1", city="Kiel")
    await saved(desk, "allegory", "A-1", phone="9")
    await told(desk, heir)
    assert desk.others["borealis"].of("company")["B-1"]["phone"] == "9"

    queued = await desk.customers.unmerge("borealis:company:B-1", "ann", "they are two")
    assert queued["row"] == str(loser)
    await told(desk, loser, heir)

    assert await row_of(desk, "borealis", "B-1") == loser
    assert await row_of(desk, "allegory", "A-1") == heir
    own = {name: column(desk, loser, name) for name in ("name", "telephone1", "address1_city", "statecode")}
    assert own == {"name": "NORDWIND", "telephone1": "2", "address1_city": "Kiel", "statecode": 0}
    record = desk.others["borealis"].of("company")["B-1"]
    assert (record["name"], record["phone"], record["city"]) == ("NORDWIND", "2", "Kiel")
    assert column(desk, heir, "name") == "Nordwind GmbH"
    # Each goes its own way from now on, and they are not taken for one again.
    await saved(desk, "borealis", "B-1", phone="5")
    await told(desk, loser, heir)
    assert (column(desk, loser, "telephone1"), column(desk, heir, "telephone1")) == ("5", "9")
    assert await waiting(desk) == []


async def test_the_history_tells_of_both_decisions_and_the_state_they_led_to(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)
    await desk.customers.unmerge("borealis:company:B-1", "ann", "they are two")
    await told(desk, loser, heir)

    (story,) = await desk.store.operations.history.of(str(loser))
    reasons = [line["reason"] for line in story["journal"]]
    assert f"merged into {heir}" in reasons
    assert f"it has a row of its own again, apart from {heir}" in reasons
    (believed,) = await desk.store.operations.history.as_of(str(loser), desk.clock.now())
    agreed = {name: one["value"] for name, one in believed["believed"]["columns"].items()}
    held = {name: value["value"] for name, value in story["shadow"]["columns"].items() if value["value"]}
    assert agreed == held


async def test_what_cannot_be_taken_apart_says_why(desk: "Desk") -> None:
    heir, loser = await two(desk)

    with pytest.raises(Unfitting, match="no other record shares its row"):
        await desk.customers.unmerge("allegory:company:A-1", "ann", "why not")
    with pytest.raises(Unfitting, match="no row is known"):
        await desk.customers.unmerge("allegory:company:A-9", "ann", "why not")
    with pytest.raises(Unfitting, match="system:entity:id"):
        await desk.customers.unmerge("nonsense", "ann", "why not")
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)
    desk.others["borealis"].remove("company", "B-1")
    case = await desk.customers.unmerge("borealis:company:B-1", "ann", "they are two")
    await told(desk)

    ended = await desk.customers.one(case["case"])
    assert ended is not None
    assert ended["ended"] == "borealis no longer has the record, and nothing is made up"
    assert column(desk, loser, "statecode") == 1


async def test_a_decision_nobody_made_is_carried_out_by_nobody(desk: "Desk") -> None:
    """A message that says two rows are one has no effect without Tandem's seal, nor with an old decision."""
    heir, loser = await two(desk)
    body = {
        "schemaVersion": "1.0",
        "kind": "join",
        "table": "account",
        "heir": str(heir),
        "loser": str(loser),
        "case": 1,
        "decidedOn": desk.clock.now().isoformat(),
    }

    assert await desk._receive("outbound", str(heir), body) is Outcome.REJECTED
    assert column(desk, loser, "statecode") is None


async def test_what_one_system_never_spoke_of_is_told_to_it(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)

    await saved(desk, "borealis", "B-1", city="Kiel")
    await told(desk, heir)

    assert desk.others["allegory"].of("company")["A-1"]["city"] == "Kiel"
    before = dict(desk.others["allegory"].of("company")["A-1"])
    await told(desk, heir)
    assert desk.others["allegory"].of("company")["A-1"] == before


async def test_taking_apart_keeps_what_was_decided_before_and_asks_nobody_again(desk: "Desk") -> None:
    heir, loser = await two(desk)
    (match,) = await waiting(desk)
    await desk.customers.accept(match["case"], "", "ann", "same address")
    await told(desk, heir, loser)
    await desk.customers.unmerge("borealis:company:B-1", "ann", "they are two")
    await told(desk, loser, heir)

    over = await desk.customers.one(match["case"])
    assert over is not None
    assert (over["decided_by"], over["reason"], over["ended"]) == (
        "ann",
        "same address",
        "a record was given its own row again",
    )
    await saved(desk, "borealis", "B-1", **ALIKE)
    assert await waiting(desk) == []


async def test_what_people_merged_in_dataverse_is_not_asked_about_once_taken_apart(desk: "Desk") -> None:
    await saved(desk, "allegory", "A-1", name="Ostwind", domain="ostwind.example")
    await saved(desk, "borealis", "B-1", name="Westwind", domain="westwind.example")
    heir, loser = await row_of(desk, "allegory", "A-1"), await row_of(desk, "borealis", "B-1")
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.unite("account", heir, loser)
    await told(desk, heir, loser)
    await desk.customers.unmerge("borealis:company:B-1", "ann", "they are two")
    await told(desk, loser, heir)

    alike = {"name": column(desk, heir, "name"), "domain": column(desk, heir, "websiteurl")}
    await saved(desk, "borealis", "B-1", **alike)

    assert column(desk, loser, "websiteurl") == column(desk, heir, "websiteurl")
    assert await waiting(desk) == []


async def test_a_record_that_says_which_row_it_is_says_so_of_its_own_once_taken_out(desk: "Desk") -> None:
    """Made from a row, it carries that row's id; what it tells afterwards is told of its own row."""
    shared = UUID("00000000-0000-4000-8000-000000000009")
    desk.rows.put("account", shared, {"name": "Nordwind", "telephone1": "1"})
    await desk.row_changed(shared, operation="Create", name="Nordwind", telephone1="1")
    ((record, fields),) = desk.records.of("company").items()
    assert fields["cf_dataverse_id"] == str(shared)
    await saved(desk, "allegory", record, name="Nordwind GmbH", phone="3")
    await saved(desk, "borealis", "B-1", **ALIKE_TOO)
    loser = await row_of(desk, "borealis", "B-1")
    desk.rows.unite("account", shared, loser)
    await told(desk, shared, loser)
    assert len(await desk.store.crosswalk.records_of(shared)) == 2

    before = desk.records.put(
        "company", record, {**desk.records.of("company")[record], "city": "Kiel"}
    ).fields
    typed = desk.clock.now()

    await desk.customers.unmerge(f"allegory:company:{record}", "ann", "two harbours")
    await told(desk, shared)

    own = await row_of(desk, "allegory", record)
    assert own != shared
    assert await desk.record_changed(record, before, at=typed) is Outcome.APPLIED
    assert column(desk, own, "address1_city") == "Kiel"
    assert await saved(desk, "allegory", record, phone="7") is Outcome.APPLIED
    assert column(desk, own, "telephone1") == "7"
    assert desk.records.of("company")[record]["cf_dataverse_id"] == str(own)


async def test_what_a_record_tells_while_its_row_is_merged_is_not_refused(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says its new row already, and the merge is tried again: the next record of it could not be told."""
    loser = UUID("00000000-0000-4000-8000-000000000009")
    desk.rows.put("account", loser, {"name": "Nordwind", "telephone1": "1"})
    await desk.row_changed(loser, operation="Create", name="Nordwind", telephone1="1")
    ((record, _),) = desk.records.of("company").items()
    await saved(desk, "borealis", "B-1", **ALIKE_TOO)
    heir = await row_of(desk, "borealis", "B-1")
    desk.rows.unite("account", heir, loser)

    async def down(*_: object) -> None:
        raise Unavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(desk.others["borealis"], "update", down)
        patch.setattr(desk.records, "update", _once_only(desk, patch))
        assert await desk.tell_row(loser) is Outcome.FAILED
    assert desk.records.of("company")[record]["cf_dataverse_id"] == str(heir)

    assert await saved(desk, "allegory", record, phone="7") is Outcome.APPLIED
    await desk.later(5, heir)
    await told(desk, heir)
    assert await desk.store.crosswalk.row_of(RecordKey("allegory", "company", record)) == heir
    assert column(desk, heir, "telephone1") == desk.records.of("company")[record]["phone"]
    assert await saved(desk, "allegory", record, phone="8") is Outcome.APPLIED
    assert column(desk, heir, "telephone1") == "8"


def _once_only(desk: "Desk", patch: pytest.MonkeyPatch) -> Any:
    """Allegory takes one write, and is down then."""
    update = desk.records.update

    async def take(*given: Any) -> Any:
        async def down(*_: object) -> None:
            raise Unavailable("down")

        patch.setattr(desk.records, "update", down)
        return await update(*given)

    return take
