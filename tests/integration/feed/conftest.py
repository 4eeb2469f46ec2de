"""Both systems, the broker and the state, and the app between them; each test hands the messages over.

Only the credentials are fixed values here: that they are fetched as in Azure is proven elsewhere.
"""

import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient

from local.broker.config import read_config
from local.broker.server import Broker, in_thread
from local.crm.rest import start as start_crm
from local.crm.systems import SYSTEMS as SIMULATED
from local.dataverse.server import Settings as DataverseSettings
from local.dataverse.server import start as start_dataverse
from mappers import SYSTEMS
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.tables import message as messages
from shared.core.change import Message
from shared.settings import SETTINGS, Settings, known
from shared.wiring import App, assembly, world

ROOT = Path(__file__).parents[3]
API_KEY = "the-integrations-key"


ENVIRONMENT = {
    "RETRY_SCHEDULE": "*/5 * * * * *",
    **{each.name: each.sample for each in known(SYSTEMS)[len(SETTINGS) :] if each.default is None},
    **dict.fromkeys(("KEY_VAULT_URL", "TICKETS_URL", "AUTH_ISSUER", "AUTH_JWKS_URL"), "https://127.0.0.1:9"),
}
"""What the app is told beside the addresses of those it talks to."""


@dataclass
class House:
    """The app between the two systems, and what people do in them."""

    app: App
    telemetry: MemoryTelemetry
    queues: ServiceBusClient
    allegory: httpx.AsyncClient
    dataverse: httpx.AsyncClient
    broker: httpx.AsyncClient
    state: sa.Engine

    async def feed(self) -> int:
        """One run of the timer; how many messages it posted."""
        return await self.app.feeds["allegory"].run()

    async def take(self, queue: str) -> Message:
        """The next message of a queue, off it; fails after a minute without one."""
        async with self.queues.get_queue_receiver(
            queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=60
        ) as receiver:
            (got,) = await receiver.receive_messages(1, max_wait_time=60)
            await receiver.complete_message(got)
        return _arrived(got, queue)

    async def deliver(self, queue: str) -> str:
        """Hand the next message of a queue to the app; returns the message's id."""
        message = await self.take(queue)
        await self.app.gate.receive(message)
        return message.id

    def outcomes(self) -> dict[str, str | None]:
        """What became of each message, by its id."""
        columns = sa.select(messages.c.message_id, messages.c.outcome).where(messages.c.is_first)
        with self.state.connect() as connection:
            return {row.message_id: row.outcome for row in connection.execute(columns)}

    async def forget_requests(self) -> None:
        """Count from here on."""
        for system in (self.allegory, self.dataverse):
            (await system.delete("/admin/requests")).raise_for_status()

    async def requests(self) -> tuple[dict[str, int], dict[str, int]]:
        """Every request that Allegory and Dataverse were sent, by method and collection."""
        told = (await self.allegory.get("/admin/requests")).json()["counts"]
        to_allegory: Counter[str] = Counter()
        for count in told:
            to_allegory[f"{count['method']} {count['collection']} {count['status']}"] += count["count"]
        to_dataverse = (await self.dataverse.get("/admin/requests")).json()["operations"]
        return dict(to_allegory), dict(to_dataverse)

    async def left(self) -> dict[str, int]:
        """The messages on each queue, once Dataverse's flows have no more to put there."""
        deadline = monotonic() + 60
        while (await self.dataverse.get("/admin/flows")).json()["outbox"]["waiting"]:
            assert monotonic() < deadline, "the flows do not come to rest"
        queues = (await self.broker.get("/admin/queues")).json()["queues"]
        return {queue["name"]: queue["active"] for queue in queues}

    async def company(self, record_id: str, **fields: str) -> dict[str, str]:
        """A person saves a company in Allegory."""
        answer = await self.allegory.put(f"/companies/{record_id}", json={"name": "Nordwind", **fields})
        saved: dict[str, str] = answer.raise_for_status().json()
        return saved

    async def account(self, key: str) -> dict[str, Any]:
        """The row of a record."""
        (row,) = await self.accounts(f"tandem_sourcekey eq '{key}'")
        return row

    async def accounts(self, condition: str) -> list[dict[str, Any]]:
        """The rows that meet a condition."""
        answer = await self.dataverse.get("/api/data/v9.2/accounts", params={"$filter": condition})
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["value"]
        return rows

    async def person_edits(self, account: str, **columns: str) -> None:
        """A person saves an account in Dataverse."""
        answer = await self.dataverse.patch(f"/api/data/v9.2/accounts({account})", json=columns)
        answer.raise_for_status()

    async def person_creates(self, **columns: str) -> str:
        """A person makes an account in Dataverse; its id."""
        answer = await self.dataverse.post("/api/data/v9.2/accounts", json=columns)
        return str(answer.raise_for_status().headers["OData-EntityId"])[-37:-1]

    async def crossed(self, record_id: str, **fields: str) -> dict[str, Any]:
        """A company that people made in Allegory and both sides agree on; its row."""
        await self.company(record_id, **fields)
        assert await self.feed() == 1
        await self.deliver("inbound")
        await self.deliver("outbound")
        row = await self.account(f"allegory:company:{record_id}")
        await self.forget_requests()
        return row


