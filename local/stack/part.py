"""A part of the stack: one process, when it may start, and how to see that it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """What the supervisor needs to know of a part.

    `health` is the address to ask: status 200 means ready, or any answer at all if `any_answer` is set.
    `after` names the parts that must be ready before this one starts. `environment` is laid over the
    supervisor's own. `prepare` runs before each start, `tend` about once a second while the part is up.
    """

    name: str
    command: tuple[str, ...]
    health: str
    any_answer: bool = False
    after: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    tend: Callable[[], None] | None = None
    address: str = ""
