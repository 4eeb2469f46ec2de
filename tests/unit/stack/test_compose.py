"""The compose file for people with Docker: what can be checked of it without."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from local.stack.layout import this_checkout
from local.stack.ports import NAMES

FILE = this_checkout().root / "infra" / "compose.yaml"


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
    return found


def test_every_port_is_open_on_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_password_comes_from_the_environment(services: dict[str, dict[str, Any]]) -> None:
    given = re.findall(r"PASSWORD: (.*)", FILE.read_text())

    assert len(given) == len([name for name in services if name in {"sql", "database", "servicebus"}])
    assert all(value.startswith("${MSSQL_SA_PASSWORD:?") for value in given)


def test_the_bus_is_configured_by_the_brokers_own_file(services: dict[str, dict[str, Any]]) -> None:
    (mount,) = services["servicebus"]["volumes"]
    source, target, mode = mount.split(":")

    assert (FILE.parent / source).resolve() == FILE.parent / "servicebus" / "config.json"
    assert (FILE.parent / source).is_file()
    assert (target, mode) == ("/ServiceBus_Emulator/ConfigFiles/Config.json", "ro")


def test_the_command_that_it_shows_names_ports_of_the_stack(services: dict[str, dict[str, Any]]) -> None:
    shown = dict(re.findall(r"--port (\w+)=(\d+)", FILE.read_text()))
    published = {port.split(":")[1] for service in services.values() for port in service.get("ports", [])}

    assert set(shown) <= set(NAMES)
    # SQL Server has no place in the stack, and the Functions container shares the machine's network.
    assert set(shown.values()) - {"7071"} == published - {"1433"}


def test_the_container_gets_every_file_that_it_is_built_from(services: dict[str, dict[str, Any]]) -> None:
    recipe = services["functions"]["build"]["dockerfile_inline"]
    copied = [name for line in re.findall(r"COPY (.*) \S+", recipe) for name in line.split()]

    assert [name for name in copied if not (Path(FILE.parent.parent) / name).exists()] == []
