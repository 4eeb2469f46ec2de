"""What wakes a lane again: a message of our own, in its record's session, for the time at which it is due."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.core.errors import Refused, SyncError, Throttled, Unavailable
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

ASKED = timedelta(seconds=40)


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (Unavailable("down"), [timedelta(seconds=1)]),
        (Throttled("slow down", retry_after=ASKED), [ASKED]),
        (Refused("not today", answer="no"), []),
    ],
)
async def test_what_passes_is_woken_once_when_it_is_due_and_what_does_not_pass_is_not(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, error: SyncError, pauses: list[timedelta]
) -> None:
    row = await desk.company(phone="1")
    desk.bus.sent.clear()

    async def fails(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "update", fails)
        assert await desk.edit_record(phone="2") is Outcome.FAILED
    due = [(sent.at - desk.clock.now(), sent.message.session_id) for sent in desk.bus.sent]
    assert due == [(pause, str(row)) for pause in pauses]

    desk.clock.advance(ASKED)
    await desk.delivered()
    assert desk.rows.of("account")[row]["telephone1"] == ("2" if pauses else "1")
