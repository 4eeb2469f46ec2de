"""The order of a replay plan: what goes before what, what is tried first, and what need not go at all.

Pure, and ignorant of messages: records and messages are whatever keys the caller has for them.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


def spread(candidates: Sequence[T], kinds: Sequence[Hashable], count: int) -> list[T]:
    """So many candidates of as many different kinds as there are, each kind in its own order."""
    by_kind: dict[Hashable, deque[T]] = {}
    for candidate, kind in zip(candidates, kinds, strict=True):
        by_kind.setdefault(kind, deque()).append(candidate)
    chosen: list[T] = []
    while by_kind and len(chosen) < count:
        for kind in list(by_kind)[: count - len(chosen)]:
            chosen.append(by_kind[kind].popleft())
            if not by_kind[kind]:
                del by_kind[kind]
    return chosen


K = TypeVar("K", bound=Hashable)


def levels(needs: Mapping[K, Iterable[K]]) -> dict[K, int]:
    """How deep each record hangs: 0 for one that needs no other of the plan, else one more than the deepest.

    Records that need each other in a circle all get the level of the shallowest way into it: one of them has
    to go first, and parking settles the rest.
    """
    found: dict[K, int] = {}
    for start in needs:
        stack = [(start, iter(needs[start]))]
        under_way = {start}
        deepest = {start: 0}
        while stack:
            record, rest = stack[-1]
            needed = next(rest, None)
            if needed is None:
                stack.pop()
                under_way.discard(record)
                found.setdefault(record, deepest[record])
                if stack:
                    above = stack[-1][0]
                    deepest[above] = max(deepest[above], found[record] + 1)
            elif needed in found:
                deepest[record] = max(deepest[record], found[needed] + 1)
            elif needed in needs and needed not in under_way:
                stack.append((needed, iter(needs[needed])))
                under_way.add(needed)
                deepest[needed] = 0
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What a message says, as far as collapsing needs it: of which record, which columns, of what kind it is.

    `is_plain` is False for what is no set of columns that can be covered: a delete, a merge, a person's
    decision, or a message to be completed by reading. `once` are the values of columns that are taken on
    create alone.
    """

    key: int
    subject: str
    columns: frozenset[str]
    is_plain: bool
    once: Mapping[str, Hashable]


def covered(messages: Sequence[Told]) -> dict[int, int]:
    """Messages of one lane, in order, that a later one makes needless: their key and that one's key.

    It has to be about the same record of the same system, with nothing about another one, no delete, no merge
    and nothing incomplete in between, name every column of the earlier one, and agree with it in what is
    taken on create alone. Then each column ends with the same value whether the earlier one was applied or
    not, provided that the later one goes through; the driver puts the earlier one back where it does not.
    """
    found: dict[int, int] = {}
    for place, message in enumerate(messages):
        if not message.is_plain:
            continue
        for later in messages[place + 1 :]:
            if later.subject != message.subject or not later.is_plain:
                break
            if message.columns <= later.columns and all(
                later.once.get(column) == value for column, value in message.once.items()
            ):
                found[message.key] = later.key
    return found
