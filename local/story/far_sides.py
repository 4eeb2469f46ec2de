"""The ends of the sample traffic as people use them: Dataverse's and Allegory's APIs, Tandem's doors."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local.story.cast import USERS, Scene, user_id

T = TypeVar("T")
_PATIENCE = 90.0
_GLANCE = 0.1


class NeverHappenedError(Exception):
    """Something that the story waits for did not come about in time."""


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    """The first thing `look` finds; raises NeverHappenedError naming `what` after a minute and a half."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise NeverHappenedError(what)
        time.sleep(_GLANCE)


class Dataverse:
    """Dataverse as a sales person's client sees it."""

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        there = endpoints["dataverse"]
        verify = ssl.create_default_context(cafile=endpoints["ca_file"])
        grant = {
            "grant_type": "client_credentials",
            "client_id": "sample-person",
            "client_secret": "sample",
            "scope": there["http"] + "/.default",
        }
        token = (
            httpx.post(there["token_url"], data=grant, verify=verify)
            .raise_for_status()
            .json()["access_token"]
        )
        self._http = httpx.Client(
            base_url=there["http"] + "/api/data/v9.2/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=30,
        )

    def add_users(self) -> None:
        """The sales people both systems know, by e-mail."""
        for name, email in USERS:
            first, _, last = name.partition(" ")
            body = {"firstname": first, "lastname": last, "internalemailaddress": email, "domainname": email}
            self._http.patch(f"systemusers({user_id(email)})", json=body).raise_for_status()

    def row(self, entity_set: str, key: str) -> dict[str, Any] | None:
        """The row of a legacy record, if it has one."""
        answer = self._http.get(entity_set, params={"$filter": f"tandem_sourcekey eq '{key}'"})
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["value"]
        return rows[0] if rows else None

    def edit(self, path: str, body: Mapping[str, Any]) -> None:
        """What a person types into a form and saves."""
        self._http.patch(path, json=dict(body), headers={"If-Match": "*"}).raise_for_status()

    def create(self, entity_set: str, body: Mapping[str, Any]) -> str:
        """A new row; returns its GUID."""
        answer = self._http.post(entity_set, json=dict(body)).raise_for_status()
        return str(answer.headers["OData-EntityId"]).rpartition("(")[2].rstrip(")")


class Allegory:
    """Allegory as the person at its screen sees it."""

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        self._http = httpx.Client(base_url=endpoints["allegory"]["rest"], timeout=30)

    def put(self, scene: Scene) -> None:
        """The record as it stands in Allegory when its message is sent."""
        collection = {"company": "companies", "contact": "contacts", "deal": "deals"}[scene.entity]
        self._http.put(f"/{collection}/{scene.id}", json=scene.data).raise_for_status()

    def get(self, collection: str, record_id: str) -> dict[str, Any]:
        """A record."""
        found: dict[str, Any] = self._http.get(f"/{collection}/{record_id}").raise_for_status().json()
        return found

    def named(self, collection: str, name: str) -> dict[str, Any] | None:
        """The record of this name, if there is one."""
        cursor = None
        while True:
            params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self._http.get(f"/{collection}", params=params).raise_for_status().json()
            for record in page["records"]:
                if record.get("name") == name:
                    return dict(record)
            cursor = page.get("next")
            if not cursor:
                return None


class Service:
    """Tandem's own doors."""

    def __init__(self, endpoints: Mapping[str, Any]) -> None:
        self._endpoints = endpoints
        self._http = httpx.Client(base_url=endpoints["functions"] + "/api/", timeout=30)

    def send(self, scenes: list[tuple[str, Scene]]) -> None:
        """Put envelopes on the inbound queue with the Service Bus SDK, one session per record."""
        with (
            ServiceBusClient.from_connection_string(self._endpoints["servicebus"]) as client,
            client.get_queue_sender("inbound") as sender,
        ):
            for message_id, scene in scenes:
                sender.send_messages(
                    ServiceBusMessage(
                        json.dumps(envelope(scene)),
                        message_id=message_id,
                        session_id=f"allegory:{scene.entity}:{scene.id}",
                        content_type="application/json",
                        application_properties={"source": "allegory", "entity": scene.entity},
                    )
                )

    def post(self, message_id: str, scene: Scene) -> httpx.Response:
        """Post one envelope through the HTTP door."""
        return self._http.post(
            "inbound",
            json=envelope(scene),
            headers={"Idempotency-Key": message_id, "Authorization": f"Bearer {self._token('inbound')}"},
        )

    def fate(self, message_id: str) -> dict[str, Any] | None:
        """What became of a message, once it has arrived."""
        answer = self._http.get(
            f"inbound/{message_id}", headers={"Authorization": f"Bearer {self._token('inbound')}"}
        )
        return None if answer.status_code == 404 else dict(answer.raise_for_status().json())

    def now(self) -> dict[str, Any]:
        """How things stand."""
        headers = {"Authorization": f"Bearer {self._token('ops_read')}"}
        return dict(self._http.get("ops/now", headers=headers).raise_for_status().json())

    def _token(self, name: str) -> str:
        return str(self._endpoints["tokens"][name])


def envelope(scene: Scene) -> dict[str, Any]:
    """The message an external system sends about a record."""
    return {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": scene.entity,
        "sourceKey": scene.id,
        "operation": "upsert",
        "changedOn": scene.data["updated_at"],
        "data": scene.data,
    }
