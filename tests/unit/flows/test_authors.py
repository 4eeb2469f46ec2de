"""Who made and who changed a record stands beside its row, by the legacy system's own names."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mappers.allegory import ALLEGORY
from shared.core.change import Message
from shared.core.outcome import Outcome
from tests.unit.flows.conftest import US, desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY) as made:
        yield made


async def saved(desk: "Desk", city: str, **authors: str) -> Outcome | None:
    desk.clock.advance(timedelta(seconds=1))
    number = next(desk.numbers)
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-1",
        "operation": "upsert",
        "changedOn": desk.clock.now().isoformat(),
        "data": {"name": "Nordwind", "city": city},
        **authors,
    }
    content = json.dumps(body).encode()
    message = Message(f"a-{number}", "inbound", "allegory:company:C-1", content, position=number)
    await desk.gate.receive(message)
    found = await desk.store.operations.messages.find(message.id)
    assert found is not None
    return Outcome(found["outcome"]) if found["outcome"] else None


def told(desk: "Desk") -> tuple[object, ...]:
    (row,) = desk.rows.of("account").values()
    return tuple(row.get(name) for name in ("address1_city", "tandem_createdby", "tandem_modifiedby"))


async def test_the_row_names_who_made_its_record_and_who_changed_it_last(desk: "Desk") -> None:
    found = []
    for city, authors in (
        ("Kiel", {"createdBy": "ida@nordwind.example", "changedBy": "ida@nordwind.example"}),
        ("Bonn", {"changedBy": "Bo Lind"}),
        ("Köln", {}),
    ):
        assert await saved(desk, city, **authors) in {Outcome.APPLIED, Outcome.MERGED}
        found.append(told(desk))

    assert found == [
        ("Kiel", "ida@nordwind.example", "ida@nordwind.example"),
        ("Bonn", "ida@nordwind.example", "Bo Lind"),
        ("Köln", "ida@nordwind.example", "Bo Lind"),
    ]


async def test_a_new_name_alone_is_no_change_and_our_own_is_nobodys(desk: "Desk") -> None:
    await saved(desk, "Kiel", changedBy="Ida")

    again = await saved(desk, "Kiel", changedBy="Bo Lind")
    own = await saved(desk, "Bonn", changedBy=US)

    assert again is Outcome.ECHO
    assert own in {Outcome.APPLIED, Outcome.MERGED}
    assert told(desk) == ("Bonn", None, "Ida")
