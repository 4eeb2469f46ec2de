"""The native way out: changes as RemoteExecutionContext, compared with samples of the real shape."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.dataverse.flows.execution_context import ServiceEndpoint
from local.dataverse.server import Settings, start

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Recorder

ROOT = Path(__file__).parents[3]
SAMPLES = Path(os.environ.get("TANDEM_SAMPLE_DATA", ROOT.parent / "shared" / "data")) / "messages"
AUTHORISED = {"Authorization": "Bearer x"}


def posted(bus: Recorder, endpoint: ServiceEndpoint) -> list[dict[str, Any]]:
    """The contexts of a create, an update, an assignment and a delete of an account."""
    with start(Settings(service_endpoint=endpoint), bus=bus) as simulator:
        api = f"{simulator.http_url}/api/data/v9.2"
        created = httpx.post(
            f"{api}/accounts?tag=legacy:1",
            json={"name": "A", "revenue": 5, "industrycode": 20},
            headers=AUTHORISED,
        )
        url = created.headers["OData-EntityId"]
        httpx.patch(url, json={"name": "B", "revenue": None}, headers=AUTHORISED)
        httpx.delete(url, headers=AUTHORISED)
        return [bus.next() for _ in range(3)]


def test_a_context_names_the_change_the_caller_and_the_tag(bus: Recorder) -> None:
    messages = posted(bus, ServiceEndpoint("contexts", frozenset({"account"})))

    bodies = [message["body"] for message in messages]
    assert [message["queue"] for message in messages] == ["contexts"] * 3
    assert "sessionId" not in messages[0]
    assert [body["MessageName"] for body in bodies] == ["Create", "Update", "Delete"]
    assert bodies[0]["SharedVariables"] == [{"key": "tag", "value": "legacy:1"}]
    assert bodies[0]["OutputParameters"] == [{"key": "id", "value": bodies[0]["PrimaryEntityId"]}]
    update = bodies[1]["InputParameters"][0]["value"]
    values = {item["key"]: item["value"] for item in update["Attributes"]}
    assert set(values) == {"accountid", "name", "revenue", "modifiedon", "modifiedby"}
    assert (values["name"], values["revenue"]) == ("B", None)
    before = bodies[1]["PreEntityImages"][0]["value"]["Attributes"]
    assert {item["key"]: item["value"] for item in before}["revenue"]["Value"] == 5
    assert bodies[2]["InputParameters"][0]["value"]["LogicalName"] == "account"


def test_a_forwarder_for_session_queues_sets_the_session(bus: Recorder) -> None:
    messages = posted(bus, ServiceEndpoint("contexts", frozenset({"account"}), sessions=True))

    assert [message["sessionId"] for message in messages] == [
        message["body"]["PrimaryEntityId"] for message in messages
    ]


def test_a_context_too_big_for_the_bus_loses_its_rows(bus: Recorder) -> None:
    endpoint = ServiceEndpoint("contexts", frozenset({"annotation"}))
    with start(Settings(service_endpoint=endpoint), bus=bus) as simulator:
        note = {"subject": "N", "filename": "a", "documentbody": "QUFB" * 70_000}
        httpx.post(f"{simulator.http_url}/api/data/v9.2/annotations", json=note, headers=AUTHORISED)
        message = bus.next()

    assert message["applicationProperties"]["MessageMaxSizeExceeded"] is True
    assert "InputParameters" not in message["body"]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no sample data: set TANDEM_SAMPLE_DATA")
def test_the_shape_is_that_of_the_samples(bus: Recorder) -> None:
    messages = posted(bus, ServiceEndpoint("contexts", frozenset({"account"})))
    samples = [
        json.loads((SAMPLES / name).read_text("utf-8"))
        for name in ("rec_create_account.json", "rec_update_contact.json", "rec_delete_task.json")
    ]

    for message, sample in zip(messages, samples, strict=True):
        assert message["body"].keys() == sample["body"].keys()
        assert message["applicationProperties"].keys() == sample["applicationProperties"].keys()
        mine, theirs = (body["InputParameters"][0]["value"] for body in (message["body"], sample["body"]))
        assert mine.keys() == theirs.keys()
        kinds = {item["key"]: type(item["value"]) for item in theirs.get("Attributes", [])}
        for item in mine.get("Attributes", []):
            if item["value"] is not None and kinds.get(item["key"]) is not None:
                assert isinstance(item["value"], kinds[item["key"]])
