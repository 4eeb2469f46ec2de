"""Exports that are dropped into a running stack, and what became of what is in them."""

import json
from pathlib import Path
from typing import Any

import fsspec
import httpx

from tests.acceptance.conftest import Stack, eventually

LISTS = {"allegory": "export_manifest.json", "legrand": "export_log.csv"}


def drop(stack: Stack, system: str, folder: Path, name: str) -> dict[str, Any]:
    """Upload an export, the list last; what operators are told of it once it is read."""
    blobs = fsspec.filesystem("az", connection_string=stack.endpoints["blob"])
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == LISTS[system]):
        blobs.pipe_file(f"{system}-drop/{name}/{path.relative_to(folder)}", path.read_bytes())

    def read() -> dict[str, Any] | None:
        drops: list[dict[str, Any]] = told(stack)["drops"]
        return next(
            (one for one in drops if (one["system"], one["name"], one["state"]) == (system, name, "read")),
            None,
        )

    found = eventually(f"{name} of {system} is read", read, 120)
    settled(stack)
    return found


def told(stack: Stack) -> dict[str, Any]:
    with stack.api() as api:
        found: dict[str, Any] = api.get("ops/drops").raise_for_status().json()
        return found


def settled(stack: Stack) -> None:
    """Wait until everything has an outcome or a place, and no flow has anything left to report."""

    def still() -> bool | None:
        stack.quiet()
        outbox = httpx.get(f"{stack.endpoints['dataverse']['http']}/admin/flows").json()["outbox"]
        return True if not any(outbox.values()) and stack.now()["waiting"] == 0 else None

    eventually("nothing moves any more", still, 60)


def writes(stack: Stack) -> dict[str, int]:
    """What has been written, as each side has counted: the rows of Dataverse, the calls of Allegory."""
    dataverse, allegory = (
        httpx.get(f"{side}/admin/requests").raise_for_status().json()
        for side in (stack.endpoints["dataverse"]["http"], stack.endpoints["allegory"]["rest"])
    )
    rows: dict[str, int] = dataverse["rows_written"]
    calls = sum(entry["count"] for entry in allegory["counts"] if entry["method"] != "GET")
    return {**rows, "in Allegory": calls}


def fates(stack: Stack, system: str) -> dict[str, str]:
    """What became of every record: its message's outcome, or what keeps it out."""
    found = {}
    for message in stack.kept("SELECT * FROM message WHERE source = ? AND queue = 'inbound'", system):
        why = json.loads(message["faults"] or "[]")
        codes = " ".join(dict.fromkeys(str(fault["code"]) for fault in why))
        reason = str(message["reason"] or "")
        waits = reason.partition(" waits for ")[2]
        refused = reason.partition(": ")[0] if message["outcome"] == "failed" else ""
        key = f"{message['entity']}:{message['source_id']}"
        assert key not in found, f"{key} has two messages"
        found[key] = " ".join(filter(None, (message["outcome"], codes or waits or refused)))
    for out in told(stack)["kept_out"]:
        if out["system"] == system:
            key = f"{out['entity']}:{out['record']}"
            before = found.get(key, "")
            found[key] = f"{before}; kept out {out['finding']}".removeprefix("; ")
    return found
