"""`tandem gaps`: what changed without a message, and was told after all."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command
from shared.ops.screen import lasted, second, table


def register(commands: Any) -> None:
    """Add the command."""
    command(commands, "gaps", gaps, "what changed on either side without a message, and was healed")


def gaps(service: Service, asked: argparse.Namespace) -> Answer:
    """The gap detector's last runs; bad news when one was stopped."""
    del asked
    told = service.get("ops/gaps")
    return told, screen, not any(run["stopped_by"] for run in told["runs"])


def screen(told: Told) -> str:
    """The last run per table and entity, what is suspected, and what was healed last."""
    if not told["runs"]:
        return "The gap detector has not run yet (GAP_SCHEDULE)."
    rows = [
        (
            run["name"].removeprefix("gaps-"),
            second(run["ended_at"]),
            str(run["compared"]),
            str(run["noticed"]),
            str(run["healed"]),
            run["stopped_by"] or ("whole" if run["whole"] else "goes on next time"),
        )
        for run in told["runs"]
    ]
    lines = table(("side", "last run", "compared", "noticed", "healed", "how it ended"), rows)
    for entry in told["open"]:
        lines.append(
            f"Suspected: {entry['count']} of {entry['source']}:{entry['entity']} since "
            f"{second(entry['since'])}; told after all if still missing after {lasted(told['grace_seconds'])}"
        )
    if told["healed"]:
        lines += ["", "Healed last (tandem record show <message> tells the rest)"]
        lines += table(
            ("message", "record", "what", "changed", "healed"),
            [
                (
                    gap["message_id"],
                    gap["subject"],
                    gap["operation"],
                    second(gap["changed_at"]),
                    second(gap["healed_at"]),
                )
                for gap in told["healed"]
            ],
        )
    return "\n".join(lines)
