"""What every answer on a screen is made of: aligned text for a person who is tired, the worst first."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SECOND = "%Y-%m-%dT%H:%M:%SZ"

_LONGEST = 200
"""Characters of one value on a screen: a letter's whole text would push everything else off it."""


MASKED = "(personal data is masked; equal values look equal)"


class Unprinted(Exception):
    """The answer is there and cannot be printed; the text is the system's reason."""


def put(text: str) -> None:
    """Print an answer; whoever reads only the first lines (`| head`) has not made a mistake."""
    try:
        print(text, flush=True)
    except OSError as error:
        # Python flushes once more at exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise Unprinted(error.strerror) from error


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under their heads, in columns as wide as the widest cell."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def counted(number: int, thing: str) -> str:
    """So many things: `1 message`, `2 messages`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def reached(entry: Mapping[str, Any]) -> str:
    """How soon a change reaches a system, and by what; or that none does."""
    soon = f"{entry['latency']}, by {entry['way']}" if entry["way"] else "nothing is written to it"
    return f"{entry['system']}: {soon}"


def more(told: Mapping[str, Any], how: str) -> list[str]:
    """That a list goes on, and how to see the rest."""
    return [f"and {told['more']} more: {how}"] if told["more"] else []


def value(held: Any) -> str:
    """What a column holds, text between quotes; a long text is cut, and says how long it is."""
    if held is None:
        return "nothing"
    if isinstance(held, str) and len(held) > _LONGEST:
        return f"{held[:_LONGEST]!r}... ({len(held)} characters)"
    return repr(held)


def second(instant: str | None, otherwise: str = "") -> str:
    """An instant of an answer, to the second and in UTC, as it can be typed again."""
    return datetime.fromisoformat(instant).astimezone(UTC).strftime(_SECOND) if instant else otherwise


def lasted(seconds: float | None) -> str:
    """A duration in the largest unit that tells it."""
    if seconds is None:
        return "?"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
