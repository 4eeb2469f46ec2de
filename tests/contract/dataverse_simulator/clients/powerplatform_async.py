"""Drives the asyncio side of Microsoft's Python SDK for Dataverse; prints what it saw as JSON.

Run by the interpreter of the client's own environment: `python powerplatform_async.py <url>`.
"""

# ruff: noqa: PLC0415, T201 - the client exists only in the environment this script runs in; it answers on stdout
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self


class Token:
    """A credential that never changes."""

    async def get_token(self, *_scopes: str, **_options: object) -> SimpleNamespace:
        return SimpleNamespace(token="opaque", expires_on=int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_details: object) -> None:
        pass


async def drive(client: Any) -> dict[str, Any]:
    from PowerPlatform.Dataverse.core.errors import HttpError  # type: ignore[import-not-found]

    one = await client.records.create("account", {"name": "One", "industrycode": "Accounting"})
    many = await client.records.create("account", [{"name": f"Many {number}"} for number in range(3)])
    await client.records.update("account", many, {"telephone1": "3"})
    await client.records.upsert(
        "account", [{"alternate_key": {"tandem_sourcekey": "A-1"}, "record": {"name": "Keyed"}}]
    )
    together = await asyncio.gather(
        *(client.records.create("contact", {"lastname": f"T{number}"}) for number in range(20))
    )
    listed = await client.records.list(
        "account", filter="telephone1 eq '3'", select=["name"], orderby=["name"]
    )
    read = await client.records.retrieve("account", one, select=["industrycode"])
    work = client.batch.new()
    work.records.create("account", {"name": "Batch"})
    work.records.create("account", {"name": "x" * 200})
    batch = await work.execute(continue_on_error=True)
    await client.records.delete("account", many[0])
    try:
        await client.records.create("account", {"name": "x" * 200})
        refused: list[Any] = []
    except HttpError as wrong:
        refused = [wrong.status_code, wrong.details.get("service_error_code")]
    table = await client.tables.create("new_Gadget", {"new_Size": "int"})
    await client.tables.delete("new_Gadget")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(b"hello")
        await client.files.upload("account", one, "new_Document", str(path), mode="small")
    return {
        "together": len(set(together)),
        "listed": [row["name"] for row in listed],
        "read": read["industrycode"],
        "batch": [len(batch.succeeded), [part.status_code for part in batch.failed]],
        "refused": refused,
        "set": table["entity_set_name"],
        "file": one,
    }


async def main() -> None:
    from PowerPlatform.Dataverse.aio.async_client import (  # type: ignore[import-not-found]
        AsyncDataverseClient,
    )

    async with AsyncDataverseClient(sys.argv[1], Token()) as client:
        print(json.dumps(await drive(client)))


if __name__ == "__main__":
    asyncio.run(main())
