"""Two customers merged on one side: the other side follows, and nothing that was on its way is lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.dataverse import TABLES
from shared.connectors.sqlstore.crosswalk import SqlCrosswalk
from shared.core.errors import Unavailable
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Option
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import OnDelete
from shared.core.outcome import Outcome
from shared.core.ownership import Phase
from tests.unit.flows.conftest import ROW, US, desk_with

if TYPE_CHECKING:
    from shared.core.crosswalk import Entry
    from tests.unit.flows.conftest import Desk


def key(record: str) -> RecordKey:
    return RecordKey("allegory", "company", record)


async def two(desk: "Desk") -> tuple[UUID, UUID]:
    """Two companies that both sides hold: the heir's row and the loser's."""
    heir = await desk.company("C-1", phone="1")
    desk.clock.advance(timedelta(seconds=1))
    loser = await desk.company("C-2", name="Nord Wind", city="Kiel")
    desk.clock.advance(timedelta(seconds=1))
    return heir, loser


async def merge_rows(desk: "Desk", heir: UUID, loser: UUID) -> Outcome | None:
    """A person merges two rows in Dataverse; what became of the loser's message, told last."""
    desk.clock.advance(timedelta(seconds=1))
    outcome = None
    for _, row in desk.rows.unite("account", heir, loser):
        outcome = await desk.tell_row(row)
    return outcome


async def merge_records(desk: "Desk", heir: str, loser: str) -> Outcome | None:
    """A person merges two companies in Allegory; what became of the message of that."""
    desk.clock.advance(timedelta(seconds=1))
    changed = desk.records.unite("company", heir, loser)
    outcome = await desk.record_changed(loser, None, heir=heir)
    for place, record in changed.items():
        await desk.record_changed(place.id, record.fields)
    return outcome


async def story(desk: "Desk", record: UUID) -> dict[str, Any]:
    (told,) = await desk.store.operations.history.of(str(record))
    return dict(told)


async def test_a_merge_in_dataverse_merges_the_records_and_repoints_the_crosswalk(desk: "Desk") -> None:
    heir, loser = await two(desk)

    assert await merge_rows(desk, heir, loser) is Outcome.APPLIED

    assert list(desk.records.of("company")) == ["C-1"]
    assert desk.records.of("company")["C-1"]["city"] == "Kiel"
    assert await desk.store.crosswalk.row_of(key("C-2")) == heir
    assert await desk.store.crosswalk.records_of(heir) == [key("C-1")]
    told = await story(desk, heir)
    assert [entry["state"] for entry in told["crosswalk"]] == ["paired", "absorbed"]
    assert told["journal"][-1]["reason"].startswith(f"the row was merged into {heir}: allegory:company:C-2")


async def test_a_merge_in_allegory_merges_the_rows_and_repoints_the_crosswalk(desk: "Desk") -> None:
    heir, loser = await two(desk)

    assert await merge_records(desk, "C-1", "C-2") is Outcome.APPLIED

    aside = desk.rows.of("account")[loser]
    assert (aside["statecode"], aside["masterid"]) == (1, RowRef("account", heir))
    assert desk.rows.of("account")[heir]["address1_city"] == "Kiel"
    assert await desk.store.crosswalk.row_of(key("C-2")) == heir


async def test_our_own_merge_told_back_is_an_echo(desk: "Desk") -> None:
    _, loser = await two(desk)
    await merge_records(desk, "C-1", "C-2")
    writes = desk.rows.of("account")

    assert await desk.tell_row(loser) is Outcome.ECHO

    other, gone = await desk.company("C-3"), await desk.company("C-4")
    await merge_rows(desk, other, gone)
    assert await desk.record_changed("C-4", None, heir="C-3") is Outcome.ECHO
    assert writes == {row: desk.rows.of("account")[row] for row in writes}


async def test_a_merge_told_twice_changes_nothing_more(desk: "Desk") -> None:
    heir, loser = await two(desk)
    await merge_rows(desk, heir, loser)
    before = (desk.records.of("company"), await story(desk, heir))

    assert await desk.tell_row(loser) is Outcome.ECHO
    assert desk.records.of("company") == before[0]


