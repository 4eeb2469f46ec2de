"""What an operator may say about the writer to Dataverse, and what is refused at the start."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from mappers import SYSTEMS
from shared.settings import InvalidSettings, Settings

SAMPLE: dict[str, str] = json.loads((Path(__file__).parents[3] / "local.settings.sample.json").read_text())[
    "Values"
]
WRITER = {
    "DATAVERSE_BATCH_SIZE",
    "DATAVERSE_IN_FLIGHT",
    "DATAVERSE_REQUESTS_PER_WINDOW",
    "DATAVERSE_SECONDS_PER_WINDOW",
}


def writer(settings: Settings) -> tuple[int, int, int, timedelta]:
    return (
        settings.dataverse_batch_size,
        settings.dataverse_in_flight,
        settings.dataverse_requests,
        settings.dataverse_seconds,
    )


def test_what_is_not_said_is_as_documented_and_what_is_said_counts() -> None:
    silent = {name: value for name, value in SAMPLE.items() if name not in WRITER}
    said = silent | dict(zip(sorted(WRITER), ("25", "4", "8000", "600"), strict=True))

    assert writer(Settings.from_env(SYSTEMS, silent)) == (10, 8, 6000, timedelta(seconds=1200))
    assert writer(Settings.from_env(SYSTEMS, said)) == (25, 4, 8000, timedelta(seconds=600))


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many"])
@pytest.mark.parametrize("name", sorted(WRITER - {"DATAVERSE_SECONDS_PER_WINDOW"}))
def test_a_count_is_a_whole_number_above_zero(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} must be a whole number above 0$"):
        Settings.from_env(SYSTEMS, SAMPLE | {name: value})
