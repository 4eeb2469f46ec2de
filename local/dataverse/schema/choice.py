"""A global choice: one list of options that several columns share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GlobalChoice:
    """Options under a name of their own; `id` is its metadata id."""

    name: str
    label: str
    id: str
    options: Mapping[int, str] = field(default_factory=dict)
    custom: bool = True


def options_from(spec: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Options from a list of objects with a value and a label."""
    return {int(option["value"]): str(option["label"]) for option in spec}


def options_spec(options: Mapping[int, str]) -> list[dict[str, Any]]:
    """Options as the list `options_from` reads."""
    return [{"value": value, "label": label} for value, label in options.items()]
