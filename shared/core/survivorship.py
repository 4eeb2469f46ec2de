"""Survivorship: whose value a row holds when several records are one customer (C-32).

Pure, and the same whatever the order of arrival: of the values that the systems hold the best one by the
column's rule stands, and of equals the one of the system named first. Between them and Dataverse it is
ownership that decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Value
from shared.core.shadow import NEVER, Mark


class Survival(StrEnum):
    """Which of several systems' values a column holds."""

    NEWEST = "newest"
    """The one changed last."""
    PRIORITY = "priority"
    """That of the system named first, unless it is blank."""
    LONGEST = "longest"
    """The longest text; of two as long, the newer."""
    FILLED = "filled"
    """The newest one that is not blank."""


@dataclass(frozen=True, slots=True)
class Survivorship:
    """The rules of one table: `order` ranks the systems, `columns` names the rules, `default` the others'."""

    order: tuple[str, ...] = ()
    columns: Mapping[str, Survival] = field(default_factory=dict)
    default: Survival = Survival.NEWEST

    def of(self, column: str) -> Survival:
        """The rule of a column."""
        return self.columns.get(column, self.default)


NEWEST = Survivorship()
"""The newest value of every column."""

_Rank: TypeAlias = tuple[bool, int, datetime, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """A system's value, and when it became that; an old value that lost before counts as never."""

    system: str
    value: Value
    at: datetime


def others(mark: Mark, ours: str, gone: Mapping[str, datetime]) -> tuple[str, ...]:
    """The other legacy systems that hold the column, in alphabetical order."""
    return tuple(sorted(mark.seen.keys() - {DATAVERSE, ours} - gone.keys()))


def best(rules: Survivorship, column: str, mark: Mark, ours: Claim, sharing: tuple[str, ...]) -> Claim:
    """The claim that stands once `ours` is heard.

    The row's own value counts as that of the others who hold it. Where no other does, it was ours, or a
    user's in Dataverse, and ours has taken its place.
    """
    rule = rules.of(column)
    claims = [ours]
    for system in sharing:
        apart = system in mark.apart
        claims.append(Claim(system, mark.held_by(system), NEVER.at if apart else mark.changed_at))
    return max(claims, key=lambda claim: _rank(rules, rule, claim))


def _rank(rules: Survivorship, rule: Survival, claim: Claim) -> _Rank:
    place = rules.order.index(claim.system) if claim.system in rules.order else len(rules.order)
    filled = claim.value not in (None, "")
    at = claim.at.replace(microsecond=0)
    if rule is Survival.PRIORITY:
        return filled, -place, NEVER.at, 0
    if rule is Survival.LONGEST:
        return filled, len(str(claim.value or "")), at, -place
    return filled or rule is Survival.NEWEST, 0, at, -place