async def test_what_waits_in_the_losers_lane_goes_over_to_the_heirs_and_ends_with_a_reason(
    desk: "Desk",
) -> None:
    heir, loser = await two(desk)
    desk.records.put("company", "C-2", {**desk.records.of("company")["C-2"], "phone": "7"})
    held = dict(desk.records.of("company")["C-2"])
    # An edit of the loser that waits for a parent nobody has told of.
    assert await desk.record_changed("C-2", {**held, "parent_company_id": "C-9"}) is Outcome.PARKED

    await merge_rows(desk, heir, loser)
    await desk.later(1, heir)

    told = await story(desk, heir)
    assert told["lane"]["items"] == []
    late = [line for line in told["journal"] if line["outcome"] == "superseded"]
    assert [line["reason"] for line in late] == ["it was merged into C-1"]
    kept = {(one["column"], one["inbound"]) for one in told["conflicts"]}
    assert ("telephone1", "7") in kept
    assert desk.rows.of("account")[heir]["telephone1"] == "1"


async def test_what_comes_later_for_the_loser_ends_with_a_reason_on_both_sides(desk: "Desk") -> None:
    heir, loser = await two(desk)
    old = dict(desk.records.of("company")["C-2"])
    await merge_rows(desk, heir, loser)
    desk.clock.advance(timedelta(seconds=1))
    (told,) = [line for line in (await story(desk, loser))["journal"] if line["outcome"] == "superseded"]
    assert told["reason"] == f"merged into {heir}"

    assert await desk.record_changed("C-2", {**old, "phone": "8"}) is Outcome.SUPERSEDED
    assert await desk.record_changed("C-2", None) is Outcome.SUPERSEDED
    assert await desk.row_changed(loser, name="Late") is Outcome.SUPERSEDED
    assert await desk.row_changed(loser, operation="Delete") is Outcome.SUPERSEDED

    assert list(desk.records.of("company")) == ["C-1"]
    assert desk.rows.of("account")[heir]["telephone1"] == "1"


async def test_a_record_that_names_the_loser_gets_the_heir(desk: "Desk") -> None:
    heir, loser = await two(desk)
    await merge_rows(desk, heir, loser)
    desk.clock.advance(timedelta(seconds=1))

    child = desk.records.put("company", "C-5", {"name": "Child", "parent_company_id": "C-2"})
    assert await desk.record_changed("C-5", child.fields) is Outcome.APPLIED

    row = await desk.store.crosswalk.row_of(key("C-5"))
    assert row is not None
    assert desk.rows.of("account")[row]["parentaccountid"] == RowRef("account", heir)
    # And a late message of a row that still points at the loser.
    lookup: Any = {"_parentaccountid_value": str(loser), "_parentaccountid_type": "accounts"}
    await desk.row_changed(UUID(int=77), operation="Create", name="Row", **lookup)
    made = [fields for fields in desk.records.of("company").values() if fields["name"] == "Row"]
    assert [fields["parent_company_id"] for fields in made] == ["C-1"]


async def test_whoever_waits_for_the_loser_is_let_go(desk: "Desk") -> None:
    heir = await desk.company("C-1")
    child = desk.records.put("company", "C-5", {"name": "Child", "parent_company_id": "C-2"})
    assert await desk.record_changed("C-5", child.fields) is Outcome.PARKED

    # C-2 never came itself; that it was merged is all that is ever told of it.
    assert await desk.record_changed("C-2", None, heir="C-1") is Outcome.SUPERSEDED
    await desk.delivered()

    row = await desk.store.crosswalk.row_of(key("C-5"))
    assert row is not None
    assert desk.rows.of("account")[row]["parentaccountid"] == RowRef("account", heir)


