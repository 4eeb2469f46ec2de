"""Files reach their notes whole, small or in blocks, or are refused by name; no note is made twice."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from mappers.dataverse import annotation
from shared.connectors.dataverse.notes import PIECE, NoteRows
from shared.connectors.legacy.files import DropFiles
from shared.connectors.memory.clock import SettableClock
from shared.core.codes import Code
from shared.core.errors import InvalidMessage, MovedOn
from shared.core.mapping.columns import Value
from shared.core.mapping.files import FileRef

if TYPE_CHECKING:
    from pathlib import Path

    from shared.connectors.web.client import WebClient
    from tests.contract.connectors.conftest import SimulatedOrganisation

LIMIT = 25 * 1024 * 1024


@dataclass
class Kept:
    """`Files` over bytes; `asked` counts the pieces."""

    content: bytes
    asked: list[int] = field(default_factory=list)

    async def piece(self, ref: FileRef, start: int, size: int) -> bytes:
        self.asked.append(start)
        return self.content[start : start + size]


def ref(content: bytes, name: str = "offer.txt") -> FileRef:
    return FileRef("allegory", "A-1", name, len(content), hashlib.sha256(content).hexdigest())


def notes(organisation: SimulatedOrganisation, files: Kept, *, largest: int = LIMIT) -> NoteRows:
    return NoteRows(organisation.rows, client_of(organisation), files, SettableClock(), largest)


def client_of(organisation: SimulatedOrganisation) -> WebClient:
    return organisation.directory._client  # the suite's own client; nothing else hands it out


async def body_of(organisation: SimulatedOrganisation, row_id: UUID) -> bytes:
    answer = await organisation.person.get(f"annotations({row_id})")
    return base64.b64decode(answer.raise_for_status().json()["documentbody"])


async def organisation_takes(organisation: SimulatedOrganisation, size: int) -> None:
    found = (await organisation.person.get("organizations")).json()["value"][0]
    answer = await organisation.person.patch(
        f"organizations({found['organizationid']})", json={"maxuploadfilesize": size}
    )
    answer.raise_for_status()


@pytest.mark.parametrize("size", [0, 1, 1000, PIECE, PIECE + 1, 2 * PIECE])
async def test_a_file_of_any_size_arrives_whole(simulated: SimulatedOrganisation, size: int) -> None:
    await organisation_takes(simulated, 40_000_000)
    content, row_id = bytes(number % 251 for number in range(size)), uuid4()
    values: dict[str, Value] = {
        "filename": "offer.txt",
        "mimetype": "text/plain",
        "documentbody": ref(content),
    }

    row = await notes(simulated, Kept(content)).create(annotation.TABLE, row_id, values)

    held = await simulated.rows.read(annotation.TABLE, row_id)
    assert held is not None
    assert (row.version, held.values["filename"]) == (held.version, "offer.txt")
    if content:
        assert await body_of(simulated, row_id) == content


@pytest.mark.parametrize("size", [10, PIECE + 1])
async def test_a_second_try_finds_the_note_of_the_first(simulated: SimulatedOrganisation, size: int) -> None:
    await organisation_takes(simulated, 40_000_000)
    content, row_id = b"x" * size, uuid4()
    values: dict[str, Value] = {"filename": "offer.txt", "documentbody": ref(content)}
    await notes(simulated, Kept(content)).create(annotation.TABLE, row_id, values)

    with pytest.raises(MovedOn):
        await notes(simulated, Kept(content)).create(annotation.TABLE, row_id, values)

    found = (await simulated.person.get("annotations?$select=annotationid")).json()["value"]
    assert [row["annotationid"] for row in found] == [str(row_id)]


@pytest.mark.parametrize(
    ("kept", "said", "code"),
    [
        (b"abc", FileRef("allegory", "A-1", "a.txt", 3, "0" * 64), Code.FILE_DIFFERS),
        (b"abc", FileRef("allegory", "A-1", "a.txt", 4), Code.FILE_DIFFERS),
        (b"abcd", FileRef("allegory", "A-1", "a.txt", 3), Code.FILE_DIFFERS),
        (b"abc", FileRef("allegory", "A-1", "a.EXE", 3), Code.FILE_BLOCKED),
        (b"abc", FileRef("allegory", "A-1", "a.txt", LIMIT + 1), Code.FILE_TOO_LARGE),
    ],
)
async def test_a_file_that_cannot_go_is_refused_and_leaves_no_note(
    simulated: SimulatedOrganisation, kept: bytes, said: FileRef, code: Code
) -> None:
    row_id = uuid4()

    with pytest.raises(InvalidMessage) as caught:
        await notes(simulated, Kept(kept)).create(
            annotation.TABLE, row_id, {"filename": said.name, "documentbody": said}
        )

    assert caught.value.faults[0].code is code
    assert await simulated.rows.read(annotation.TABLE, row_id) is None


async def test_the_smaller_of_two_limits_counts_to_the_byte(simulated: SimulatedOrganisation) -> None:
    await organisation_takes(simulated, 4000)
    fits, over = b"x" * 3000, b"x" * 3001

    await notes(simulated, Kept(fits)).create(annotation.TABLE, uuid4(), {"documentbody": ref(fits)})
    ours = notes(simulated, Kept(fits), largest=2999)

    for rows, content in ((notes(simulated, Kept(over)), over), (ours, fits)):
        with pytest.raises(InvalidMessage) as caught:
            await rows.create(annotation.TABLE, uuid4(), {"documentbody": ref(content)})
        assert caught.value.faults[0].code is Code.FILE_TOO_LARGE


async def test_twenty_five_mebibytes_go_and_one_byte_more_does_not(simulated: SimulatedOrganisation) -> None:
    await organisation_takes(simulated, 40_000_000)
    content, row_id = b"\x07" * LIMIT, uuid4()
    files = Kept(content)

    await notes(simulated, files).create(annotation.TABLE, row_id, {"documentbody": ref(content)})
    with pytest.raises(InvalidMessage):
        await notes(simulated, files).create(
            annotation.TABLE, uuid4(), {"documentbody": ref(content + b"\x07")}
        )

    assert hashlib.sha256(await body_of(simulated, row_id)).digest() == hashlib.sha256(content).digest()


async def test_a_drop_gives_pieces_of_its_files_and_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "drop" / "Documents").mkdir(parents=True)
    (tmp_path / "drop" / "Documents" / "a.txt").write_bytes(b"0123456789")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    files = DropFiles(str(tmp_path / "drop"))

    def at(place: str) -> FileRef:
        return FileRef("legrand", place, "a.txt", 10)

    assert [await files.piece(at("Documents/a.txt"), start, 4) for start in (0, 8, 10)] == [
        b"0123",
        b"89",
        b"",
    ]
    for place in (
        "Documents/b.txt",
        "Documents",
        "../secret.txt",
        "/etc/hostname",
        "Documents\\..\\..\\secret.txt",
    ):
        with pytest.raises(InvalidMessage) as caught:
            await files.piece(at(place), 0, 4)
        assert caught.value.code is Code.FILE_MISSING
