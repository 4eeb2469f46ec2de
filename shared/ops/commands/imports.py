"""`tandem imports`: what is to reach a system that takes files only, and how far each workbook has come."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command
from shared.ops.screen import second, table

_STATES = {
    "queued": "wait for the next workbook",
    "sent": "are in a workbook and not acknowledged",
    "answered": "are acknowledged; their lanes go on",
}


def register(commands: Any) -> None:
    """Add the command."""
    command(commands, "imports", imports, "writes by import: what is pending, and the last workbooks")


def imports(service: Service, asked: argparse.Namespace) -> Answer:
    """The pending writes and the last workbooks; bad news when something is odd about one under way."""
    del asked
    told = service.get("ops/imports")
    good = not any(file["note"] and file["state"] != "acknowledged" for file in told["files"])
    return told, screen, good


def screen(told: Told) -> str:
    """What is pending, then the workbooks, newest first."""
    if not told["files"] and not told["pending"]:
        return "Nothing was handed over by import yet (<SYSTEM>_IMPORT_URL, IMPORT_SCHEDULE)."
    lines = [
        f"{entry['system']} {entry['entity']}: {entry['writes']} {_STATES[entry['state']]}, "
        f"the oldest since {second(entry['since'])} ({entry['latency']})"
        for entry in told["pending"]
    ]
    rows = [
        (
            file["name"],
            str(file["rows"]),
            file["state"],
            second(file["written_at"], "-"),
            second(file["acknowledged_at"], "-"),
            f"written {file['times']} times; {file['note']}" if file["times"] > 1 else file["note"],
        )
        for file in told["files"]
    ]
    head = ("workbook", "rows", "state", "written", "acknowledged", "note")
    return "\n".join([*(lines or ["No write is pending."]), "", *table(head, rows)])