async def test_a_row_that_names_a_loser_waits_for_the_heir(desk: "Desk") -> None:
    heir, loser, child = UUID(int=1, version=4), UUID(int=2, version=4), UUID(int=3, version=4)
    for row, name in ((heir, "Heir"), (loser, "Loser"), (child, "Child")):
        desk.rows.put("account", row, {"name": name})
    desk.rows.unite("account", heir, loser)
    await desk.tell_row(loser)
    lookup: Any = {"_parentaccountid_value": str(loser), "_parentaccountid_type": "accounts"}
    said = await desk.row_changed(child, operation="Create", name="Child", **lookup)

    # Neither was known in Allegory: the heir comes last.
    assert await desk.tell_row(heir) is Outcome.APPLIED
    await desk.delivered()

    assert said is Outcome.PARKED
    by_name = {fields["name"]: fields for fields in desk.records.of("company").values()}
    assert by_name["Child"]["parent_company_id"] == by_name["Heir"]["company_id"]


async def test_an_heir_that_nobody_has_told_of_is_asked_what_it_holds_and_has_its_row_first(
    desk: "Desk",
) -> None:
    loser, before = await desk.company("C-2", phone="2", city="Kiel"), desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    desk.records.put("company", "C-1", {"name": "Nordwind", "phone": "1"})

    assert await merge_records(desk, "C-1", "C-2") is Outcome.APPLIED

    heir = await desk.store.crosswalk.row_of(key("C-1"))
    assert heir == chosen_row_id(key("C-1"))
    rows = desk.rows.of("account")
    assert rows[loser]["masterid"] == RowRef("account", heir)
    assert (rows[heir]["telephone1"], rows[heir]["address1_city"]) == ("1", "Kiel")
    assert await desk.record_changed("C-1", desk.records.of("company")["C-1"]) is Outcome.ECHO
    assert await desk.record_changed("C-2", {"name": "Late"}, at=before) is Outcome.SUPERSEDED
    assert await desk.store.crosswalk.records_of(heir) == [key("C-1")]


