"""What a row holds is told on to another of its records, and nobody hears whether that happened."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.errors import SyncError, Unavailable
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.ports import StoreUnavailable
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def saved(desk: "Desk", system: str, record: str, **fields: str) -> Outcome | None:
    """A person saves a company, and its system tells."""
    put(desk, system, record, **fields)
    return await said(desk, system, record)


def put(desk: "Desk", system: str, record: str, **fields: str) -> None:
    desk.clock.advance(timedelta(milliseconds=500))
    held = desk.others[system].of("company").get(record, {})
    desk.others[system].put("company", record, {**held, **fields})


async def said(
    desk: "Desk", system: str, record: str, word: tuple[dict[str, Any], datetime] | None = None
) -> Outcome | None:
    """A system tells of a company as it is, or was."""
    fields, at = word or await holds(desk, system, record)
    return await desk.record_changed(record, fields, system=system, at=at)


async def holds(desk: "Desk", system: str, record: str) -> tuple[dict[str, Any], datetime]:
    found = await desk.others[system].read("company", record)
    assert found is not None
    return dict(found.fields), found.changed_at


def unheard(desk: "Desk", patch: pytest.MonkeyPatch, error: Exception) -> None:
    """The next write to Borealis does what it is to do, and nobody hears of it."""
    update = desk.others["borealis"].update

    async def lost(*given: Any) -> Any:
        patch.setattr(desk.others["borealis"], "update", update)
        await update(*given)
        raise error

    patch.setattr(desk.others["borealis"], "update", lost)


async def told_unheard(desk: "Desk", patch: pytest.MonkeyPatch, error: Exception) -> UUID:
    """B-1 comes to A-1's row, and is told what that holds; meanwhile somebody moves A-1 to Husum.

    The row they share; its merge is to be tried again.
    """
    await saved(desk, "allegory", "A-1", name="Nordwind", phone="1", city="Bremen")
    await saved(desk, "borealis", "B-1", name="Ostwind", phone="2", city="Kiel")
    heir, loser = [
        await desk.store.crosswalk.row_of(RecordKey(system, "company", record))
        for system, record in (("allegory", "A-1"), ("borealis", "B-1"))
    ]
    assert heir is not None
    assert loser is not None
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.unite("account", heir, loser)
    desk.others["borealis"].trouble.next(Unavailable("down"))
    assert await desk.tell_row(loser) is Outcome.FAILED
    assert await saved(desk, "allegory", "A-1", city="Husum") is None
    unheard(desk, patch, error)
    if isinstance(error, SyncError):
        await desk.later(5, heir)
    else:
        with pytest.raises(StoreUnavailable):
            await desk.later(5, heir)
    assert desk.others["borealis"].of("company")["B-1"]["city"] == "Bremen"
    return heir


def city(desk: "Desk", row: UUID) -> object:
    return desk.rows.of("account")[row]["address1_city"]


async def test_what_a_record_was_told_is_not_taken_for_its_own_word(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await told_unheard(desk, monkeypatch, Unavailable("no answer in time"))
    echo = await holds(desk, "borealis", "B-1")
    await desk.later(5, row)
    assert city(desk, row) == "Husum"

    await said(desk, "borealis", "B-1", echo)

    assert city(desk, row) == "Husum"
    await desk.tell_row(row)
    assert desk.others["borealis"].of("company")["B-1"]["city"] == "Husum"


@pytest.mark.parametrize("error", [Unavailable("no answer in time"), StoreUnavailable("out of reach")])
async def test_nor_is_it_where_somebody_has_changed_the_record_since(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    row = await told_unheard(desk, monkeypatch, error)
    echo = await holds(desk, "borealis", "B-1")
    put(desk, "borealis", "B-1", city="Emden")
    await desk.later(5, row)
    assert city(desk, row) == "Husum"

    assert await said(desk, "borealis", "B-1", echo) is not Outcome.APPLIED

    assert city(desk, row) == "Husum"
    assert await said(desk, "borealis", "B-1") is Outcome.APPLIED
    assert city(desk, row) == "Emden"


async def test_the_last_word_of_such_a_record_counts_whatever_was_written_to_it_since(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await told_unheard(desk, monkeypatch, Unavailable("no answer in time"))
    put(desk, "borealis", "B-1", city="Emden")
    word = await holds(desk, "borealis", "B-1")
    desk.clock.advance(timedelta(seconds=5))
    put(desk, "borealis", "B-1", fax="9")
    await desk.later(5, row)
    assert city(desk, row) == "Husum"

    await said(desk, "borealis", "B-1", word)

    assert city(desk, row) == "Emden"
