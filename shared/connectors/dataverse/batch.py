"""Several guarded operations in one request, each with its own condition and its own answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.connectors.dataverse.multipart import Asking, UnreadableBatch, parse, render
from shared.connectors.dataverse.operation import PROTOCOL
from shared.connectors.dataverse.refusal import WHO
from shared.connectors.web.client import WebClient
from shared.core.errors import Unavailable

if TYPE_CHECKING:
    import httpx

ROOT = "/api/data/v9.2/"
"""The path under which the parts of a batch name their rows."""

_HEADERS = {**PROTOCOL, "Prefer": "odata.continue-on-error"}


async def send_batch(client: WebClient, operations: Sequence[Asking]) -> "httpx.Response":
    """The answer to a batch, which `answers` takes apart.

    Raises Unavailable when it was lost, and Throttled while a pause is too long to wait through.
    """
    content_type, content = render(operations, ROOT)
    headers = {**_HEADERS, "Content-Type": content_type}
    return await client.send("POST", "$batch", headers=headers, content=content)


def answers(response: "httpx.Response", operations: int) -> "list[httpx.Response | Unavailable] | None":
    """The answer to each of so many operations, in order; None when the batch was refused as a whole.

    An operation without one is Unavailable: it may have been done, and its condition makes a repeat harmless.
    """
    said = response.headers.get("Content-Type", "")
    # A service that does not go on after an error answers 400, with the parts up to the failed one.
    if not response.is_success and not said.lower().startswith("multipart/mixed"):
        return None
    try:
        parts = parse(said, response.content)
    except UnreadableBatch as unreadable:
        return [
            Unavailable(f"{WHO} answered a batch with something else: {unreadable}")
            for _ in range(operations)
        ]
    if len(parts) > operations:
        parts = ()
    unanswered = operations - len(parts)
    return [
        *(part.response() for part in parts),
        *(Unavailable(f"{WHO} left an operation of a batch unanswered") for _ in range(unanswered)),
    ]
