"""Survivorship: whose value a row holds when several records are one customer (C-32).

Pure, and the same whatever the order of arrival: of the values that the systems hold the best one by the
column's rule stands, and of equals the one of the system named first. Between them and Dataverse it is
ownership that decides.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Value
from shared.core.shadow import NEVER, Mark, Moment, Shadow
from shared.core.verdict import Collision


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


@dataclass(frozen=True, slots=True)
class Surviving:
    """What a row is to hold now that another one's records are its own, too.

    `marks` are those of the columns that go to a record that came, `write` what of it the row does not hold
    yet; `lost` are the values of records that came and do not stand.
    """

    marks: Mapping[str, Mark]
    write: Mapping[str, Value]
    lost: tuple[Collision, ...]

    def held_at(self, moment: Moment) -> dict[str, Mark]:
        """The marks, once the row holds their values at a moment."""
        return {
            name: replace(mark, seen={**mark.seen, DATAVERSE: moment}) for name, mark in self.marks.items()
        }


def surviving(
    rules: Survivorship,
    shadow: Shadow,
    came: Mapping[str, Mark],
    who: Collection[str],
    row: Mapping[str, Value],
) -> Surviving:
    """Decide between a row's own records and those that came to it, by a person's word that they are one.

    `shadow` knows of both already, and what came is `apart` there; `came` are the marks that the records of
    the systems `who` brought along, `row` is what the row holds. Here no blank wins, whatever the rule: it is
    no change, but what somebody never knew. What a user has typed meanwhile is left to its own message.
    """
    marks: dict[str, Mark] = {}
    write: dict[str, Value] = {}
    lost: list[Collision] = []
    for column, mark in shadow.marks.items():
        claims = list(_claims(column, mark, came, who, shadow.gone))
        if len(claims) < 2 or mark.disputed or len({str(claim.value) for claim in claims}) < 2:
            continue
        stands = max(claims, key=lambda claim: _rank(rules, rules.of(column), claim))
        if stands.value != mark.value and row.get(column) in (mark.value, stands.value):
            marks[column] = _won(mark, stands)
            if row.get(column) != stands.value:
                write[column] = stands.value
        elif stands.value == mark.value:
            rule = f"survivorship: {rules.of(column)}"
            lost += [
                Collision(column, mark.value, claim.value, mark.value, stands.system, rule)
                for claim in claims
                if claim.system in who and claim.value != mark.value
            ]
    return Surviving(marks, write, tuple(lost))


def _claims(
    column: str, mark: Mark, came: Mapping[str, Mark], who: Collection[str], gone: Mapping[str, datetime]
) -> Iterator[Claim]:
    """What each legacy system says, where it says something."""
    for system in sorted((mark.seen.keys() | mark.apart.keys()) - {DATAVERSE} - gone.keys()):
        value = mark.held_by(system)
        if value in (None, ""):
            continue
        if system in who:
            yield Claim(system, value, came[column].changed_at if column in came else NEVER.at)
        else:
            yield Claim(system, value, NEVER.at if system in mark.apart else mark.changed_at)


def _won(mark: Mark, stands: Claim) -> Mark:
    """The mark of a column that goes to another record: what the others hold is known, and apart."""
    systems = (mark.seen.keys() | mark.apart.keys()) - {DATAVERSE}
    held = {system: mark.held_by(system) for system in systems}
    apart = {system: value for system, value in held.items() if value != stands.value}
    return replace(mark, value=stands.value, changed_at=stands.at, origin=stands.system, apart=apart)


def _rank(rules: Survivorship, rule: Survival, claim: Claim) -> _Rank:
    place = rules.order.index(claim.system) if claim.system in rules.order else len(rules.order)
    filled = claim.value not in (None, "")
    at = claim.at.replace(microsecond=0)
    if rule is Survival.PRIORITY:
        return filled, -place, NEVER.at, 0
    if rule is Survival.LONGEST:
        return filled, len(str(claim.value or "")), at, -place
    return filled or rule is Survival.NEWEST, 0, at, -place