async def test_a_loser_told_of_for_the_first_time_while_its_merge_is_decided_gets_no_row(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir = await desk.company("C-1")
    desk.clock.advance(timedelta(seconds=1))
    entry = SqlCrosswalk.entry

    async def meanwhile(self: SqlCrosswalk, asked: RecordKey) -> "Entry | None":
        known = await entry(self, asked)
        if asked == key("C-2"):
            monkeypatch.undo()
            await self.claim(asked, None, chosen_row_id(asked))
        return known

    monkeypatch.setattr(SqlCrosswalk, "entry", meanwhile)
    assert await desk.record_changed("C-2", None, heir="C-1") is None
    await desk.later(120, heir)

    assert await desk.record_changed("C-2", {"name": "Late"}) is Outcome.SUPERSEDED
    assert desk.rows.of("account").keys() == {heir}


async def unmade(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> tuple[UUID, UUID]:
    """The rows of an heir and of a loser whose create was sent before their merge, and is on its way yet."""
    heir = await desk.company("C-1", phone="1")
    desk.clock.advance(timedelta(seconds=1))

    async def lost(*_: object) -> None:
        raise Unavailable("no answer in time")

    fields = desk.records.put("company", "C-2", {"name": "Nord Wind", "city": "Kiel"}).fields
    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "create", lost)
        assert await desk.record_changed("C-2", fields) is Outcome.FAILED
    assert await merge_records(desk, "C-1", "C-2") is Outcome.SUPERSEDED
    return heir, chosen_row_id(key("C-2"))


async def arrives(desk: "Desk", loser: UUID) -> None:
    """The create that nobody waits for any more makes the row."""
    desk.clock.advance(timedelta(seconds=1))
    await desk.rows.create(TABLES["account"], loser, {"name": "Nord Wind", "address1_city": "Kiel"})


async def test_a_losers_row_that_is_made_after_its_merge_is_merged_then(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir, loser = await unmade(desk, monkeypatch)
    await arrives(desk, loser)

    await desk.tell_row(loser, US, "Create")
    await desk.delivered()

    assert desk.rows.of("account")[loser]["masterid"] == RowRef("account", heir)
    told = (await story(desk, heir))["journal"][-1]
    assert (told["outcome"], told["reason"]) == (
        "applied",
        f"the row was made after its record had been merged: it follows that into {heir}",
    )
    assert await desk.tell_row(loser, US) is Outcome.ECHO
    assert sorted(desk.records.of("company")) == ["C-1"]


async def test_a_losers_row_that_people_work_on_before_that_is_known_is_merged_then(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir, loser = await unmade(desk, monkeypatch)
    await arrives(desk, loser)

    await desk.edit_row(loser, fax="7")
    await desk.delivered()

    assert desk.rows.of("account")[loser]["masterid"] == RowRef("account", heir)
    assert desk.rows.of("account")[heir]["fax"] == "7"


async def test_a_losers_row_that_is_gone_again_or_was_known_before_is_not_merged_twice(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir, loser = await unmade(desk, monkeypatch)
    await arrives(desk, loser)
    kept = desk.rows.of("account")[loser]
    desk.rows.remove("account", loser)
    await desk.row_changed(loser, operation="Create", name="Nord Wind")
    await desk.delivered()
    assert (await story(desk, heir))["journal"][-1]["outcome"] == "superseded"

    third = await desk.company("C-3", name="Nord")
    assert await merge_records(desk, "C-1", "C-3") is Outcome.APPLIED
    # As a person would who makes a row active again: it stays absorbed all the same.
    desk.rows.put("account", third, {**kept, "statecode": None, "masterid": None})
    assert await desk.tell_row(third) is Outcome.SUPERSEDED
    assert desk.rows.of("account")[third].get("masterid") is None
    assert sorted(desk.rows.of("account")) == sorted((heir, third))


async def test_people_may_merge_the_heir_into_a_losers_row_that_was_made_too_late(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """For them there were two rows, and they chose the one that we took for merged away."""
    first, second = await unmade(desk, monkeypatch)
    await arrives(desk, second)

    await merge_rows(desk, second, first)
    for _ in range(3):
        await desk.delivered()

    assert await desk.store.crosswalk.heir_of(first) == second
    assert await desk.store.crosswalk.heir_of(second) is None
    assert await desk.store.crosswalk.records_of(second) == [key("C-1")]
    assert (await story(desk, first))["lane"]["items"] == []
    assert await desk.edit_row(second, telephone1="2") is Outcome.APPLIED
    assert desk.records.of("company")["C-1"]["phone"] == "2"
    assert await desk.edit_record(phone="3") is Outcome.APPLIED
    assert desk.rows.of("account")[second]["telephone1"] == "3"


async def test_an_heir_that_can_no_longer_be_asked_takes_over_the_losers_row(desk: "Desk") -> None:
    loser = await desk.company("C-2", phone="2")
    desk.clock.advance(timedelta(seconds=1))

    await desk.record_changed("C-2", None, heir="C-1")
    await desk.later(0, loser)

    assert await desk.store.crosswalk.row_of(key("C-1")) == loser
    assert desk.rows.of("account").keys() == {loser}


async def test_what_an_heir_said_before_is_not_written_over_the_losers_row_while_the_merge_waits(
    desk: "Desk",
) -> None:
    """The merge claims to be from the future, so a person has to let it go on; the heir's edit was late."""
    loser = await desk.company("C-2", phone="2")
    edited = desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    early = desk.clock.now() + timedelta(minutes=10)
    assert await desk.record_changed("C-2", None, heir="C-1", at=early) is Outcome.HELD

    assert await desk.record_changed("C-1", {"name": "Nord", "phone": "1"}, at=edited) is Outcome.APPLIED

    assert desk.rows.of("account")[loser]["telephone1"] == "2"
    assert await desk.store.crosswalk.records_of(loser) == [key("C-2")]


@pytest.mark.parametrize("has_spoken", [True, False])
async def test_an_heir_that_names_its_row_keeps_it(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, *, has_spoken: bool
) -> None:
    """Its record was made from that row, and the answer to it is lost: it is not known as a pair yet."""
    loser = await desk.company("C-2", phone="2")
    create = desk.records.create

    async def unheard(*arguments: object) -> object:
        await create(*arguments)  # type: ignore[arg-type]
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "create", unheard)
    desk.rows.put("account", ROW, {"name": "Nordwind"})
    assert await desk.row_changed(operation="Create", name="Nordwind") is Outcome.FAILED
    heir = next(record for record in desk.records.of("company") if record != "C-2")
    if has_spoken:
        await desk.store.crosswalk.claim(key(heir), ROW, chosen_row_id(key(heir)))

    desk.records.unite("company", heir, "C-2")
    await desk.record_changed("C-2", None, heir=heir)
    await desk.later(2)

    assert await desk.store.crosswalk.row_of(key(heir)) == ROW
    assert set(desk.rows.of("account")) == {loser, ROW}
    assert desk.rows.of("account")[loser]["masterid"] == RowRef("account", ROW)


async def test_an_older_word_of_the_heir_is_no_late_one_while_its_merge_is_tried_again(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heir was to get the loser's record and be told to it; its own create came after that failed."""
    loser = await desk.company("C-2", phone="2")
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"name": "Nordwind", "telephone1": "1"})
    made = desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"telephone1": "3"})

    async def unheard(*_: object) -> object:
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "update", unheard)
    (_, (_, merged)) = desk.rows.unite("account", ROW, loser)
    assert await desk.tell_row(merged) is Outcome.FAILED
    await desk.row_changed(operation="Create", at=made, version="1", name="Nordwind", telephone1="1")
    heir = next(record for record in desk.records.of("company") if record != "C-2")
    desk.clock.advance(timedelta(seconds=5))
    said = desk.records.put("company", heir, {**desk.records.of("company")[heir], "city": "Kiel"}).fields
    saved = desk.clock.now()
    await desk.later(2)

    await desk.record_changed(heir, said, at=saved)

    assert desk.records.of("company").keys() == {heir}
    assert (desk.records.of("company")[heir]["phone"], desk.records.of("company")[heir]["city"]) == (
        "3",
        "Kiel",
    )
    row = desk.rows.of("account")[ROW]
    assert (row["telephone1"], row["address1_city"]) == ("3", "Kiel")


