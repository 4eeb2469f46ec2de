"""A running simulator and a plain HTTP client for it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

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
