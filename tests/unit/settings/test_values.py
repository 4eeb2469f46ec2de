"""What a setting may be: whatever it is, it is read or told by its name and its rule."""

import json
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient

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


KEYED = "SharedAccessKeyName=root;SharedAccessKey=s3cret"


@pytest.mark.parametrize(
    "value",
    [
        "s3cret",
        f"Endpoint=sb.example;{KEYED}",
        f"Endpoint=https://sb.example/;{KEYED}",
        f"Endpoint=sb://sb.example:port/;{KEYED}",
        f"Endpoint=sb:///;{KEYED}",
        KEYED,
        "Endpoint=sb://sb.example/",
        "Endpoint=sb://sb.example/;SharedAccessKey=s3cret",
        "Endpoint=sb://sb.example/;SharedAccessKeyName=root;SharedAccessKey=",
        f"Endpoint=sb://sb.example/;{KEYED};SharedAccessSignature=sig",
        f"Endpoint=sb://sb.example/;{KEYED};s3cret",
    ],
)
def test_a_connection_string_that_nobody_could_use_is_told_without_its_key(value: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {"ServiceBusConnection": value})

    assert str(told.value) == (
        "ServiceBusConnection must be a connection string of the form "
        "Endpoint=sb://host/;SharedAccessKeyName=name;SharedAccessKey=key"
    )


@pytest.mark.parametrize(
    "value",
    [
        f"endpoint=sb://ns.servicebus.windows.net/;{KEYED}=;EntityPath=inbound",
        f"Endpoint=sb://127.0.0.1:5672;{KEYED};UseDevelopmentEmulator=true;",
        "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessSignature=SharedAccessSignature sr=x&sig=y",
    ],
)
def test_a_connection_string_that_the_sdk_takes_is_taken(value: str) -> None:
    ServiceBusClient.from_connection_string(value)

    assert (
        Settings.from_env(SYSTEMS, SAMPLE | {"ServiceBusConnection": value}).service_bus_connection == value
    )


PLACES = ("ALLEGORY_DROP_URL", "LEGRAND_DROP_URL", "LEGRAND_IMPORT_URL")


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    "value",
    ["ftp://ann:s3cret@files.example/drop", "s3://drop", "azz://drop", "az://", "://drop", "zip::az://drop"],
)
def test_a_place_for_files_is_a_folder_or_a_container(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {name: value})

    assert str(told.value) == f"{name} must be a folder, or a container such as az://exports"


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    "value",
    [
        "/srv/drop",
        "drop",
        "file:///srv/drop",
        "az://drop",
        "abfs://drop",
        "abfss://drop@acc.dfs.core.windows.net",
    ],
)
def test_every_place_that_is_documented_is_taken(name: str, value: str) -> None:
    system = name.partition("_")[0].lower()

    said = Settings.from_env(SYSTEMS, SAMPLE | {name: value}).systems[system]

    assert value in {said.drop_url, said.import_url}


def test_a_wait_is_one_that_can_be_reckoned_with() -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.from_env(SYSTEMS, SAMPLE | {"GAP_WAITS": "allegory/company=99999999999"})

    assert str(told.value) == "GAP_WAITS must be entries of the form system/entity=seconds"
