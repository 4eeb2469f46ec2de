"""`tandem drops`: the exports that were dropped, how far each was read, and which records are kept out."""

import argparse
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command
from shared.ops.screen import second, table

_MOST = 20
"""How many kept-out records fit on one screen."""


def register(commands: Any) -> None:
    """Add the command."""
    command(commands, "drops", drops, "export drops: how far each was read, and what is kept out")


def drops(service: Service, asked: argparse.Namespace) -> Answer:
    """The last drops; bad news when a module of a system's newest was stopped."""
    del asked
    told = service.get("ops/drops")
    newest = [module for drop in _newest(told["drops"]) for module in drop["modules"]]
    good = all(module["state"] == "absent" or not module["note"] for module in newest)
    return told, screen, good


def screen(told: Told) -> str:
    """The drops, newest first, with the modules of each system's last; then the records that are kept out."""
    if not told["drops"]:
        return "No export drop was seen yet (<SYSTEM>_DROP_URL, DROP_SCHEDULE)."
    lines = table(
        ("system", "drop", "exported", "state", "why"),
        [
            (drop["system"], drop["name"], second(drop["exported_at"], "?"), drop["state"], drop["reason"])
            for drop in told["drops"]
        ],
    )
    for read in _newest(drop for drop in told["drops"] if drop["modules"]):
        lines += ["", f"In {read['system']} {read['name']}", *_modules(read)]
    return "\n".join([*lines, "", *_kept_out(told)])


def _newest(drops: Iterable[Told]) -> list[Told]:
    """Each system's newest drop, of drops newest first."""
    found: dict[str, Told] = {}
    for drop in drops:
        found.setdefault(drop["system"], drop)
    return list(found.values())


def _modules(drop: Told) -> list[str]:
    rows = [
        (
            module["entity"],
            module["state"],
            f"{module['found']}/{'?' if module['listed'] is None else module['listed']}",
            *(str(module[name]) for name in ("created", "updated", "deleted", "unchanged", "kept_out")),
            module["note"],
        )
        for module in drop["modules"]
    ]
    head = ("module", "state", "rows/listed", "new", "changed", "gone", "same", "kept out", "note")
    stopped = [module["entity"] for module in drop["modules"] if module["state"] == "stopped"]
    said = f"STOPPED: {', '.join(stopped)}. Ask for the export again; the other modules went on."
    return [*table(head, rows), *([said] if stopped else [])]


def _kept_out(told: Told) -> list[str]:
    found = told["kept_out"]
    if not found:
        return ["No record is kept out."]
    counts = Counter(entry["finding"] for entry in found)
    lines = ["Kept out: " + ", ".join(f"{name} {count}" for name, count in counts.most_common())]
    lines += table(
        ("record", "field", "finding", "detail"),
        [
            (
                f"{entry['system']}:{entry['entity']}:{entry['record'] or entry['file']}",
                entry["field"] or "",
                entry["finding"],
                entry["detail"],
            )
            for entry in found[:_MOST]
        ],
    )
    if len(found) > _MOST:
        lines.append(f"and {len(found) - _MOST} more: tandem drops --json")
    return [*lines, "Correct them in the system; the next drop brings them in."]
