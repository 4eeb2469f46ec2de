"""A pytest plugin for Microsoft's tests: no TLS, and no test that the table excludes."""

import os
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient


def _without_tls(client: Any) -> None:
    original = client.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it replaces the client's own
        kwargs.setdefault("use_tls", False)
        original(self, *args, **kwargs)

    client.__init__ = __init__


def pytest_configure(config: pytest.Config) -> None:
    """The clients must reach a broker without TLS, which only the connection string can ask for."""
    config.addinivalue_line("markers", "liveTest: theirs")
    config.addinivalue_line("markers", "live_test_only: theirs")
    _without_tls(ServiceBusClient)
    _without_tls(AsyncServiceBusClient)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the table leaves out; with TANDEM_CONFORMANCE_SHORT, what takes long, too."""
    rows = Path(os.environ["TANDEM_CONFORMANCE_TABLE"]).read_text().splitlines()
    table = dict(row.split("\t")[:2] for row in rows if row and not row.startswith("#"))
    unwanted = {"excluded", "long"} if os.environ.get("TANDEM_CONFORMANCE_SHORT") else {"excluded"}
    dropped = [item for item in items if table.get(item.name.partition("[")[0]) in unwanted]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]
    known = {item.name.partition("[")[0] for item in [*items, *dropped]}
    if len({item.path for item in [*items, *dropped]}) == 6 and (stale := set(table) - known):
        raise pytest.UsageError(f"the table names tests that are not there: {', '.join(sorted(stale))}")
