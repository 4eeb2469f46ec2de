"""`tandem drops`: the exports that were dropped, how far each was read, and which records are kept out."""

import argparse
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, paged, pages
from shared.ops.screen import second, table

_MOST = 20
"""How many kept-out records fit on one screen."""


def register(commands: Any) -> None:
    """Add the command."""
    mine = command(commands, "drops", drops, "export drops: how far each was read, and what is kept out")
    pages(mine, "the kept-out record")


def drops(service: Service, asked: argparse.Namespace) -> Answer:
    """The last drops; bad news when a module of a system's newest was stopped."""
    told = service.get("ops/drops", **paged(asked))
    newest = [module for drop in _newest(told["drops"]) for module in drop["modules"]]
    good = all(module["state"] == "absent" or not module["note"] for module in newest)
    return told, screen if asked.after is None else further, good


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


def further(told: Told) -> str:
    """What is kept out behind what was seen already, and nothing else."""
    return "\n".join(_kept_out(told, len(told["kept_out"])))


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


def _kept_out(told: Told, most: int = _MOST) -> list[str]:
    counts: Counter[str] = Counter(told["findings"])
    if not counts:
        return ["No record is kept out."]
    lines = ["Kept out: " + ", ".join(f"{name} {count}" for name, count in counts.most_common())]
    found = told["kept_out"][:most]
    lines += table(
        ("record", "field", "finding", "detail"),
        [
            (
                f"{entry['system']}:{entry['entity']}:{entry['record'] or entry['file']}",
                entry["field"] or "",
                entry["finding"],
                entry["detail"],
            )
            for entry in found
        ],
    )
    if left := len(told["kept_out"]) - len(found) + told["more"]:
        lines.append(f"and {left} more: tandem drops --after {found[-1]['number']}")
    return [*lines, "Correct them in the system; the next drop brings them in."]
