"""What a setting may be: whatever it is, it is read or told by its name and its rule."""

import json
from pathlib import Path

import pytest

from mappers import SYSTEMS
from shared.settings import InvalidSettings, Settings

SAMPLE: dict[str, str] = json.loads((Path(__file__).parents[3] / "local.settings.sample.json").read_text())[
    "Values"
]
ADDRESSES = ("DATAVERSE_URL", "KEY_VAULT_URL", "TICKETS_URL", "AUTH_JWKS_URL", "ALLEGORY_URL")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "value", ["crm.example", "https://", "ftp://crm.example", "https://[::1", "http://h:p"]
)
def test_an_address_names_a_scheme_and_a_host(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {name: value})

    assert str(told.value) == f"{name} must be an address such as https://host or http://host:8080"


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e300", "soon"])
def test_a_length_of_time_is_one_that_can_be_reckoned_with(value: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {"LANE_LEASE_SECONDS": value, "PAYLOAD_DAYS": value})

    assert str(told.value) == (
        "LANE_LEASE_SECONDS must be a number of seconds above 0; "
        "PAYLOAD_DAYS must be a whole number of days above 0"
    )


def test_a_wait_is_one_that_can_be_reckoned_with() -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {"GAP_WAITS": "allegory/company=99999999999"})

    assert str(told.value) == "GAP_WAITS must be entries of the form system/entity=seconds"
