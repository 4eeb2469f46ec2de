"""Export drops of Legrand become messages: what is new, changed or gone, once, and only from whole drops."""

import shutil
from datetime import timedelta

from tests.integration.files.conftest import COMPANY, SETTLE, TICKET, House


async def test_a_first_drop_tells_every_record_parents_first(house: House) -> None:
    house.put("tickets", "T1", TICKET)
    house.put("companies", "CMP1", COMPANY)
    house.drop("first")

    company, ticket = await house.look()

    assert (company["entity"], company["sourceKey"], company["operation"]) == ("company", "CMP1", "upsert")
    assert company["data"]["Company Name"] == "Harbour Cycles"
    assert company["data"]["Modified Date"] == "2026-01-31"
    assert company["data"]["Annual Sales"] == ""
    # The sheet tells the day alone; by the time of the export the record was as it is there.
    assert company["changedOn"] == "2026-01-31T11:11:12Z"
    assert (ticket["entity"], ticket["sourceKey"], ticket["version"]) == ("ticket", "T1", 1)
    assert ticket["data"]["Date Logged"] == "2026-01-29T22:00:00Z"


async def test_the_same_drop_again_and_an_equal_one_tell_nothing(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first")
    assert len(await house.look()) == 1

    assert await house.look() == []
    shutil.copytree(house.folder / "first", house.folder / "copied")
    house.drop("second")
    assert await house.look() == []
    assert (await house.module("company"))["unchanged"] == 1


async def test_an_edit_and_a_deletion_are_told_and_what_stayed_is_not(house: House) -> None:
    for number in (1, 2, 3):
        house.put("companies", f"CMP{number}", COMPANY)
    house.drop("first")
    await house.look()

    house.put("companies", "CMP2", COMPANY | {"City": "Glebe"})
    house.desk.delete("/admin/records/companies/CMP3").raise_for_status()
    house.drop("second")
    edited, deleted = await house.look()

    assert (edited["sourceKey"], edited["version"], edited["data"]["City"]) == ("CMP2", 2, "Glebe")
    assert edited["data"]["Company Name"] == "Harbour Cycles"
    assert (deleted["sourceKey"], deleted["operation"], deleted["version"]) == ("CMP3", "delete", 2)
    assert "data" not in deleted


async def test_a_value_that_returns_is_a_message_of_its_own(house: House) -> None:
    for number, city in enumerate(("Balmain", "Glebe", "Balmain")):
        house.put("tickets", "T1", TICKET | {"Subject": city})
        house.drop(f"drop-{number}")
        await house.look()

    ids = [sent.message.id for sent in house.bus.sent]
    assert len(ids) == len(set(ids)) == 3


async def test_a_half_written_drop_is_not_read_until_it_is_whole(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first", quirks=["half_written"])

    assert await house.look() == []
    assert (await house.told())["drops"][0]["state"] == "incomplete"
    assert (await house.told())["drops"][0]["reason"] == "waits for export_log.csv"

    house.drop("first")
    assert [message["sourceKey"] for message in await house.look()] == ["CMP1"]


async def test_a_drop_that_still_changes_is_left_alone(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first")

    assert await house.drops.run() == 0
    house.clock.advance(SETTLE - timedelta(seconds=1))
    house.put("companies", "CMP2", COMPANY)
    house.desk.post("/admin/export", json={"folder": "first"}).raise_for_status()
    assert await house.drops.run() == 0
    house.clock.advance(SETTLE)

    assert await house.drops.run() == 2


async def test_a_cut_sheet_stops_its_module_and_deletes_nothing(house: House) -> None:
    for number in (1, 2, 3):
        house.put("companies", f"CMP{number}", COMPANY)
    house.drop("first")
    await house.look()

    house.put("tickets", "T1", TICKET)
    house.drop("second", quirks=["truncated"], rows=2)
    (ticket,) = await house.look()

    assert ticket["sourceKey"] == "T1"
    module = await house.module("company")
    assert (module["state"], module["listed"], module["note"]) == ("stopped", 3, "file.count_differs")
    assert [found["finding"] for found in (await house.told())["kept_out"]] == ["file.count_differs"]


async def test_a_renamed_sheet_stops_its_module_and_a_title_stops_nothing(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first", quirks=["renamed_sheet"])
    assert await house.look() == []
    assert (await house.module("company"))["note"] == "file.sheet_missing"

    house.drop("second", quirks=["title_rows"])
    assert [message["sourceKey"] for message in await house.look()] == ["CMP1"]


async def test_a_record_with_a_grave_finding_is_kept_out_named_and_neither_lost_nor_deleted(
    house: House,
) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.put("companies", "CMP2", COMPANY)
    house.drop("first")
    await house.look()

    house.put("companies", "CMP2", COMPANY | {"Company Type": "Rival"})
    house.drop("second")

    assert await house.look() == []
    (found,) = (await house.told())["kept_out"]
    assert (found["entity"], found["record"], found["field"], found["finding"]) == (
        "company",
        "CMP2",
        "Company Type",
        "choice.no_target",
    )
    house.put("companies", "CMP2", COMPANY | {"Company Type": "Customer"})
    house.drop("third")
    assert [message["data"]["Company Type"] for message in await house.look()] == ["Customer"]
    assert (await house.told())["kept_out"] == []


async def test_a_queue_that_goes_away_in_the_middle_costs_no_message_and_doubles_none(house: House) -> None:
    for number in range(5):
        house.put("companies", f"CMP{number}", COMPANY)
    house.drop("first")
    house.bus.left = 3
    await house.look()
    house.bus.left = None
    await house.look()

    bodies: dict[str, bytes] = {}
    for sent in house.bus.sent:
        assert bodies.setdefault(sent.message.id, sent.message.body) == sent.message.body
    assert len(house.bus.sent) == 8
    assert len(bodies) == 5


async def test_many_missing_at_once_are_not_believed_before_a_second_drop_says_so(house: House) -> None:
    for number in range(20):
        house.put("companies", f"CMP{number}", COMPANY)
    house.drop("first")
    await house.look()
    for number in range(1, 20):
        house.desk.delete(f"/admin/records/companies/CMP{number}").raise_for_status()
    house.drop("second")

    assert await house.look() == []
    assert "19 of 20 records are missing" in (await house.module("company"))["note"]
    house.drop("third")
    assert {message["operation"] for message in await house.look()} == {"delete"}
    assert (await house.module("company"))["deleted"] == 19


async def test_a_drop_older_than_one_that_was_read_is_passed_over(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("old")
    shutil.move(house.folder / "old", house.folder.parent / "aside")
    house.put("companies", "CMP1", COMPANY | {"City": "Glebe"})
    house.drop("new")
    await house.look()

    shutil.move(house.folder.parent / "aside", house.folder / "old")

    assert await house.look() == []
    assert [drop["state"] for drop in (await house.told())["drops"]] == ["late", "read"]


async def test_one_reader_at_a_time(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first")
    assert await house.store.jobs.lease(house.drops.name, "another", 600)

    assert await house.look() == []


async def test_who_has_read_all_there_is_keeps_no_other_reader_waiting(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first")
    await house.look()
    house.clock.advance(timedelta(microseconds=1))

    assert await house.store.jobs.lease(house.drops.name, "another", 600)


async def test_without_the_separate_pass_the_other_modules_are_read(house: House) -> None:
    house.put("companies", "CMP1", COMPANY)
    house.drop("first", quirks=["no_comments"])

    assert [message["sourceKey"] for message in await house.look()] == ["CMP1"]
