"""Which rows may be one customer: rules over what they hold, and prints by which two meet (C-32, C-29).

A print is a hash of what a rule compares, normalised; values are kept nowhere for it. Two rows with one print
are told to a person with the rule as the reason. Nothing here puts anything together.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from shared.core.change import Change, Direction
from shared.core.mapping.columns import Value
from shared.core.ports import Applier, Hold
from shared.core.reading.people import same_address, without_alias
from shared.core.reading.text import comparable
from shared.core.shadow import Shadow
from shared.core.system import LegacySystem
from shared.core.verdict import Print, Prints, Verdict

Comparable: TypeAlias = Callable[[str], str | None]
"""The form in which two texts are the same; None for one that says nothing."""

_LEGAL_FORMS = frozenset(
    {"ag", "bv", "co", "corp", "gmbh", "inc", "kg", "limited", "llc", "ltd", "plc", "pty", "sa", "sarl", "se"}
)
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?P<host>[^/:?#\s]+)", re.IGNORECASE)
_SHARED_HOSTS = frozenset(
    {"facebook.com", "linkedin.com", "instagram.com", "twitter.com", "x.com", "google.com", "xing.com"}
)
"""Where many companies have their page: it says nothing of which one."""

_ROLES = frozenset(
    {"admin", "billing", "contact", "hello", "help", "info", "mail", "office", "sales", "service", "support"}
)
"""Mailboxes that belong to no single person."""


def words(text: str) -> str | None:
    """A name: letters and digits in one case, without a legal form at its end."""
    found = comparable(text).split()
    while len(found) > 1 and found[-1] in _LEGAL_FORMS:
        found.pop()
    return " ".join(found) or None


def host(text: str) -> str | None:
    """The host of a web address, without `www.`; none where many share one."""
    match = _HOST.match(text.strip())
    name = match["host"].casefold().removeprefix("www.").rstrip(".") if match else ""
    return name if "." in name and name not in _SHARED_HOSTS else None


def mailbox(text: str) -> str | None:
    """An e-mail address in one case, without a label after `+`."""
    address = same_address(text)
    return without_alias(address) if address else None


def own_mailbox(text: str) -> str | None:
    """The same, of one person: not `info@` or `sales@`."""
    address = mailbox(text)
    return None if address is None or address.partition("@")[0] in _ROLES else address


def digits(text: str) -> str | None:
    """A telephone number's last nine digits: country codes and zeros in front are written in many ways."""
    found = re.sub(r"\D", "", text)
    return found[-9:] if len(found) >= 7 else None


@dataclass(frozen=True, slots=True)
class MatchRule:
    """What two rows of a table must have in common.

    `keys` are columns with the form they are compared in, `confidence` is in percent, `says` the reason as
    people read it. A `certain` rule may decide by itself where the policy lets it.
    """

    name: str
    table: str
    keys: tuple[tuple[str, Comparable], ...]
    confidence: int
    says: str
    certain: bool = False

    def digest(self, values: Mapping[str, Value]) -> str | None:
        """The print of a row; None when it lacks what the rule compares."""
        parts: list[str] = []
        for column, form in self.keys:
            value = values.get(column)
            part = form(value) if isinstance(value, str) else None
            if not part:
                return None
            parts.append(part)
        text = "\x1f".join((self.table, self.name, *parts))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Noticing:
    """`Applier` that adds to each verdict what the row can be matched by, once that has changed."""

    applier: Applier
    rules: Sequence[MatchRule]
    systems: Mapping[str, LegacySystem]

    async def apply(self, change: Change, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """See `Applier.apply`."""
        verdict = await self.applier.apply(change, record, shadow, hold)
        table = self._table(change)
        rules = [rule for rule in self.rules if rule.table == table]
        if verdict.shadow is None:
            return verdict
        values = {name: mark.value for name, mark in verdict.shadow.marks.items()}
        before = {name: mark.value for name, mark in shadow.marks.items()}
        if all(rule.digest(values) == rule.digest(before) for rule in rules):
            return verdict
        found = [(rule, digest) for rule in rules if (digest := rule.digest(values)) is not None]
        prints = tuple(
            Print(rule.name, digest, rule.confidence, certain=rule.certain) for rule, digest in found
        )
        return replace(verdict, prints=Prints(table, prints))

    def map_version(self, change: Change) -> str:
        """See `Applier.map_version`."""
        return self.applier.map_version(change)

    async def unit_of(self, change: Change, record: UUID, shadow: Shadow) -> str:
        """See `Applier.unit_of`."""
        return await self.applier.unit_of(change, record, shadow)

    def _table(self, change: Change) -> str:
        if change.direction is Direction.OUTBOUND:
            return change.subject.entity
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        return entry.table.name if entry else ""
