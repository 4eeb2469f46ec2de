"""`tandem replay`: send one message again; many only by a plan, whose commands are in `plans`."""

import argparse
from typing import Any

from shared.ops.client import Service
from shared.ops.command import Answer, Told, command, family
from shared.ops.commands import plans

ONE = "message"
"""The word that may be left out: `tandem replay <message>` is `tandem replay message <message>`."""


def register(commands: Any) -> None:
    """Add the commands."""
    mine = family(commands, "replay", "send one message again (tandem replay <message>), or many by a plan")
    again = command(mine, ONE, replay, "send one message again, in its own place")
    again.add_argument("message_id", help="the message's id")
    plans.register(mine)


def spelled_out(arguments: list[str]) -> list[str]:
    """The arguments with the word that was left out."""
    known = {ONE, *plans.NAMES}
    if arguments[:1] == ["replay"] and arguments[1:] and arguments[1] not in known:
        return arguments if arguments[1].startswith("-") else ["replay", ONE, *arguments[1:]]
    return arguments


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
