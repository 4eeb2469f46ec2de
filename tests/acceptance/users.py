"""Users of Dataverse, as an administrator makes them."""

from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from tests.acceptance.conftest import Stack


def user_id(address: str) -> str:
    return str(uuid5(NAMESPACE_DNS, address))


def provision(stack: Stack, address: str, **more: Any) -> str:
    """An administrator makes a user, or changes one."""
    first = address.partition(".")[0].title()
    body = {"firstname": first, "lastname": address.partition("@")[0], "internalemailaddress": address}
    with stack.dataverse() as client:
        client.patch(
            f"systemusers({user_id(address)})", json=body | {"domainname": address} | more
        ).raise_for_status()
    return user_id(address)