async def test_a_link_to_the_heir_is_not_taken_back_for_one_to_the_loser(desk: "Desk") -> None:
    """Allegory has one word for both: putting it back would change nothing, and be told as a change."""
    heir, loser = await two(desk)
    moved = [row for _, row in desk.rows.unite("account", heir, loser)]
    # Its row is made when nobody has told of the merge yet.
    child = desk.records.put("company", "C-5", {"name": "Child", "parent_company_id": "C-2"})
    assert await desk.record_changed("C-5", child.fields) is Outcome.APPLIED
    assert [await desk.tell_row(row) for row in moved][-1] is Outcome.APPLIED
    await desk.store.owners.set_phase(("allegory", "company", ""), Phase.DYNAMICS_MASTER, "ann", "done")
    desk.clock.advance(timedelta(seconds=15))
    before = await desk.records.read("company", "C-5")
    assert before is not None
    assert before.fields["parent_company_id"] == "C-1"

    assert await desk.record_changed("C-5", before.fields) is Outcome.CONFLICT

    assert await desk.records.read("company", "C-5") == before


async def test_a_merge_of_what_was_merged_is_followed_to_the_last_heir(desk: "Desk") -> None:
    heir, loser = await two(desk)
    last = await desk.company("C-3")
    desk.clock.advance(timedelta(seconds=1))
    # The first merge is told after the second.
    changed = [row for _, row in desk.rows.unite("account", heir, loser)]
    desk.rows.unite("account", last, heir)
    for row in (heir, *changed):
        await desk.tell_row(row)
        await desk.delivered()

    assert list(desk.records.of("company")) == ["C-3"]
    rows = [await desk.store.crosswalk.row_of(key(record)) for record in ("C-1", "C-2", "C-3")]
    assert rows == [last, last, last]


async def test_a_loser_that_is_worked_just_then_is_waited_for(desk: "Desk") -> None:
    heir, loser = await two(desk)
    lease = await desk.store.lanes.seize(loser)
    assert lease is not None

    assert await merge_rows(desk, heir, loser) is Outcome.FAILED
    assert sorted(desk.records.of("company")) == ["C-1", "C-2"]
    await desk.store.lanes.release(lease)
    await desk.later(5, heir)

    assert list(desk.records.of("company")) == ["C-1"]


