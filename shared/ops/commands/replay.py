"""`tandem replay`: send one message again."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command


def register(commands: Any) -> None:
    """Add the command."""
    again = command(commands, "replay", replay, "send one message again, in its own place")
    again.add_argument("message_id", help="the message's id")


def replay(service: Service, asked: argparse.Namespace) -> Answer:
    """Send one message again."""
    told = service.replay(asked.message_id)
    return told, screen, told["outcome"] not in {"rejected", "failed"}


def screen(told: Told) -> str:
    """What a replay did."""
    words = {
        "queued": "goes on in its lane now",
        "readmit": f"went through the gate again: {told['outcome'] or 'admitted'}",
        "finished": f"had gone through already: {told['outcome']}; nothing was done",
        "purged": "cannot be sent again: its body is no longer kept",
    }
    return f"{told['messageId']}: {words.get(told['done'], told['done'])}"
