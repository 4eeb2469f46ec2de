"""AMQPS with the local stack's own authority, and clients that come with a token instead of a key."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.servicebus import ServiceBusClient, ServiceBusMessage, TransportType
from azure.servicebus.aio import ServiceBusClient as AsyncClient
from azure.servicebus.exceptions import ServiceBusError

from local.broker.server import Broker
from local.identity.issuer import Issuer
from local.identity.signing import SigningKey
from local.stack.certificates import Certificates


class LocalCredential:
    """What azure-identity would bring: a token of the local issuer for whatever scope is asked."""

    def __init__(self, state: Path) -> None:
        state.mkdir()
        key = SigningKey.kept_in(state)
        self._issuer = Issuer("https://127.0.0.1:1", key, lambda: datetime.now(UTC))
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.asked += scopes
        token = self._issuer.managed_identity("https://servicebus.azure.net")
        return AccessToken(token, int(datetime.now(UTC).timestamp()) + 3600)


def over_tls(broker: Broker, certificates: Certificates | None) -> dict[str, Any]:
    """How the Python client is told a port of AMQPS that is not 5671, and an authority that is not public."""
    return {
        "custom_endpoint_address": f"sb://127.0.0.1:{broker.amqps_port}",
        "transport_type": TransportType.Amqp,
        "connection_verify": None if certificates is None else str(certificates.authority),
        "retry_total": 0,
    }


def round_trip(client: ServiceBusClient) -> list[str]:
    with client.get_queue_sender("plain") as sender:
        sender.send_messages([ServiceBusMessage("one"), ServiceBusMessage(b"x" * 200_000)])
    with client.get_queue_receiver("plain", max_wait_time=5) as receiver:
        sizes = []
        for message in receiver:
            sizes.append(f"{sum(len(part) for part in message.body)}")
            receiver.complete_message(message)
            if len(sizes) == 2:
                return sizes
    return sizes


def test_the_unmodified_client_works_over_tls(broker: Broker, certificates: Certificates) -> None:
    with ServiceBusClient.from_connection_string(
        broker.tls_connection_string, **over_tls(broker, certificates)
    ) as client:
        assert round_trip(client) == ["3", "200000"]


async def test_the_unmodified_asynchronous_client_works_over_tls(
    broker: Broker, certificates: Certificates
) -> None:
    client = AsyncClient.from_connection_string(
        broker.tls_connection_string, **over_tls(broker, certificates)
    )
    async with client, client.get_queue_sender("plain") as sender:
        await sender.send_messages(ServiceBusMessage("one"))
        async with client.get_queue_receiver("plain") as receiver:
            (message,) = await receiver.receive_messages(1, max_wait_time=5)
            await receiver.complete_message(message)
            assert str(message) == "one"


def test_a_client_that_does_not_trust_the_authority_does_not_connect(broker: Broker) -> None:
    with (
        ServiceBusClient.from_connection_string(
            broker.tls_connection_string, **over_tls(broker, None)
        ) as client,
        pytest.raises(ServiceBusError),
        client.get_queue_sender("plain") as sender,
    ):
        sender.send_messages(ServiceBusMessage("never"))
    assert broker.namespace.queue("plain").counts()["active"] == 0


def test_a_client_with_a_namespace_and_a_token_works_over_tls(
    broker: Broker, certificates: Certificates, tmp_path: Path
) -> None:
    credential = LocalCredential(tmp_path / "identity")
    with ServiceBusClient("localhost", credential, **over_tls(broker, certificates)) as client:
        assert round_trip(client) == ["3", "200000"]
    assert all(scope.startswith("https://servicebus.azure.net/") for scope in credential.asked)
    assert credential.asked


# The client leaves its HTTP session to the garbage collector when the handshake fails.
@pytest.mark.filterwarnings("ignore:Unclosed client session:ResourceWarning")
@pytest.mark.filterwarnings("ignore:.*ClientSession:pytest.PytestUnraisableExceptionWarning")
async def test_amqp_over_websocket_is_refused_with_the_clients_own_error(
    broker: Broker, certificates: Certificates
) -> None:
    options = over_tls(broker, certificates) | {"transport_type": TransportType.AmqpOverWebsocket}
    client = AsyncClient.from_connection_string(broker.tls_connection_string, **options)
    async with client:
        with pytest.raises(ServiceBusError, match="501"):
            await client.get_queue_sender("plain").send_messages(ServiceBusMessage("never"))
