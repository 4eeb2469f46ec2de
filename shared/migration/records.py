"""What is checked of one record while it goes by: its cells, its key, its owner, what it points at."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.core.mapping.transforms.mail import is_mail
from shared.core.reading import cells, text
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.export import (
    Column,
    KindReference,
    NameReference,
    Object,
    Owner,
    OwnerBy,
    Participants,
    Reference,
)
from shared.core.reading.finding import Remark
from shared.core.reading.kinds import Html
from shared.core.reading.people import same_address
from shared.core.reading.rules import Agrees, Never, NotBefore, Order, Past, Product, Sum
from shared.core.reading.source import Page, Reader, Row
from shared.migration.index import Index, Place, joined
from shared.migration.users import UNUSABLE, OwnUsers, Users, tallied

_MANY = 50


@dataclass(slots=True)
class Later:
    """A reference into records that have not gone by yet."""

    place: Place
    field: str
    entity: str
    key: str
    parent: bool


@dataclass(slots=True)
class Records:
    """The checks of single records, with what they share. `written` is when the file at hand was exported."""

    index: Index
    users: Users
    own: OwnUsers
    page: Reader
    is_html: Any
    written: datetime | None = None
    later: list[Later] = field(default_factory=list)
    unchecked: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    waiting: dict[str, Counter[tuple[FindingCode, str]]] = field(default_factory=dict)

    def check(
        self, entry: Object, rows: Iterable[Row]
    ) -> Iterator[tuple[Row, Iterator[tuple[Place | None, Remark]]]]:
        """Every row with all that is odd about its record, which is remembered for those behind it."""
        for typed in cells.read(entry, rows, self._body):
            yield typed.row, self._record(entry, typed)

    def _record(self, entry: Object, typed: cells.Typed) -> Iterator[tuple[Place | None, Remark]]:
        row, values, remarks = typed.row, typed.values, typed.remarks
        if row.torn and entry.each:
            # Told where the row is read for its own sake.
            return
        key = joined(values, entry.key)
        place = Place(row.file, key) if key.strip("/") else None
        if place is None:
            yield None, Remark(FindingCode.KEY_BLANK, f"line {row.line}", entry.key[0])
            return
        for remark in (*row.remarks, *remarks):
            yield place, remark
        seen, folded = self.index.keys[entry.entity], self.index.folded[entry.entity]
        if key in seen:
            yield place, Remark(FindingCode.KEY_REPEATED, f"line {row.line}", entry.key[0])
        elif key.casefold() in folded:
            # An alternate key of Dataverse does not tell letter case apart.
            detail = f"line {row.line}: differs in letter case alone"
            yield place, Remark(FindingCode.KEY_REPEATED, detail, entry.key[0])
        seen.setdefault(key, place)
        folded.add(key.casefold())
        if row.torn:
            return
        for remark in (*self._rules(entry, values), *self._owners(entry, values)):
            yield place, remark
        for remark in (*self._references(entry, place, values), *self._participants(entry, row)):
            yield place, remark
        self.index.add(entry, place, values)
        if entry.entity == self.index.export.directory.entity:
            directory = self.index.export.directory
            active = str(values.get(directory.active) or "").casefold() in directory.active_words
            self.own.add(key, values.get(directory.name), values.get(directory.email), active=active)

    def _body(self, column: Column, body: Any, row: Row) -> tuple[Remark, ...]:
        """What is odd about a body of HTML, beyond its characters."""
        kind = column.kind
        if not isinstance(kind, Html) or body is None:
            return ()
        remarks: list[Remark] = []
        if is_mail(body):
            return (Remark(FindingCode.BODY_MIME),)
        page = self.page(body) if self.is_html(body) else Page(body)
        remarks += page.remarks
        remarks += text.too_long(page.text, kind.most)
        if kind.text is not None and not str(row.cells.get(kind.text) or "").strip():
            remarks.append(Remark(FindingCode.HTML_WITHOUT_TEXT))
        return tuple(remarks)

    def _rules(self, entry: Object, values: dict[str, Any]) -> Iterator[Remark]:
        for rule in entry.rules:
            if isinstance(rule, Never | Order | Product | Sum):
                yield from rule.remarks(values)
            elif isinstance(rule, Past):
                yield from rule.remarks(values, self.written)
            elif isinstance(rule, Agrees | NotBefore):
                there = self.index.kept[rule.entity].get(values.get(rule.through) or "")
                if there is not None:
                    yield from rule.remarks(values, there)

    def _owners(self, entry: Object, values: dict[str, Any]) -> Iterator[Remark]:
        for owner in entry.owners:
            remarks = self._owner(owner, values.get(owner.field))
            for remark in remarks:
                # Who wrote a comment or stored a file is told, and keeps nothing waiting.
                milder = Severity.FLAG if remark.code in UNUSABLE and not owner.required else remark.severity
                yield Remark(remark.code, remark.detail, owner.field, milder)
            if owner.required and (why := tallied(remarks)):
                self.waiting.setdefault(entry.entity, Counter())[why.code, why.detail.partition(":")[0]] += 1

    def _owner(self, owner: Owner, said: Any) -> tuple[Remark, ...]:
        if said is None:
            return (Remark(FindingCode.OWNER_BLANK),) if owner.required else ()
        address = str(said)
        if owner.by is OwnerBy.NAME:
            addresses = self.own.named(address)
            if len(addresses) > 1:
                return (
                    Remark(
                        FindingCode.OWNER_AMBIGUOUS, f"{len(addresses)} users of the export have the name"
                    ),
                )
            if not addresses:
                return (Remark(FindingCode.OWNER_UNKNOWN, self.own.told(None)),)
            (address,) = addresses
        left = (Remark(FindingCode.OWNER_LEFT),) if same_address(address) in self.own.left else ()
        who = self.own.told(address)
        return tuple(
            replace(remark, detail=": ".join(filter(None, (who, remark.detail))))
            for remark in (*left, *self.users.owner(address))
        )

    def _references(self, entry: Object, place: Place, values: dict[str, Any]) -> Iterator[Remark]:
        for reference in entry.references:
            said = values.get(reference.field)
            if isinstance(reference, NameReference):
                yield from self._named(entry, reference, said, values)
            elif said is None:
                if isinstance(reference, Reference) and reference.placeholder:
                    yield Remark(FindingCode.REFERENCE_BLANK, f"no {reference.entity}", reference.field)
            elif isinstance(reference, KindReference):
                kind = values.get(reference.kind)
                entity = reference.entity_of(kind)
                if entity is None:
                    yield Remark(FindingCode.REFERENCE_UNKNOWN_KIND, "", reference.kind)
                else:
                    yield from self._pointed(entry, place, reference.field, entity, said)
            else:
                whole = joined(values, (reference.field, *reference.also))
                keys = whole.split(reference.separator) if reference.separator else [whole]
                for key in dict.fromkeys(part.strip() for part in keys if part.strip()):
                    yield from self._pointed(
                        entry, place, reference.field, reference.entity, key, parent=reference.parent
                    )

    def _pointed(
        self, entry: Object, place: Place, name: str, entity: str, key: str, *, parent: bool = False
    ) -> Iterator[Remark]:
        if entity in self.index.unread:
            self.unchecked[entry.entity, name, entity] += 1
        elif entity == entry.entity:
            self.later.append(Later(place, name, entity, key, parent))
            if parent:
                self.index.parents[entity].setdefault(place.record, key)
        elif key not in self.index.keys[entity]:
            yield Remark(FindingCode.REFERENCE_DANGLING, f"no such {entity}", name)

    def _named(
        self, entry: Object, reference: NameReference, said: Any, values: dict[str, Any]
    ) -> Iterator[Remark]:
        if said is None or (reference.unless and values.get(reference.unless) is not None):
            return
        if reference.entity in self.index.unread:
            self.unchecked[entry.entity, reference.field, reference.entity] += 1
            return
        scope = values.get(reference.within[0]) if reference.within else None
        found = list(self.index.named(reference, str(said), scope))
        if not found:
            elsewhere = (
                "" if scope is None else f" with the same {reference.within[0]}" if reference.within else ""
            )
            detail = f"no {reference.entity}{elsewhere} has this name"
            yield Remark(FindingCode.REFERENCE_NAME_UNKNOWN, detail, reference.field)
        elif len(found) > 1:
            detail = f"{len(found)} records of {reference.entity} have this name"
            yield Remark(FindingCode.REFERENCE_NAME_AMBIGUOUS, detail, reference.field)

    def _participants(self, entry: Object, row: Row) -> Iterator[Remark]:
        for column in entry.participants:
            for remark in self._party(column, row.cells.get(column.field)):
                yield Remark(remark.code, remark.detail, column.field)

    def _party(self, column: Participants, said: Any) -> Iterator[Remark]:
        parts = said if isinstance(said, list) else str(said or "").split(column.separator)
        names = [str(part).strip() for part in parts if str(part).strip()]
        if not names:
            if column.expected:
                yield Remark(FindingCode.PARTICIPANT_MISSING)
            return
        addresses = [same_address(name) for name in names]
        unresolved = sum(1 for address in addresses if address is None or not self._known(address))
        # Where the people themselves could not be read, nobody would be found.
        if unresolved and not self.index.unread:
            yield Remark(FindingCode.PARTICIPANT_UNRESOLVED, f"{unresolved} of {len(names)}")
        if len(set(addresses) - {None}) < len([address for address in addresses if address]):
            yield Remark(FindingCode.PARTICIPANT_REPEATED)
        if len(names) > _MANY:
            yield Remark(FindingCode.PARTICIPANT_MANY, f"{len(names)}")

    def _known(self, address: str) -> bool:
        return address in self.index.addresses or self.users.knows(address)


def unknown(found: Iterable[Later], index: Index) -> Iterator[tuple[Place, Remark]]:
    """The references that point at nothing once every record has gone by."""
    for reference in found:
        if reference.key not in index.keys[reference.entity]:
            yield (
                reference.place,
                Remark(FindingCode.REFERENCE_DANGLING, f"no such {reference.entity}", reference.field),
            )
