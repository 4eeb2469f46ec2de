"""A running simulator and a plain HTTP client for it."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest

from local.dataverse.flows.sender import BusUnavailable, MessageRefused
from local.dataverse.server import Settings, Simulator, start

CUSTOMISATIONS = {
    "publisher_prefix": "tandem",
    "tables": {
        "account": {
            "columns": [
                {"name": "tandem_sourcekey", "type": "string", "max_length": 200, "label": "Source key"},
                {
                    "name": "tandem_tier",
                    "type": "choice",
                    "label": "Tier",
                    "options": [
                        {"value": 100000000, "label": "Gold"},
                        {"value": 100000001, "label": "Silver"},
                    ],
                },
                {
                    "name": "tandem_tags",
                    "type": "choices",
                    "options": [{"value": value, "label": str(value)} for value in (1, 2, 3)],
                },
                {"name": "tandem_score", "type": "decimal", "minimum": 0, "maximum": 10, "precision": 2},
                {"name": "tandem_founded", "type": "date"},
                {"name": "tandem_ownerref", "type": "lookup", "target": "systemuser"},
            ],
            "keys": [{"name": "tandem_sourcekey_key", "columns": ["tandem_sourcekey"]}],
        }
    },
}


class Api:
    """The Web API of a simulator, as a caller with a token."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.root = f"{simulator.http_url}/api/data/v9.2/"
        self.client = httpx.Client(base_url=self.root, headers={"Authorization": "Bearer opaque"})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def create(self, set_name: str, **columns: object) -> str:
        """A new row; its id."""
        answer = self.client.post(set_name, json=columns)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"][-37:-1]

    def row(self, address: str, *select: str) -> dict[str, Any]:
        """A row without its annotations."""
        answer = self.client.get(address, params={"$select": ",".join(select)} if select else {})
        assert answer.status_code == 200, answer.text
        return {name: value for name, value in answer.json().items() if "@" not in name}

    def says_no_more(self, bus: "Recorder") -> bool:
        """Whether the bus has nothing left once everything that committed writes cause was delivered."""
        url = f"{self.simulator.http_url}/admin/flows"
        deadline, glance = time.monotonic() + 60, threading.Event()
        while httpx.get(url).json()["outbox"]["waiting"]:
            assert time.monotonic() < deadline, "messages wait for ever"
            glance.wait(0.005)
        return bus.messages.empty()

    def select(self, set_name: str, **query: str) -> list[dict[str, Any]]:
        """The rows of a query without their annotations; options are named without their dollar sign."""
        answer = self.client.get(set_name, params={f"${name}": value for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in row.items() if "@" not in name} for row in answer.json()["value"]
        ]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error answer."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def customisations(tmp_path: Path) -> Path:
    path = tmp_path / "customisations.json"
    path.write_text(json.dumps(CUSTOMISATIONS), "utf-8")
    return path


@pytest.fixture
def simulator(customisations: Path) -> Iterator[Simulator]:
    with start(Settings(customisations=customisations)) as running:
        yield running


@pytest.fixture
def api(simulator: Simulator) -> Iterator[Api]:
    api = Api(simulator)
    yield api
    api.client.close()


@pytest.fixture
def refused() -> Callable[[httpx.Response], tuple[int, str]]:
    return refusal


class Recorder:
    """A bus that keeps what it is given, unless it is down."""

    def __init__(self) -> None:
        self.messages: Queue[tuple[str, dict[str, Any]]] = Queue()
        self.down = False
        self.refuses = False

    def send(self, queue: str, messages: Sequence[dict[str, Any]]) -> None:
        if self.down:
            raise BusUnavailable("down")
        if self.refuses:
            raise MessageRefused("never")
        for message in messages:
            self.messages.put((queue, message))

    def close(self) -> None:
        pass

    def next(self) -> dict[str, Any]:
        """The next message with its body parsed; fails after a minute without one."""
        queue, message = self.messages.get(timeout=60)
        return {"queue": queue, **message, "body": json.loads(base64.b64decode(message["body"]))}


def flow(table: str, id_column: str, **subscription: object) -> dict[str, Any]:
    """A flow definition in the shape a solution exports."""
    asked = {"message": 7, "entityname": table, "scope": 4, "runas": 1} | subscription
    trigger = "@triggerOutputs()?['body/"
    connector = {"host": {"connectionName": "c", "operationId": "SendMessage", "apiId": "a"}}
    return {
        "properties": {
            "connectionReferences": {},
            "definition": {
                "triggers": {
                    "When_a_row_changes": {
                        "type": "OpenApiConnectionWebhook",
                        "inputs": {
                            "host": {"operationId": "SubscribeWebhookTrigger"},
                            "parameters": {
                                f"subscriptionRequest/{name}": value for name, value in asked.items()
                            },
                        },
                    }
                },
                "actions": {
                    "Compose_payload": {
                        "type": "Compose",
                        "runAfter": {},
                        "inputs": {
                            "schemaVersion": "1.0",
                            "source": "dataverse",
                            "table": table,
                            "recordId": f"{trigger}{id_column}']",
                            "operation": f"{trigger}SdkMessage']",
                            "changedOn": "@coalesce(triggerOutputs()?['body/modifiedon'], utcNow())",
                            "rowVersion": f"{trigger}RowVersion']",
                            "initiatedBy": "@if(equals(triggerOutputs()?['body/SdkMessage'], 'Delete'), "
                            "triggerOutputs()?['body/RunAsSystemUserId'], "
                            "triggerOutputs()?['body/_modifiedby_value'])",
                            "data": "@triggerOutputs()?['body']",
                        },
                    },
                    "Send_message": {
                        "type": "OpenApiConnection",
                        "runAfter": {"Compose_payload": ["Succeeded"]},
                        "inputs": connector
                        | {
                            "parameters": {
                                "entityName": "outbound",
                                "message/ContentData": "@{base64(string(outputs('Compose_payload')))}",
                                "message/ContentType": "application/json",
                                "message/MessageId": "@guid()",
                                "message/SessionId": "@outputs('Compose_payload')?['recordId']",
                                "message/Label": table,
                                "message/Properties": {"table": table, "operation": f"{trigger}SdkMessage']"},
                            }
                        },
                    },
                },
            },
        },
        "schemaVersion": "1.0.0.0",
    }


@pytest.fixture
def bus() -> Recorder:
    return Recorder()


@pytest.fixture
def flow_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder


@pytest.fixture
def write_flow(flow_folder: Path) -> Callable[..., None]:
    def write(table: str, id_column: str, **subscription: object) -> None:
        text = json.dumps(flow(table, id_column, **subscription))
        (flow_folder / f"{table}.json").write_text(text, "utf-8")

    return write


@pytest.fixture
def flowing(
    customisations: Path, flow_folder: Path, bus: Recorder, tmp_path: Path
) -> Iterator[Callable[[], Api]]:
    """Starts a simulator with the flows written so far; calling again restarts it over the same store."""
    settings = Settings(store=tmp_path / "store.db", customisations=customisations, flows=flow_folder)
    running: list[Api] = []

    def close() -> None:
        while running:
            api = running.pop()
            api.client.close()
            api.simulator.stop()

    def run() -> Api:
        close()
        running.append(Api(start(settings, bus=bus)))
        return running[-1]

    yield run
    close()
