"""The folders of a drop: a text is what it says it is, its files are records and are found in their drop."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mappers.legrand import LEGRAND
from shared.connectors.legacy.files import DropFiles
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.sqlstore import Store
from shared.core.change import Direction
from shared.core.mapping.files import FileRef
from tests.integration.files.conftest import SETTLE, reader

EMAIL = "Type: Email\nSubject: Offer\nDate: 02/01/2017 09:00 AM\nAttachments: offer.txt\n\nHello"
CALL = "Type: Call\nSubject: Offer\nDate: 02/01/2017 09:00 AM\nDirection: Outgoing\nDuration: 3 min\n\nHello"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "drops"


async def told(place: Path, store: Store, clock: SettableClock) -> list[dict[str, Any]]:
    """What the messages say of everything that differs by now."""
    bus = MemoryBus({Direction.INBOUND: "inbound", Direction.OUTBOUND: "outbound"}, clock)
    drops = reader(str(place), store, bus, clock)
    await drops.run()
    clock.advance(SETTLE)
    await drops.run()
    return [json.loads(sent.message.body) for sent in bus.sent]


def drop(place: Path, name: str, clock: SettableClock, **texts: str) -> None:
    """A drop of activities and one document among the files."""
    clock.advance(timedelta(hours=1))
    folder = place / name
    for path, content in {**{f"Activities/{text}.txt": said for text, said in texts.items()},
                          "Documents/offer.txt": "ten bytes!"}.items():  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    at = clock.now() + timedelta(hours=10)
    log = f"Module,File,Rows,Exported At\nActivities,Activities/,{len(texts)},{at:%d/%m/%Y %H:%M}\n"
    (folder / "export_log.csv").write_text(log, "utf-8")


async def test_a_text_is_an_email_or_a_call_and_its_files_are_records_of_their_own(
    place: Path, store: Store, clock: SettableClock
) -> None:
    drop(place, "monday", clock, A1=EMAIL, A2=CALL, A3="Type: Letter\nSubject: Offer\n\nHello")

    said = await told(place, store, clock)

    assert [(one["entity"], one["sourceKey"], one["operation"]) for one in said] == [
        ("email", "A1.txt", "upsert"),
        ("call", "A2.txt", "upsert"),
        ("attachment", "A1.txt/offer.txt", "upsert"),
    ]
    kept_out = (await store.snapshots.report())["kept_out"]
    assert {(one["record"], one["finding"]) for one in kept_out} >= {("A3.txt", "choice.no_target")}


async def test_a_file_is_found_in_the_drop_that_its_record_came_with(
    place: Path, store: Store, clock: SettableClock
) -> None:
    drop(place, "2017/monday", clock, A1=EMAIL)

    (*_, attachment) = await told(place, store, clock)
    entry = LEGRAND.map_of("attachment")
    assert entry is not None
    mapped = entry.to_columns(attachment["data"])

    found = mapped.values["documentbody"]
    assert mapped.faults == ()
    assert found == FileRef("legrand", "2017/monday/Documents/offer.txt", "offer.txt", 10)
    assert await DropFiles(str(place)).piece(found, 0, 100) == b"ten bytes!"


async def test_a_text_that_turns_into_another_kind_ends_as_what_it_was(
    place: Path, store: Store, clock: SettableClock
) -> None:
    drop(place, "monday", clock, A1=EMAIL, A2=CALL)
    await told(place, store, clock)

    drop(place, "tuesday", clock, A1=EMAIL.replace("Type: Email", "Type: Meeting"), A2=CALL)

    said = await told(place, store, clock)
    assert [(one["entity"], one["sourceKey"], one["operation"], one["version"]) for one in said] == [
        ("meeting", "A1.txt", "upsert", 1),
        ("email", "A1.txt", "delete", 2),
        ("attachment", "A1.txt/offer.txt", "upsert", 2),
    ]


async def test_a_text_that_cannot_be_told_what_it_is_ends_nothing(
    place: Path, store: Store, clock: SettableClock
) -> None:
    drop(place, "monday", clock, A1=EMAIL, A2=CALL)
    await told(place, store, clock)

    drop(place, "tuesday", clock, A1="", A2=CALL)

    assert await told(place, store, clock) == []


async def test_the_same_files_in_another_drop_tell_nothing(
    place: Path, store: Store, clock: SettableClock
) -> None:
    drop(place, "monday", clock, A1=EMAIL)
    assert len(await told(place, store, clock)) == 2

    drop(place, "tuesday", clock, A1=EMAIL)

    assert await told(place, store, clock) == []
