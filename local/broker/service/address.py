"""The names clients give to nodes: `amqps://host:port/queue`, `host/queue` or just `queue`, with or without
a suffix.
"""

from typing import Any

MANAGEMENT = "/$management"


def path_of(address: Any) -> str:
    """The path of a node's address, lower case; empty when the address is none at all."""
    if not isinstance(address, str):
        return ""
    _, scheme, rest = address.rpartition("://")
    path = rest.partition("/")[2] if scheme else rest
    return path.strip("/").lower()
