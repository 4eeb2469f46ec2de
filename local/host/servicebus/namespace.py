"""Chooses how a namespace is received from."""

from azure.servicebus import parse_connection_string

from local.host.servicebus.amqp.bus import AmqpBus
from local.host.servicebus.port import Bus
from local.host.servicebus.sdk import SdkBus
from local.host.settings import InvalidSettings

RECEIVERS = ("auto", "amqp", "sdk")

_AMQP_PORT = 5672
_THIS_MACHINE = ("127.0.0.1", "localhost")
# Besides a thread for each slot: room for renewals, plain receivers and the closing.
_SPARE_THREADS = 64


def open_bus(connection_string: str, receiver: str, slots: int) -> Bus:
    """A namespace by its connection string. Raises InvalidSettings when that is none.

    `auto` takes the fast receiver for an emulator on this machine, and Microsoft's SDK for everything else.
    """
    try:
        endpoint = parse_connection_string(connection_string).fully_qualified_namespace
    except ValueError as invalid:
        raise InvalidSettings("a Service Bus connection string cannot be read") from invalid
    host, _, port = endpoint.rstrip("/").partition(":")
    emulated = "usedevelopmentemulator=true" in connection_string.lower() and host in _THIS_MACHINE
    if receiver == "amqp" or (receiver == "auto" and emulated):
        return AmqpBus(host, int(port or _AMQP_PORT))
    return SdkBus(connection_string, slots * 2 + _SPARE_THREADS)
