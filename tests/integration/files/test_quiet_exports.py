"""A dirty export that came in is at rest: no row it made is handed back, however it was written there."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mappers.legrand import LEGRAND
from tests.data.exports.build import legrand
from tests.integration.files.office import SETTLE, Office, office_at

SAMPLES = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
CURRENCIES = ("AUD", "NZD", "USD", "EUR", "GBP")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        for number, code in enumerate(CURRENCIES):
            made.rows.put("transactioncurrency", UUID(int=500 + number), {"isocurrencycode": code})
        # The exports lie years back; by now they are long written.
        made.clock.advance(timedelta(days=3650))
        (tmp_path / "drops").mkdir()
        yield made


async def brought_in(office: Office) -> None:
    """The drop is read, and every message of it worked as far as it goes."""
    await office.drops.run()
    office.clock.advance(SETTLE)
    await office.drops.run()
    for sent in list(office.bus.sent):
        await office.gate.receive(sent.message)
    await office.retry()


async def told(office: Office) -> Counter[str]:
    """Every row is told by its flow; what became of that."""
    outcomes: Counter[str] = Counter()
    for entry in LEGRAND.maps:
        if entry.outbound:
            for row in list(office.rows.of(entry.table.name)):
                outcomes[await office.fate(await office.tell(entry.table.name, row))] += 1
    return outcomes


async def test_every_row_of_our_own_dirty_export_is_an_echo_when_it_is_told(office: Office) -> None:
    legrand(office.folder / "drops" / "one")
    await brought_in(office)
    outcomes = await told(office)

    assert set(outcomes) == {"echo"}
    assert outcomes.total() > 5
    assert await office.pending() == []


async def test_every_row_of_the_sample_export_is_an_echo_when_it_is_told(office: Office) -> None:
    sample = SAMPLES / "legrand" / "small"
    if not sample.is_dir():
        pytest.skip("the sample data is not here; TANDEM_SAMPLE_DATA names its folder")
    shutil.copytree(sample, office.folder / "drops" / "one")
    await brought_in(office)
    outcomes = await told(office)

    assert set(outcomes) == {"echo"}
    assert outcomes.total() > 25, "the rest waits for owners, hangs from nothing, or is refused"
    assert await office.pending() == []
