"""The `tandem` command: what a person asks of a running service, answered on one screen.

Every command takes `--json` for the whole answer. Exit status: 0 fine, 1 the answer is bad news (a wrong sum,
nothing found, a replay that did not go through), 2 the question could not be put.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from shared.ops import screen
from shared.ops.client import Declined, Service, Unreachable
from shared.settings import OperatorSettings

Answer = tuple[Mapping[str, Any], Callable[[Mapping[str, Any]], str], bool]
"""What was answered, how it is shown, and whether it is good news."""


def now(service: Service, asked: argparse.Namespace) -> Answer:
    """How things stand; bad news when the sum is wrong."""
    del asked
    told = service.now()
    return told, screen.now, bool(told["conserved"])


def failures_list(service: Service, asked: argparse.Namespace) -> Answer:
    """What is failing now."""
    del asked
    return service.failures(), screen.failures, True


def record_show(service: Service, asked: argparse.Namespace) -> Answer:
    """The history of a record."""
    return service.record(asked.id), screen.record, True


def replay(service: Service, asked: argparse.Namespace) -> Answer:
    """Send one message again."""
    told = service.replay(asked.message_id)
    return told, screen.replayed, told["outcome"] not in {"rejected", "failed"}


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; plugged-in commands included."""
    top = argparse.ArgumentParser(
        prog="tandem", description="See, repair and replay what Tandem keeps in step."
    )
    commands = top.add_subparsers(required=True, metavar="command")
    _command(commands, "now", now, "how things stand: messages, lanes, and whether the sum is right")
    failures = commands.add_parser("failures", help="what did not go through").add_subparsers(required=True)
    _command(failures, "list", failures_list, "open failures with their groups, newest first")
    records = commands.add_parser("record", help="one record").add_subparsers(required=True)
    show = _command(records, "show", record_show, "everything that happened to a record")
    show.add_argument("id", help="a row's GUID, system:entity:id, a legacy id, or a message id")
    again = _command(commands, "replay", replay, "send one message again, in its own place")
    again.add_argument("message_id", help="the message's id")
    for plugin in entry_points(group="tandem.commands"):
        plugin.load()(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    asked = parser().parse_args(arguments)
    if hasattr(asked, "handler"):
        status: int = asked.handler(asked)
        return status
    try:
        service = Service.found(OperatorSettings.from_env())
        told, show, good = asked.ask(service, asked)
    except (Unreachable, Declined) as problem:
        print(f"tandem: {problem}", file=sys.stderr)
        return 1 if isinstance(problem, Declined) else 2
    _print(json.dumps(told, indent=2, ensure_ascii=False) if asked.json else show(told))
    return 0 if good else 1


def _print(text: str) -> None:
    """Print; whoever reads only the first lines (`| head`) has not made a mistake."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(
    commands: Any, name: str, ask: Callable[[Service, argparse.Namespace], Answer], about: str
) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    added.add_argument("--json", action="store_true", help="the whole answer as JSON")
    added.set_defaults(ask=ask)
    return added
