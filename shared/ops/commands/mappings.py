"""`tandem mappings check`: whether the maps fit the organisation, before a record is refused for it."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family
from shared.ops.screen import table


def register(commands: Any) -> None:
    """Add the command and what can be asked of it."""
    parts = family(commands, "mappings", "the maps and the organisation they write to")
    command(parts, "check", check, "whether every column takes what the maps may bring")


def check(service: Service, asked: argparse.Namespace) -> Answer:
    """The misfits; bad news when there are any."""
    del asked
    told = service.get("ops/mappings")
    return told, screen, not told["misfits"]


def screen(told: Told) -> str:
    """One line per column that does not fit, and what to do next."""
    compared = f"{told['columns']} columns of {told['tables']} tables compared"
    if not told["misfits"]:
        return f"{compared}: everything the maps may bring fits."
    rows = [
        (f"{one['table']}.{one['column']}".rstrip("."), one["problem"], ", ".join(one["fields"]))
        for one in told["misfits"]
    ]
    lines = table(("column", "what is wrong", "fields it concerns"), rows)
    lines += [
        "",
        f"{compared}; {len(rows)} do not fit. Records that stay below these limits cross all the same.",
        "Next: change the column in Dataverse, or have the sender keep to its limit.",
    ]
    return "\n".join(lines)
