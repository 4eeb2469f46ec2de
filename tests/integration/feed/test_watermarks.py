"""A watermark moves forward only for the one who saw it where it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.connectors.memory.clock import SettableClock
from shared.connectors.sqlstore import Store, open_store
from shared.core.feed import Watermark


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'tandem.db'}", SettableClock())
    yield opened
    opened.close()


async def test_a_feed_never_read_begins_at_the_beginning(store: Store) -> None:
    assert await store.cursors.load("a-feed") == Watermark("", 0)


async def test_a_watermark_is_kept_by_name(store: Store) -> None:
    first = await store.cursors.move("a-feed", Watermark(), "10")
    assert first == Watermark("10", 1)
    assert await store.cursors.move("a-feed", first, "20") == Watermark("20", 2)

    assert await store.cursors.load("a-feed") == Watermark("20", 2)
    assert await store.cursors.load("another-feed") == Watermark()


@pytest.mark.parametrize("seen", [Watermark(), Watermark("10", 1), Watermark("20", 7)])
async def test_who_saw_an_older_watermark_moves_nothing(store: Store, seen: Watermark) -> None:
    first = await store.cursors.move("a-feed", Watermark(), "10")
    assert first is not None
    await store.cursors.move("a-feed", first, "20")

    assert await store.cursors.move("a-feed", seen, "11") is None
    assert await store.cursors.load("a-feed") == Watermark("20", 2)