def policies(**policy: OnDelete) -> Any:
    """A desk whose companies end as these policies say."""
    company = replace(
        COMPANY,
        inactive_row={"statecode": Option(1)},
        inactive_record={"tags": "inactive"},
        **policy,  # type: ignore[arg-type]
    )
    maps = tuple(company if entry is COMPANY else entry for entry in ALLEGORY.maps)
    return desk_with(replace(ALLEGORY, maps=maps))


@pytest.fixture
def deactivating() -> "Iterator[Desk]":
    with policies(on_record_merge=OnDelete.DEACTIVATE, on_row_merge=OnDelete.DEACTIVATE) as made:
        yield made


@pytest.fixture
def ignoring() -> "Iterator[Desk]":
    with policies(on_record_merge=OnDelete.IGNORE, on_row_merge=OnDelete.IGNORE) as made:
        yield made


async def test_a_losers_record_is_deactivated_where_the_policy_says_so(deactivating: "Desk") -> None:
    heir, loser = await two(deactivating)

    assert await merge_rows(deactivating, heir, loser) is Outcome.APPLIED

    assert deactivating.records.of("company")["C-2"]["tags"] == "inactive"
    assert await deactivating.store.crosswalk.row_of(key("C-2")) == heir


async def test_a_losers_row_is_deactivated_where_the_policy_says_so(deactivating: "Desk") -> None:
    _, loser = await two(deactivating)

    assert await merge_records(deactivating, "C-1", "C-2") is Outcome.APPLIED

    row = deactivating.rows.of("account")[loser]
    assert (row["statecode"], row.get("masterid")) == (1, None)
    assert await deactivating.row_changed(loser, name="Late") is Outcome.SUPERSEDED


async def test_a_loser_is_left_alone_where_the_policy_says_so(ignoring: "Desk") -> None:
    heir, loser = await two(ignoring)
    before = ignoring.records.of("company")["C-2"]

    assert await merge_rows(ignoring, heir, loser) is Outcome.APPLIED

    assert ignoring.records.of("company")["C-2"] == before
    other, gone = await ignoring.company("C-3"), await ignoring.company("C-4")
    kept = ignoring.rows.of("account")[gone]
    assert await merge_records(ignoring, "C-3", "C-4") is Outcome.APPLIED
    assert ignoring.rows.of("account")[gone] == kept
    assert await ignoring.store.crosswalk.row_of(key("C-4")) == other


async def test_a_system_that_merges_nothing_keeps_the_losers_record_and_it_speaks_no_more() -> None:
    with desk_with(replace(ALLEGORY, rest=replace(ALLEGORY.interface, merges=False))) as desk:
        heir, loser = await two(desk)

        assert await merge_rows(desk, heir, loser) is Outcome.APPLIED

        assert sorted(desk.records.of("company")) == ["C-1", "C-2"]
        assert await desk.store.crosswalk.row_of(key("C-2")) == heir
        late = desk.records.put("company", "C-2", {"name": "Late"})
        assert await desk.record_changed("C-2", late.fields) is Outcome.SUPERSEDED


async def test_a_copy_cannot_merge_the_masters_records_away(desk: "Desk") -> None:
    heir, loser = await two(desk)
    place = ("allegory", "company", "")
    await desk.store.owners.set_phase(place, Phase.SHADOW_READ, "ann", "back")
    desk.clock.advance(timedelta(seconds=5))

    assert await merge_rows(desk, heir, loser) is Outcome.APPLIED

    assert sorted(desk.records.of("company")) == ["C-1", "C-2"]


