"""What may be told: a closed list of dimensions, so that a customer's value has no way in."""

from collections.abc import Mapping

DIMENSIONS = frozenset(
    {
        "accepted",
        "answer",
        "attempt",
        "bodies",
        "changed",
        "changes",
        "code",
        "compared",
        "correlation_id",
        "direction",
        "duration_ms",
        "error",
        "field",
        "file",
        "group",
        "healed",
        "identity",
        "job",
        "kind",
        "lanes",
        "map_version",
        "message_id",
        "messages",
        "noticed",
        "outcome",
        "plan",
        "record",
        "refused",
        "rows",
        "run",
        "session_id",
        "skipped",
        "stopped_modules",
        "subject",
        "table",
    }
)
"""Ids, codes, counts and times. A new name is a decision: its values must never be a customer's."""

_LONGEST = 256


class UndeclaredDimension(ValueError):
    """Somebody told a dimension that is not in the closed list."""


def admitted(dimensions: Mapping[str, str], *, strict: bool) -> dict[str, str]:
    """The declared ones of `dimensions`, as text of at most 256 characters.

    `strict` raises UndeclaredDimension for any other; else they are left out and counted as `undeclared`.
    """
    undeclared = sorted(dimensions.keys() - DIMENSIONS)
    if undeclared and strict:
        raise UndeclaredDimension(", ".join(undeclared))
    told = {name: str(value)[:_LONGEST] for name, value in dimensions.items() if name in DIMENSIONS}
    return told | {"undeclared": str(len(undeclared))} if undeclared else told
