"""Eleven messages of three rows in the order in which they arrive: late, twice, before their create.

The same stream as the sample data's `session_stream_out_of_order.jsonl`, which is tried where it is there.
Its messages speak of what changed alone, unlike those of our own flows, which tell the whole row.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.dataverse import account
from shared.core.change import Message
from shared.core.mapping.spec import Field
from shared.core.mapping.transforms import text
from shared.core.outcome import Outcome
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

DATA = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared/data"))
SAMPLE = DATA / "messages/session_stream_out_of_order.jsonl"
BEGAN = datetime(2025, 3, 10, 8, tzinfo=UTC)
ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)

STREAM: list[tuple[str, UUID, str, int, dict[str, Any]]] = [
    ("a", ONE, "Create", 0, {"name": "Stream One"}),
    ("b", TWO, "Create", 1, {"name": "Stream Two"}),
    ("c", ONE, "Update", 20, {"telephone1": "3"}),
    ("d", ONE, "Update", 10, {"telephone1": "2", "fax": "9"}),
    ("a", ONE, "Create", 0, {"name": "Stream One"}),
    ("e", THREE, "Update", 5, {"name": "Three (update before create)"}),
    ("f", TWO, "Delete", 30, {}),
    ("g", TWO, "Update", 25, {"name": "Two late"}),
    ("h", THREE, "Create", 4, {"name": "Three", "telephone1": "1"}),
    ("c", ONE, "Update", 20, {"telephone1": "3"}),
    ("i", ONE, "Update", 21, {"telephone1": None}),
]
OUTCOMES = ["applied", "applied", "applied", "merged", "applied", "applied", "stale", "merged", "applied"]
"""Of each message, in the order of arrival: late ones lose what is outdated, and nothing else."""


def own() -> list[Message]:
    return [
        _message(
            {"messageId": name, "sessionId": str(row), "contentType": "application/json"},
            {
                "schemaVersion": "1.0",
                "source": "dataverse",
                "table": "account",
                "recordId": str(row),
                "operation": operation,
                "changedOn": (BEGAN + timedelta(seconds=second)).isoformat(),
                "rowVersion": str(4_711_000 + second),
                "data": {"accountid": str(row), **data},
            },
        )
        for name, row, operation, second, data in STREAM
    ]


def sample() -> list[Message]:
    told = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    return [_message(line["properties"], line["body"]) for line in told]


def _message(properties: dict[str, str], body: dict[str, Any]) -> Message:
    raw = json.dumps(body).encode()
    return Message(properties["messageId"], "outbound", properties["sessionId"], raw)


@pytest.fixture
def faxing() -> Iterator["Desk"]:
    """A desk whose companies have a fax number, as the stream's rows do."""
    company = replace(COMPANY, fields=(*COMPANY.fields, Field("fax", account.fax, text(50))))
    maps = tuple(company if entry is COMPANY else entry for entry in ALLEGORY.maps)
    with desk_with(replace(ALLEGORY, maps=maps)) as made:
        yield made


@pytest.mark.parametrize(
    "stream",
    [
        own,
        pytest.param(
            sample, marks=pytest.mark.skipif(not SAMPLE.is_file(), reason="the sample data is not here")
        ),
    ],
)
async def test_a_stream_out_of_order_ends_as_it_was_meant_and_keeps_what_only_the_late_one_says(
    faxing: "Desk", stream: Any
) -> None:
    messages = stream()
    one, _, three = dict.fromkeys(UUID(message.session_id) for message in messages)
    faxing.rows.put("account", one, {"name": "Stream One", "fax": "9"})
    faxing.rows.put("account", three, {"name": "Three (update before create)", "telephone1": "1"})

    for position, message in enumerate(messages):
        await faxing.gate.receive(replace(message, position=position))

    told = [
        await faxing.store.operations.messages.find(name)
        for name in dict.fromkeys(message.id for message in messages)
    ]
    assert [found and found["outcome"] for found in told] == OUTCOMES
    held = faxing.records.of("company").values()
    assert sorted((str(one["name"]), one.get("phone"), one.get("fax")) for one in held) == [
        ("Stream One", "", "9"),
        ("Three (update before create)", "1", None),
    ]


async def test_what_a_message_leaves_out_is_read_before_it_is_written_over(desk: "Desk") -> None:
    """A row's version is not known for good by a message that speaks of some of its columns."""
    row = await desk.company(phone="1", city="Kiel")
    await desk.tell_row(row)
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", row, {"telephone1": "2", "address1_city": "Lübeck"})
    kept = await desk.rows.read(account.TABLE, row)
    assert kept is not None
    version = int(kept.version.strip('W/"'))
    desk.numbers = iter(range(version, 100_000))

    assert await desk.row_changed(row, telephone1="2") is Outcome.APPLIED
    assert await desk.edit_record(city="Rostock") is Outcome.CONFLICT

    (kept_value,) = (await desk.store.operations.history.of("C-1"))[0]["conflicts"]
    assert (kept_value["inbound"], kept_value["outbound"]) == ("Rostock", "Lübeck")
