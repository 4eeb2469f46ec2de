from datetime import UTC, datetime, timedelta

import pytest

from local.host.settings import InvalidSettings
from local.host.timers import schedule_of

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 */5 * * * *", NOON.replace(minute=5, second=0)),
        ("*/10 * * * * *", NOON.replace(second=40)),
        ("15 0 0 * * 1", datetime(2026, 3, 2, 0, 0, 15, tzinfo=UTC)),
        ("*/5 * * * *", NOON.replace(minute=5, second=0)),
        ("00:05:00", NOON + timedelta(minutes=5)),
    ],
)
def test_a_schedule_tells_the_next_occurrence(expression: str, following: datetime) -> None:
    assert schedule_of(expression)(NOON) == following


@pytest.mark.parametrize("expression", ["", "* * * *", "0 0 25 * * *", "a b c d e f", "00:00:00", "1:2:3:4"])
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(InvalidSettings):
        schedule_of(expression)
