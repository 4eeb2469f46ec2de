"""What is remembered of the records gone by, for the checks between them: keys and little more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shared.core.reading import text
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Export, NameReference, Object
from shared.core.reading.people import same_address
from shared.core.reading.rules import Agrees, Entries, Lines, Members, NotBefore


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: its file and its key."""

    file: str
    record: str


@dataclass(slots=True)
class Index:
    """Memory of an audit. What is kept per record follows from the declarations: nothing else is."""

    export: Export
    keys: dict[str, dict[str, Place]] = field(default_factory=lambda: defaultdict(dict))
    folded: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    names: dict[tuple[str, str], dict[str, list[tuple[str, Any]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    parents: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    addresses: set[str] = field(default_factory=set)
    suspects: dict[tuple[str, FindingCode, str], list[tuple[Place, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    sums: dict[tuple[str, str], dict[str, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    counts: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    words: dict[str, dict[str, frozenset[str]]] = field(default_factory=lambda: defaultdict(dict))
    entries: dict[tuple[str, str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    unread: set[str] = field(default_factory=set)
    _columns: dict[str, set[str]] = field(default_factory=dict)
    _names: dict[str, list[NameReference]] = field(default_factory=dict)
    _lines: dict[str, list[Lines]] = field(default_factory=dict)
    _members: dict[str, list[Members]] = field(default_factory=dict)
    _entries: dict[str, Entries] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out from the declarations which values somebody will ask for."""
        for entry in self.export.objects:
            for rule in entry.rules:
                if isinstance(rule, Agrees | NotBefore):
                    self._columns.setdefault(rule.entity, set()).add(rule.column)
                elif isinstance(rule, Lines):
                    self._lines.setdefault(rule.entity, []).append(rule)
                    self._columns.setdefault(entry.entity, set()).update({rule.total, *rule.by})
                elif isinstance(rule, Members):
                    self._members.setdefault(rule.entity, []).append(rule)
                    self._columns.setdefault(entry.entity, set()).update({rule.count, *rule.by})
                elif isinstance(rule, Entries):
                    self._entries[rule.entity] = rule
            for reference in entry.references:
                if isinstance(reference, NameReference):
                    self._names.setdefault(reference.entity, []).append(reference)

    def add(self, entry: Object, place: Place, values: Mapping[str, Any]) -> None:
        """Remember of a record what others will be compared with."""
        entity = entry.entity
        if columns := self._columns.get(entity):
            self.kept[entity][place.record] = {name: values.get(name) for name in columns}
        self._add_names(entity, place.record, values)
        if entry.people and (address := same_address(values.get(entry.people))):
            self.addresses.add(address)
        for duplicate in entry.duplicates:
            if isinstance(value := values.get(duplicate.field), str) and (same := text.comparable(value)):
                comparable = value.casefold() if duplicate.code is FindingCode.DUPLICATE_EMAIL else same
                self.suspects[duplicate.group, duplicate.code, comparable].append((place, duplicate.field))
        for lines in self._lines.get(entity, ()):
            amount = values.get(lines.amount)
            if amount is not None:
                self.sums[entity, lines.amount][joined(values, lines.by)] += amount
        for members in self._members.get(entity, ()):
            self.counts[entity][joined(values, members.by)] += 1
        self._add_entries(entry, place.record, values)

    def _add_entries(self, entry: Object, record: str, values: Mapping[str, Any]) -> None:
        for rule in entry.rules:
            if isinstance(rule, Entries):
                # Of two records with one key the first is the one that goes over.
                self.words[entry.entity].setdefault(record, frozenset(values.get(rule.field) or ()))
        listing = self._entries.get(entry.entity)
        if listing and isinstance(word := values.get(listing.entry), str):
            kind, key = (str(values.get(name) or "") for name in listing.by)
            self.entries[entry.entity, kind, key].add(word)

    def _add_names(self, entity: str, record: str, values: Mapping[str, Any]) -> None:
        seen: set[tuple[str, str | None]] = set()
        for reference in self._names.get(entity, ()):
            there = reference.within[1] if reference.within else None
            # Two references may look up one column; what they narrow it by is kept with the name.
            if (reference.column, there) in seen or not isinstance(name := values.get(reference.column), str):
                continue
            seen.add((reference.column, there))
            scope = values.get(there) if there else None
            self.names[entity, f"{reference.column}|{there or ''}"][text.comparable(name)].append(
                (record, scope)
            )

    def named(self, reference: NameReference, name: str, scope: Any) -> Iterable[str]:
        """The records of that name, within the scope where one is declared and known."""
        there = reference.within[1] if reference.within else ""
        found = self.names[reference.entity, f"{reference.column}|{there}"].get(text.comparable(name), [])
        if reference.within and scope is not None:
            return [record for record, theirs in found if theirs == scope]
        return [record for record, _ in found]


def joined(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """A key of several parts, as findings show it."""
    return "/".join(str(values.get(name) or "") for name in names)
