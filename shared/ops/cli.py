"""The `tandem` command: what a person asks of a running service, answered on one screen.

Every command takes `--json` for the whole answer. Exit status: 0 fine, 1 the answer is bad news (a wrong sum,
nothing found, a replay that did not go through), 2 the question could not be put. The commands themselves are
in `commands`, one module per noun.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from shared.ops import commands
from shared.ops.client import Declined, Service, Unreachable
from shared.ops.command import Mistyped
from shared.ops.commands.replay import spelled_out
from shared.settings import OperatorSettings

_EPILOG = """\
Where to begin: tandem now, then tandem failures groups. Every code they name has a page in docs/runbooks.
Which service:  the local stack of this folder (make up), or the one that TANDEM_URL and TANDEM_TOKEN name.
Exit status:    0 fine, 1 the answer is bad news, 2 the question could not be put. All but a few take --json.
"""


class Unprinted(Exception):
    """The answer is there and cannot be printed; the text is the system's reason."""


class Grammar(argparse.ArgumentParser):
    """A parser that knows which word may be left out."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments as they were meant."""
        return super().parse_known_args(spelled_out(list(sys.argv[1:] if args is None else args)), namespace)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; plugged-in commands included."""
    top = Grammar(
        prog="tandem",
        description="See, repair and replay what Tandem keeps in step.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = top.add_subparsers(required=True, metavar="command")
    commands.register(known)
    for plugin in entry_points(group="tandem.commands"):
        plugin.load()(known)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    grammar = parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        grammar.print_help(sys.stderr)
        return 2
    _no_letter_fails()
    asked = grammar.parse_args(arguments)
    try:
        return _done(asked)
    except (Unreachable, Mistyped, Declined, Unprinted) as problem:
        print(f"tandem: {problem}", file=sys.stderr)
        return 1 if isinstance(problem, Declined) else 2
    except UnicodeEncodeError:
        # All that is printed has a way: it is an argument, which came in as bytes and was to go out as text.
        print("tandem: what was typed is not all text in this terminal's encoding", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntandem: left; what the service was asked to do goes on", file=sys.stderr)
        return 130


def _done(asked: argparse.Namespace) -> int:
    if hasattr(asked, "handler"):
        status: int = asked.handler(asked)
        return status
    service = Service.found(OperatorSettings.from_env())
    told, show, good = asked.ask(service, asked)
    _print(json.dumps(told, indent=2, ensure_ascii=False) if asked.json else show(told))
    return 0 if good else 1


def _no_letter_fails() -> None:
    """Let a terminal that lacks a letter show the letter's number instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print(text: str) -> None:
    """Print; whoever reads only the first lines (`| head`) has not made a mistake."""
    try:
        print(text, flush=True)
    except OSError as error:
        # Python flushes once more at exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Unprinted(error.strerror) from error
