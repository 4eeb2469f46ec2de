"""Stands in for the module of the same name: queues are created on the local broker instead of in a
subscription.
"""

import functools
import inspect
import os
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

HOST = "127.0.0.1"
AMQP_PORT = os.environ.get("TANDEM_CONFORMANCE_AMQP_PORT", "0")
ADMIN_PORT = os.environ.get("TANDEM_CONFORMANCE_ADMIN_PORT", "0")

SERVICEBUS_ENDPOINT_SUFFIX = ""

_NAMESPACE = SimpleNamespace(name=f"{HOST}:{AMQP_PORT}")
_KEY_NAME, _KEY = "RootManageSharedAccessKey", "SAS_KEY_VALUE"
_ENDPOINT = f"Endpoint=sb://{HOST}:{AMQP_PORT};SharedAccessKeyName={_KEY_NAME};SharedAccessKey={_KEY}"
_EMULATED = f"{_ENDPOINT};UseDevelopmentEmulator=true;"

_ENTRY = (
    '<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><QueueDescription '
    'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">{}</QueueDescription>'
    "</content></entry>"
)

_PROPERTIES = {
    "lock_duration": "LockDuration",
    "requires_session": "RequiresSession",
    "requires_duplicate_detection": "RequiresDuplicateDetection",
    "dead_lettering_on_message_expiration": "DeadLetteringOnMessageExpiration",
}


def _call(method: str, name: str, body: str = "") -> None:
    url = f"http://{HOST}:{ADMIN_PORT}/{name}?api-version=2021-05"
    request = urllib.request.Request(url, body.encode() or None, method=method)
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # our own broker
        pass


@contextmanager
def _queue(name_prefix: str, options: dict[str, Any]) -> Any:
    name = f"{name_prefix}{uuid.uuid4().hex[:12]}"
    options = {"lock_duration": "PT30S"} | options
    elements = []
    for option, element in _PROPERTIES.items():
        if option in options:
            value = options[option]
            text = value if isinstance(value, str) else str(value).lower()
            elements.append(f"<{element}>{text}</{element}>")
    _call("PUT", name, _ENTRY.format("".join(elements)))
    try:
        yield SimpleNamespace(name=name)
    finally:
        _call("DELETE", name)


def _given(names: dict[str, Any]) -> Callable[[Any], Any]:
    return _decorator(names, lambda: nullcontext(names))


def _decorator(
    names: dict[str, Any], enter: Callable[[], AbstractContextManager[dict[str, Any]]]
) -> Callable[[Any], Any]:
    """Call a test with some arguments, which pytest must not take for fixtures."""

    def decorate(test: Any) -> Any:
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def prepared(*args: Any, **kwargs: Any) -> None:
                with enter() as arguments:
                    await test(*args, **kwargs, **arguments)
        else:

            @functools.wraps(test)
            def prepared(*args: Any, **kwargs: Any) -> None:
                with enter() as arguments:
                    test(*args, **kwargs, **arguments)

        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in names]
        prepared.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return prepared

    return decorate


def ServiceBusQueuePreparer(  # noqa: N802  # the name the tests import
    name_prefix: str = "queue", parameter_name: str = "servicebus_queue", **options: Any
) -> Callable[[Any], Any]:
    """A queue of its own for one test."""

    @contextmanager
    def enter() -> Any:
        with _queue(name_prefix, options) as queue:
            yield {parameter_name: queue}

    return _decorator({parameter_name: None}, enter)


def ServiceBusNamespacePreparer(name_prefix: str = "", **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """The broker."""
    return _given(
        {
            "servicebus_namespace": _NAMESPACE,
            "servicebus_namespace_connection_string": _EMULATED,
            "servicebus_namespace_key_name": _KEY_NAME,
            "servicebus_namespace_primary_key": _KEY,
        }
    )


def ServiceBusResourceGroupPreparer(*args: Any, **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """There are no resource groups here."""
    return lambda test: test


def ServiceBusTopicPreparer(*args: Any, **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """There are no topics here: the tests that use one are in the table of exclusions."""
    return _given({"servicebus_topic": None})


def ServiceBusSubscriptionPreparer(*args: Any, **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """There are no subscriptions here: the tests that use one are in the table of exclusions."""
    return _given({"servicebus_subscription": None})


def ServiceBusNamespaceAuthorizationRulePreparer(*args: Any, **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """Every key opens the broker."""
    return _given({"servicebus_authorization_rule_connection_string": _EMULATED})


def ServiceBusQueueAuthorizationRulePreparer(*args: Any, **options: Any) -> Callable[[Any], Any]:  # noqa: N802
    """Every key opens the broker."""
    return _given({"servicebus_queue_authorization_rule_connection_string": _EMULATED})


CachedServiceBusResourceGroupPreparer = ServiceBusResourceGroupPreparer
CachedServiceBusNamespacePreparer = ServiceBusNamespacePreparer
CachedServiceBusQueuePreparer = ServiceBusQueuePreparer
CachedServiceBusTopicPreparer = ServiceBusTopicPreparer
CachedServiceBusSubscriptionPreparer = ServiceBusSubscriptionPreparer
