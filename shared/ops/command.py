"""What makes a command: the words it is called by, what it asks, and how it shows the answer."""

import argparse
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from shared.ops.client import Service

Told = Mapping[str, Any]

Answer: TypeAlias = tuple[Told, Callable[[Told], str], bool]
"""What was answered, how it is shown, and whether it is good news."""

Ask: TypeAlias = Callable[[Service, argparse.Namespace], Answer]


_DIGITS = 18
"""As many as a number of the service's has."""


class Mistyped(Exception):
    """What was typed is no question yet; the text says what is missing or wrong. Nobody was asked."""


def command(commands: Any, name: str, ask: Ask, about: str) -> argparse.ArgumentParser:
    """Add one command to a parser's sub-commands; returns its parser, for arguments of its own."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    added.add_argument("--json", action="store_true", help="the whole answer as JSON")
    added.set_defaults(ask=ask)
    return added


def number(text: str) -> int:
    """The number of a conflict, a case or a plan, as its list shows it."""
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise argparse.ArgumentTypeError("a number, as the list shows it")
    return int(text)


def amount(text: str) -> float:
    """So many of something, in digits; what is too small is the service's to say."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError("a number, such as 20 or 0.5")
    return found


def pages(listing: argparse.ArgumentParser, entry: str) -> None:
    """Let a listing be asked for what comes behind an entry of it."""
    listing.add_argument(
        "--after", type=number, metavar="number", help=f"go on behind {entry} of this number"
    )


def paged(asked: argparse.Namespace) -> dict[str, str]:
    """The part of a list that is asked for, as the routes take it."""
    return {} if asked.after is None else {"after": str(asked.after)}


def why(text: str) -> str:
    """A reason, which is kept with what was done."""
    if not text.strip():
        raise argparse.ArgumentTypeError("say why; it is kept")
    return text


def family(commands: Any, name: str, about: str) -> Any:
    """Add a noun that has commands of its own (`tandem record show`); returns what they are added to."""
    # Without a metavar, a missing or wrong word is answered with the words there are.
    return commands.add_parser(name, help=about, description=about).add_subparsers(required=True)
