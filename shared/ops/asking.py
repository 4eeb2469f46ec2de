"""One question to the service: read as it was typed, asked, and its answer shown.

Every command takes `--json` for the whole answer. The commands themselves are in `commands`, one module per
noun.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from shared.ops import commands
from shared.ops.client import Declined, Service, Unreachable
from shared.ops.command import Mistyped
from shared.ops.commands.replay import spelled_out
from shared.ops.screen import Unprinted, put
from shared.settings import OperatorSettings

_EPILOG = """\
Where to begin: tandem now, then tandem failures groups. Every code they name has a page in docs/runbooks.
Which service:  the local stack of this folder (make up), or the one that TANDEM_URL and TANDEM_TOKEN name.
Exit status:    0 fine, 1 the answer is bad news, 2 the question could not be put. All but a few take --json.
"""


class Grammar(argparse.ArgumentParser):
    """A parser that knows which word may be left out."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments as they were meant."""
        return super().parse_known_args(spelled_out(list(sys.argv[1:] if args is None else args)), namespace)


def parser(typed: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The grammar of what was typed; plugged-in commands are read where none of ours is meant."""
    top = Grammar(
        prog="tandem",
        description="See, repair and replay what Tandem keeps in step.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = top.add_subparsers(required=True, metavar="command")
    commands.register(known)
    if typed[:1] not in [[name] for name in known.choices]:
        for plugin in entry_points(group="tandem.commands"):
            plugin.load()(known)
    return top


def answered(typed: Sequence[str]) -> int:
    """Ask what was typed; returns the exit status."""
    grammar = parser(typed)
    if not typed:
        grammar.print_help(sys.stderr)
        return 2
    _no_letter_fails()
    asked = grammar.parse_args(typed)
    try:
        return _done(asked)
    except (Unreachable, Mistyped, Declined, Unprinted) as problem:
        print(f"tandem: {problem}", file=sys.stderr)
        return 1 if isinstance(problem, Declined) else 2
    except UnicodeEncodeError:
        # All that is printed has a way: it is an argument, which came in as bytes and was to go out as text.
        print("tandem: what was typed is not all text in this terminal's encoding", file=sys.stderr)
        return 2


def _done(asked: argparse.Namespace) -> int:
    if hasattr(asked, "handler"):
        status: int = asked.handler(asked)
        return status
    service = Service.found(OperatorSettings.from_env())
    told, show, good = asked.ask(service, asked)
    put(json.dumps(told, indent=2, ensure_ascii=False) if asked.json else show(told))
    return 0 if good else 1


def _no_letter_fails() -> None:
    """Let a terminal that lacks a letter show the letter's number instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
