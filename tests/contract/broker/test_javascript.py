"""Microsoft's npm client, whose AMQP library shares nothing with the Python one, against the broker.

`python3 local/setup.py clients` installs it, as `make test` does. Each scenario of `clients/service_bus.mjs`
runs in a process of its own and prints what it saw.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.broker.server import Broker
from local.stack.certificates import Certificates

SCRIPT = Path(__file__).parent / "clients" / "service_bus.mjs"
NODE = Path(__file__).parents[3] / ".local" / "clients" / "node"

Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(broker: Broker, certificates: Certificates) -> Play:
    """What the client saw in a scenario; its own words when it failed."""

    def played(scenario: str, connection: str = broker.connection_string) -> dict[str, Any]:
        assert (NODE / "tandem.stamp").exists(), (
            "the clients are not installed: run `python3 local/setup.py clients`"
        )
        command = [str(shutil.which("node")), str(SCRIPT), scenario, connection]
        finished = subprocess.run(
            [*command, broker.admin_connection_string],
            cwd=NODE,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(certificates.authority)},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr[-3000:]
        seen: dict[str, Any] = json.loads(finished.stdout)
        return seen

    return played


QUEUE = {
    "message": {
        "body": {"record": 1},
        "messageId": "m1",
        "subject": "s",
        "correlationId": "c",
        "contentType": "application/json",
        "to": "t",
        "replyTo": "r",
        "partitionKey": "p",
        "timeToLive": 60_000,
        "applicationProperties": {"text": "ü", "number": 7, "flag": True},
        "deliveryCount": 0,
        "sequenceNumber": 1,
        "state": "active",
    },
    "renewed": True,
    "twice": "Error: The message has either been deleted or already settled",
    "batch": [4, 262_144, False],
    "abandoned": ["abandon", 1, {"why": "later"}],
    "deferred": ["defer", "deferred", {"aside": 1}],
    "deferredAgain": "MessageNotFound",
    "dead": ["dead-letter", "Broken", "beyond repair", "plain", "name"],
    "cancelledTwice": "MessageNotFound",
    "scheduled": ["kept", True, True],
    "peeked": [["a", "b"], ["c"]],
    "deleted": ["a", "b", "c"],
    "left": 0,
    "empty": 0,
    "missing": "MessagingEntityNotFound",
    "large": "MessageSizeExceeded",
}


def test_everything_a_queue_does_is_done_for_the_npm_client(play: Play) -> None:
    assert play("queue") == QUEUE


def test_the_npm_client_does_the_same_over_tls(play: Play, broker: Broker) -> None:
    assert play("queue", broker.tls_connection_string) == QUEUE


def test_the_npm_clients_subscription_gets_every_message_once(play: Play) -> None:
    assert play("streaming") == {"got": list(range(50)), "faults": [], "left": 0}


def test_everything_a_session_does_is_done_for_the_npm_client(play: Play) -> None:
    seen = play("sessions")

    assert "has been closed" in seen.pop("settledLate")
    assert seen == {
        "next": ["A", "B"],
        "taken": "SessionCannotBeLocked",
        "renewed": True,
        "state": [None, {"step": 2}, None],
        "order": [["a1", 1], ["a2", 0], ["a3", 0]],
        "peeked": ["a3"],
        # A session that is closed counts no delivery of what was left in it.
        "left": ["a3", 0],
        "dead": ["a3", "A", "Poison"],
        "noId": "GeneralError",
        "noSession": "GeneralError",
        "notForSessions": "SessionCannotBeLocked",
        "late": "late",
    }


def test_the_npm_client_is_told_that_its_session_was_lost(play: Play) -> None:
    assert play("lost") == {"settled": "SessionLockLost", "renewed": "SessionLockLost", "again": ["a1", 1]}


def test_the_npm_client_is_told_that_no_session_came(play: Play) -> None:
    assert play("patience") == {"nobody": "ServiceTimeout"}


def test_the_npm_administration_client_manages_queues(play: Play) -> None:
    seen = play("administration")

    assert seen.pop("listed")[-1] == "made"
    assert seen == {
        "made": {
            "name": "made",
            "requiresSession": True,
            "lockDuration": "PT30S",
            "defaultMessageTimeToLive": "PT10M",
            "maxDeliveryCount": 4,
            "status": "Active",
        },
        "updated": 7,
        "exists": [True, False],
        "counts": [0, 0, 0],
        "again": "RestError: 409",
        "gone": "RestError: 404",
    }
