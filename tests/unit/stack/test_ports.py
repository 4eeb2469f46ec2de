"""Which ports the parts get."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.fault import NotReadyError
from local.stack.ports import NAMES, fixed_ports, pick_ports


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports.json"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def test_a_restart_uses_the_ports_of_the_last_start(file: Path) -> None:
    first = pick_ports({}, file)

    assert list(first) == list(NAMES)
    assert pick_ports({}, file) == first == json.loads(file.read_text())


def test_a_remembered_port_that_is_taken_is_replaced_alone(file: Path, taken: int) -> None:
    first = pick_ports({}, file)
    file.write_text(json.dumps(first | {"vault": taken}))

    second = pick_ports({}, file)

    assert {name: port for name, port in second.items() if name != "vault"} == {
        name: port for name, port in first.items() if name != "vault"
    }
    assert second["vault"] not in {taken, *(port for name, port in first.items() if name != "vault")}


def test_ports_lie_below_those_of_outgoing_connections(file: Path) -> None:
    assert all(15_000 <= port < 32_000 for port in pick_ports({}, file).values())


def test_a_port_that_was_asked_for_is_kept(file: Path) -> None:
    free = pick_ports({}, file.with_name("other.json"))["host"]

    assert pick_ports({"host": free}, file)["host"] == free
    assert pick_ports({}, file)["host"] == free


def test_a_port_that_was_asked_for_and_is_taken_is_told(file: Path, taken: int) -> None:
    with pytest.raises(NotReadyError, match=rf"^Port {taken}, which was asked for host, is in use"):
        pick_ports({"host": taken}, file)


def test_the_command_line_goes_over_the_environment() -> None:
    environment = {"TANDEM_PORT_HOST": "7071", "TANDEM_PORT_BROKER_AMQP": "5672", "PORT": "1"}

    assert fixed_ports(["host=8080"], environment) == {"host": 8080, "broker_amqp": 5672}


def test_a_port_of_a_part_that_the_person_runs_may_be_taken_by_it(file: Path, taken: int) -> None:
    ports = pick_ports({"host": taken}, file, frozenset({"host"}))

    assert ports["host"] == taken
    assert pick_ports({}, file, frozenset({"host"})) == ports


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("hots=1", r"^There is no port called hots"),
        ("host=0", r"^The port of host must be a number from 1 to 65535\.$"),
        ("host=65536", r"^The port of host must be a number"),
        ("host=", r"^The port of host must be a number"),
    ],
)
def test_a_port_that_makes_no_sense_is_told(wish: str, told: str) -> None:
    with pytest.raises(NotReadyError, match=told):
        fixed_ports([wish], {})