async def test_when_both_sides_merged_otherwise_dataverses_merge_is_followed_first(desk: "Desk") -> None:
    """In Dataverse the first is the loser, in Allegory the second."""
    first, second = await two(desk)
    desk.rows.unite("account", second, first)
    desk.clock.advance(timedelta(seconds=1))
    desk.records.unite("company", "C-1", "C-2")

    assert await desk.record_changed("C-2", None, heir="C-1") is Outcome.PARKED
    waits = (await story(desk, first))["messages"][-1]
    assert waits["waits_on"] == f"dataverse:merge:{first}"

    assert await desk.tell_row(first) is Outcome.APPLIED
    assert await desk.store.crosswalk.records_of(second) == [key("C-1")]
    assert await desk.store.crosswalk.heir_of(first) == second
    assert (await story(desk, second))["messages"][-1]["state"] == "done"
    assert [entry["state"] for entry in (await story(desk, second))["crosswalk"]] == ["paired", "absorbed"]


async def test_a_record_merged_into_one_that_was_deleted_since_gets_no_row(desk: "Desk") -> None:
    heir = await desk.company("C-1")
    saved = desk.clock.now()
    merged, deleted = saved + timedelta(seconds=1), saved + timedelta(seconds=2)
    desk.clock.advance(timedelta(seconds=3))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, at=deleted) is Outcome.APPLIED

    # Both were held back, and are told when the heir has ended already.
    assert await desk.record_changed("C-2", None, heir="C-1", at=merged) is Outcome.SUPERSEDED
    assert await desk.record_changed("C-2", {"name": "Nordwind Ltd"}, at=saved) is Outcome.SUPERSEDED

    assert heir not in desk.rows.of("account")
    assert desk.rows.of("account") == {}


async def test_what_waits_of_a_record_merged_into_one_that_was_deleted_ends_with_it(desk: "Desk") -> None:
    await desk.company("C-1")
    merged, deleted = (desk.clock.now() + timedelta(seconds=number) for number in (2, 3))
    desk.clock.advance(timedelta(seconds=1))
    waits = {"name": "Nordwind Ltd", "parent_company_id": "C-9"}
    assert await desk.record_changed("C-2", waits) is Outcome.PARKED
    desk.clock.advance(timedelta(seconds=3))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, at=deleted) is Outcome.APPLIED

    assert await desk.record_changed("C-2", None, heir="C-1", at=merged) is Outcome.SUPERSEDED
    heir = await desk.store.crosswalk.row_of(key("C-2"))
    assert heir is not None
    await desk.later(1, heir)

    assert (await story(desk, heir))["lane"]["items"] == []
    assert desk.rows.of("account") == {}


async def test_a_record_merged_into_one_that_was_deleted_since_ends_with_it(desk: "Desk") -> None:
    """Its row was made before the merge was told: nobody else would ever end it."""
    await two(desk)
    merged, deleted = (desk.clock.now() + timedelta(seconds=number) for number in (1, 2))
    desk.records.unite("company", "C-1", "C-2")
    desk.clock.advance(timedelta(seconds=3))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, at=deleted) is Outcome.APPLIED

    await desk.record_changed("C-2", None, heir="C-1", at=merged)
    await desk.delivered()

    assert desk.rows.of("account") == {}
    row = await desk.store.crosswalk.row_of(key("C-2"))
    assert row is not None
    told = (await story(desk, row))["journal"][-1]
    assert (told["outcome"], told["reason"]) == (
        "applied",
        "deleted; it was merged into C-1, which has ended",
    )


async def test_such_a_row_that_people_worked_on_since_is_left_to_them(desk: "Desk") -> None:
    _, loser = await two(desk)
    merged, deleted = (desk.clock.now() + timedelta(seconds=number) for number in (1, 2))
    desk.records.unite("company", "C-1", "C-2")
    desk.clock.advance(timedelta(seconds=3))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, at=deleted) is Outcome.APPLIED
    desk.rows.put("account", loser, {"name": "Nordwind & Co"})

    await desk.record_changed("C-2", None, heir="C-1", at=merged)
    await desk.delivered()

    told = (await story(desk, loser))["journal"][-1]
    assert told["outcome"] == "conflict"
    assert desk.rows.of("account").keys() == {loser}


