"""The sample exports as drops, by both systems' declarations: every row is told, or kept out by name."""

import os
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from mappers import SYSTEMS
from mappers.exports import EXPORTS
from shared.connectors.files.place import DropFolders
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import Store
from shared.core import envelope
from shared.core.change import Change, Direction
from shared.inbound.drops.reading import Drops
from tests.integration.files.conftest import SETTLE, Whole

SAMPLES = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.mark.skipif(
    not (SAMPLES / "legrand" / "small").is_dir(),
    reason="the sample data is not here; TANDEM_SAMPLE_DATA names its folder",
)
@pytest.mark.parametrize("name", ["allegory", "legrand"])
async def test_every_row_of_a_sample_export_is_told_or_kept_out_and_told_once(
    name: str, tmp_path: Path, store: Store, clock: SettableClock
) -> None:
    shutil.copytree(SAMPLES / name / "small", tmp_path / "drops" / "small")
    system = next(system for system in SYSTEMS if system.name == name)
    bus = MemoryBus({Direction.INBOUND: "inbound", Direction.OUTBOUND: "outbound"}, clock)
    drops = Drops(
        system,
        EXPORTS[name],
        DropFolders(str(tmp_path / "drops"), EXPORTS[name]),
        store.snapshots,
        store.cursors,
        store.jobs,
        bus,
        Whole(),  # type: ignore[arg-type]  # never reached
        clock,
        MemoryTelemetry(),
        queue="inbound",
        owner="one",
        settle=SETTLE,
    )
    await drops.run()
    clock.advance(SETTLE)
    posted = await drops.run()

    (drop,) = (await store.snapshots.report())["drops"]
    assert drop["state"] == "read"
    company = next(module for module in drop["modules"] if module["entity"] == "company")
    assert company["state"] == "read"
    for module in drop["modules"]:
        if module["state"] == "read":
            assert module["created"] + module["kept_out"] == module["found"], module
            assert module["listed"] in {None, module["found"]}, module
    assert posted == len(bus.sent) == len({sent.message.id for sent in bus.sent}) > 30
    faults: Counter[str] = Counter()
    for sent in bus.sent:
        change = envelope.read(sent.message, clock.now(), timedelta(minutes=5))
        assert isinstance(change, Change)
        assert not change.is_early
        entry = system.map_of(change.subject.entity)
        assert entry is not None
        faults.update(
            f"{change.subject.entity}{fault.field} {fault.code}"
            for fault in entry.to_columns(change.data).faults
        )
    assert faults == {}
    assert await drops.run() == 0
