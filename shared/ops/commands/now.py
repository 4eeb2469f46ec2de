"""`tandem now`: how things stand, on one screen."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command


def register(commands: Any) -> None:
    """Add the command."""
    command(commands, "now", now, "how things stand: messages, lanes, and whether the sum is right")


def now(service: Service, asked: argparse.Namespace) -> Answer:
    """How things stand; bad news when the sum is wrong."""
    del asked
    told = service.now()
    return told, screen, bool(told["conserved"])


def screen(told: Told) -> str:
    """How things stand."""
    lines = [
        "Every message has one outcome or a place in a lane." if told["conserved"] else "THE SUM IS WRONG:"
    ]
    for direction, outcomes in told["messages"].items():
        parts = "  ".join(f"{name} {count}" for name, count in sorted(outcomes.items())) or "nothing yet"
        lines.append(f"  {direction:<9} received {told['received'][direction]:>5}  =  {parts}")
    if not told["conserved"]:
        lines.append(f"  {told['unexplained']} messages have neither outcome nor place, or both")
    lines.append(
        f"Lanes open {told['lanes_open']}, held {told['lanes_held']}; "
        f"waiting for their turn {told['waiting']}, behind a failure {told['behind']}; "
        f"conflicts kept {told['conflicts']}"
    )
    return "\n".join(lines)