async def test_a_record_left_alone_that_becomes_the_heir_after_all_says_what_it_holds(
    ignoring: "Desk",
) -> None:
    """Its row was merged away while its record stayed; then people merge the other record into it."""
    heir, loser = await two(ignoring)
    assert await merge_rows(ignoring, heir, loser) is Outcome.APPLIED
    assert sorted(ignoring.records.of("company")) == ["C-1", "C-2"]

    await merge_records(ignoring, "C-2", "C-1")

    assert await ignoring.store.crosswalk.records_of(heir) == [key("C-2")]
    (fields,) = ignoring.records.of("company").values()
    row = ignoring.rows.of("account")[heir]
    assert (row["name"], row["address1_city"], row["telephone1"]) == (
        fields["name"],
        fields["city"],
        fields["phone"],
    )
    assert row["name"] == "Nord Wind"
    ignoring.clock.advance(timedelta(seconds=5))
    said = ignoring.records.put("company", "C-2", {**fields, "phone": "7"}).fields
    assert await ignoring.record_changed("C-2", said) is Outcome.APPLIED
    assert ignoring.rows.of("account")[heir]["telephone1"] == "7"


@pytest.mark.parametrize("is_early", [True, False])
async def test_a_record_made_for_a_row_that_was_merged_meanwhile_is_merged_into_the_heirs(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, *, is_early: bool
) -> None:
    """Its create was done and not answered, so that nobody knew of it when the row was merged."""
    loser, heir = UUID(int=5), UUID(int=6)
    create = desk.records.create

    async def unheard(*given: Any) -> None:
        await create(*given)
        raise Unavailable("no answer in time")

    desk.rows.put("account", loser, {"name": "Nord Wind"})
    with monkeypatch.context() as patch:
        patch.setattr(desk.records, "create", unheard)
        assert await desk.row_changed(loser, operation="Create", name="Nord Wind") is Outcome.FAILED
    ((made, fields),) = desk.records.of("company").items()
    desk.rows.put("account", heir, {"name": "Nordwind"})
    assert await merge_rows(desk, heir, loser) is Outcome.APPLIED

    later = desk.clock.now() + timedelta(minutes=1)

    async def meanwhile(*given: Any) -> Any:
        await desk.record_changed(made, fields, actor=US, at=later)
        return await create(*given)

    with monkeypatch.context() as patch:
        if is_early:
            patch.setattr(desk.records, "create", meanwhile)
        assert await desk.row_changed(heir, operation="Create", name="Nordwind") is Outcome.APPLIED
    if not is_early:
        await desk.record_changed(made, fields, actor=US, at=later)
    await desk.delivered()

    (left,) = desk.records.of("company")
    assert left != made
    assert await desk.store.crosswalk.records_of(heir) == [key(left)]
    await desk.record_changed(made, None, heir=left, actor=US, at=later)
    assert sorted(each["state"] for each in (await story(desk, heir))["crosswalk"]) == ["absorbed", "paired"]
    assert await desk.edit_row(heir, telephone1="7") is Outcome.APPLIED
    assert desk.records.of("company")[left]["phone"] == "7"


async def test_what_was_typed_into_a_record_that_takes_over_a_row_crosses_though_it_is_told_late(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir, loser = await two(desk)
    # Nobody has told of either yet: the heir's record is gone, and the loser's was edited.
    gone = await desk.records.read("company", "C-1")
    assert gone is not None
    await desk.records.delete("company", "C-1", gone.version)
    typed = desk.records.put("company", "C-2", {"name": "Neuwind", "cf_dataverse_id": str(loser)})
    desk.clock.advance(timedelta(seconds=10))
    update = desk.records.update

    async def unheard(*given: Any) -> Any:
        answer = await update(*given)
        if "phone" in given[2]:
            monkeypatch.undo()
            raise Unavailable("no answer in time")
        return answer

    # It is told which row it is by then, and of the phone number; of the second nobody hears.
    monkeypatch.setattr(desk.records, "update", unheard)
    desk.rows.unite("account", heir, loser)
    assert await desk.tell_row(loser) is Outcome.FAILED
    await desk.later(120, heir)

    assert await desk.record_changed("C-2", typed.fields, at=typed.changed_at) is Outcome.APPLIED
    assert desk.rows.of("account")[heir]["name"] == "Neuwind"