def _arrived(got: ServiceBusReceivedMessage, queue: str) -> Message:
    properties = {_text(name): _text(value) for name, value in (got.application_properties or {}).items()}
    return Message(
        id=str(got.message_id),
        queue=queue,
        session_id=got.session_id,
        body=b"".join(got.body),
        position=got.sequence_number or 0,
        properties={"contentType": got.content_type}
        | ({"correlationId": got.correlation_id} if got.correlation_id else {}),
        application_properties=properties,
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Pass:
    """Credentials that need no one to ask."""

    def __init__(self, *_anything: object) -> None:
        pass

    def token(self, _scope: str) -> FixedSecret:
        return FixedSecret("the-app")

    def secret(self, _name: str) -> FixedSecret:
        return FixedSecret(API_KEY)


class Heard(MemoryTelemetry):
    """Telemetry that remembers, where the wiring expects something to close."""

    def close(self) -> None:
        pass


@pytest.fixture
def broker() -> Iterator[Broker]:
    with in_thread(read_config(ROOT / "infra/servicebus/config.json")) as running:
        yield running
    # The SDK leaves what it needs no more to the collector.
    gc.collect()


@pytest.fixture
def far_sides(broker: Broker, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Allegory's and Dataverse's addresses."""
    key = tmp_path / "key"
    key.write_text(API_KEY)
    organisation = DataverseSettings(
        customisations=ROOT / "infra/dataverse/customisations.json",
        flows=ROOT / "infra/flows",
        servicebus=broker.connection_string,
    )
    with (
        start_crm(SIMULATED["allegory"], api_key_file=key) as allegory,
        start_dataverse(organisation) as dataverse,
    ):
        yield allegory.url, dataverse.http_url


@pytest.fixture
def settings(broker: Broker, far_sides: tuple[str, str], tmp_path: Path) -> Settings:
    return Settings.from_env(
        SYSTEMS,
        {
            **ENVIRONMENT,
            "ServiceBusConnection": broker.connection_string,
            "ALLEGORY_URL": far_sides[0],
            "DATAVERSE_URL": far_sides[1],
            "SQL_URL": f"sqlite:///{tmp_path / 'tandem.db'}",
        },
    )


@pytest.fixture
async def house(broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    telemetry = Heard()
    monkeypatch.setattr(world, "AzureCredentials", Pass)
    monkeypatch.setattr(world, "Vault", Pass)
    monkeypatch.setattr(world, "telemetry_for", lambda *_: telemetry)
    state = engine_for(sa.make_url(settings.sql_url), None, 1)
    person = {"Authorization": "Bearer a-person"}
    with ExitStack() as opened:
        app = assembly.assemble(settings, opened)
        async with (
            ServiceBusClient.from_connection_string(settings.service_bus_connection, retry_total=0) as queues,
            httpx.AsyncClient(base_url=settings.systems["allegory"].url) as allegory,
            httpx.AsyncClient(base_url=settings.dataverse_url, headers=person) as dataverse,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{broker.admin_port}") as admin,
        ):
            yield House(app, telemetry, queues, allegory, dataverse, admin, state)
        await close(app)
    state.dispose()


@pytest.fixture
async def neighbour(house: House, settings: Settings) -> AsyncIterator[App]:
    """Another instance of the app, on the same state and under the same identities."""
    with ExitStack() as opened:
        app = assembly.assemble(settings, opened)
        yield app
        await close(app)


async def close(app: App) -> None:
    """Give back every connection the app holds."""
    await app.feeds["allegory"].bus.aclose()  # type: ignore[attr-defined]  # the wired bus is the real one
    for far_side in _clients(app):
        await far_side.aclose()


def _clients(app: App) -> list[Any]:
    wired: Any = app.gate.worker.appliers.values()
    inbound, outbound = (noticing.applier for noticing in wired)
    # A system's feed shares the client of its records.
    desk: Any = app.alerts.desk
    records = (over.records._client for over in outbound.records.values())
    return [inbound.rows.client, desk._client, *records]
