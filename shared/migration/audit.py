"""The audit: everything an export holds that will not go over as it is, found before anything is written.

Reads the records once, in the order in which they depend on each other, and keeps of them what the checks
between records need. A file that cannot be read stops its own object and no other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.reading import inventory
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Export, Object
from shared.core.reading.finding import Finding, Remark
from shared.core.reading.rules import Entries, Lines, Members
from shared.core.reading.source import Opened, Reader, Source, Unreadable
from shared.migration import circles
from shared.migration.attachments import Files
from shared.migration.index import Index, Place, joined
from shared.migration.records import Records, unknown
from shared.migration.users import OwnUsers, Users

_SHOWN = 5


@dataclass(slots=True)
class Audit:
    """One audit of one export.

    `page` reads HTML bodies, `is_html` tells them from text. `counts` holds the records read per object;
    `twins` are other audits that ran before, whose people and companies may be the same as ours.
    """

    export: Export
    source: Source
    users: Users
    page: Reader
    is_html: Callable[[str], bool]
    twins: tuple["Audit", ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    index: Index = field(init=False)

    def __post_init__(self) -> None:
        """Begin with an empty memory."""
        self.index = Index(self.export)

    def run(self) -> Iterator[Finding]:
        """Every finding, files first, then records in the order in which they stand."""
        listed = inventory.read(self.export, self.source)
        for file, remark in inventory.compared(self.export, self.source, listed):
            yield self._finding(file, None, remark)
        if self.export.custom_objects:
            for file, remark in inventory.custom_objects(self.export.custom_objects, self.source):
                yield self._finding(file, None, remark)
        records = Records(self.index, self.users, OwnUsers(), self.page, self.is_html)
        files = Files(self.export, self.source)
        for entry in self.export.objects:
            yield from self._object(entry, records, files, listed)
        yield from self._strangers()
        if self.export.custom_fields:
            for file, remark in inventory.custom_fields(self.export.custom_fields, self.headers, self.source):
                yield self._finding(file, None, remark)
        yield from self._between(records, files)

    def _object(
        self, entry: Object, records: Records, files: Files, listed: inventory.Inventory
    ) -> Iterator[Finding]:
        found = 0
        try:
            opened: Opened = self.source.open(entry)
            self.headers[entry.entity] = opened.header
            for remark in opened.remarks:
                yield self._finding(entry.file, None, remark)
            said = listed.of(entry)
            records.written = said.exported_at if said else None
            for row, odd in records.check(entry, opened.rows):
                found += 1
                for place, remark in odd:
                    yield self._finding(row.file, place, remark)
                if entry.attachments and not row.torn:
                    place = Place(row.file, joined(row.cells, entry.key))
                    for remark in files.check(entry.attachments, place, row):
                        yield self._finding(row.file, place, remark)
        except Unreadable as unreadable:
            self.index.unread.add(entry.entity)
            for remark in unreadable.remarks:
                yield self._finding(entry.file, None, remark)
            return
        self.counts[entry.entity] = found
        none = () if found else (Remark(FindingCode.FILE_NO_ROWS),)
        for remark in (*opened.afterwards(), *none, *inventory.counted(listed, entry, found)):
            yield self._finding(entry.file, None, remark)

    def _strangers(self) -> Iterator[Finding]:
        """The sheets nobody declared, in workbooks that could be read."""
        read = {entry.file for entry in self.export.objects if entry.sheet and entry.entity in self.counts}
        for file in sorted(read):
            declared = {entry.sheet for entry in self.export.objects if entry.file == file}
            for sheet in self.source.sheets(file):
                if sheet not in declared:
                    yield self._finding(
                        file, None, Remark(FindingCode.FILE_SHEET_UNEXPECTED, f"sheet “{sheet}”")
                    )

    def _between(self, records: Records, files: Files) -> Iterator[Finding]:
        """What shows only when every record has gone by."""
        for place, remark in unknown(records.later, self.index):
            yield self._finding(place.file, place, remark)
        yield from self._circles()
        yield from self._totals()
        yield from self._entries()
        yield from self._duplicates()
        for named, file, remark in files.rest():
            yield self._finding(file, named, remark)
        for (entity, name, target), count in records.unchecked.items():
            remark = Remark(FindingCode.REFERENCE_UNCHECKED, f"{count} references to {target}", name)
            yield self._finding(self.export.object_of(entity).file, None, remark)
        for entity, waiting in records.waiting.items():
            yield self._finding(self.export.object_of(entity).file, None, _unmatched(entity, waiting))

    def _circles(self) -> Iterator[Finding]:
        for entity, parents in self.index.parents.items():
            entry = self.export.object_of(entity)
            name = next(
                reference.field for reference in entry.references if getattr(reference, "parent", False)
            )
            found = circles.cycles(parents)
            for circle in found:
                remark = Remark(
                    FindingCode.REFERENCE_CYCLE,
                    f"{len(circle)} records, each the parent of the one before",
                    name,
                )
                yield Finding(self.export.system, entry.file, circle, remark)
            for record, circle in circles.behind(parents, found).items():
                remark = Remark(FindingCode.REFERENCE_CYCLE_CHILD, f"behind the cycle of {circle[0]}", name)
                yield Finding(self.export.system, entry.file, record, remark)

    def _totals(self) -> Iterator[Finding]:
        for entry in self.export.objects:
            rules = [rule for rule in entry.rules if isinstance(rule, Lines | Members)]
            for rule in rules:
                if rule.entity in self.index.unread:
                    continue
                for record, values in self.index.kept[entry.entity].items():
                    for remark in self._total(rule, values):
                        yield self._finding(entry.file, Place(entry.file, record), remark)

    def _total(self, rule: Lines | Members, values: Mapping[str, Any]) -> tuple[Remark, ...]:
        by = joined(values, rule.by)
        if isinstance(rule, Lines):
            return rule.remarks(values[rule.total], self.index.sums[rule.entity, rule.amount].get(by))
        return rule.remarks(values[rule.count], self.index.counts[rule.entity].get(by, 0))

    def _entries(self) -> Iterator[Finding]:
        """The words in a record's own cell, against the records that list them one by one."""
        for entry in self.export.objects:
            for rule in (rule for rule in entry.rules if isinstance(rule, Entries)):
                if rule.entity in self.index.unread:
                    continue
                for record, said in self.index.words[entry.entity].items():
                    listed = self.index.entries.get((rule.entity, rule.kind, record), ())
                    for remark in rule.remarks(said, frozenset(listed)):
                        yield self._finding(entry.file, Place(entry.file, record), remark)

    def _duplicates(self) -> Iterator[Finding]:
        for (group, code, value), places in self.index.suspects.items():
            elsewhere = [
                f"{twin.export.system} {place.file} {place.record}"
                for twin in self.twins
                for place, _ in twin.index.suspects.get((group, code, value), ())
            ]
            if len(places) + len(elsewhere) < 2:
                continue
            for place, name in places:
                others = [
                    other.record if other.file == place.file else f"{other.file} {other.record}"
                    for other, _ in places
                    if other is not place
                ] + elsewhere
                more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
                remark = Remark(code, f"the same in {', '.join(others[:_SHOWN])}{more}", name)
                yield self._finding(place.file, place, remark)

    def _finding(self, file: str, place: Place | None, remark: Remark) -> Finding:
        return Finding(self.export.system, file, place.record if place else None, remark)


def _unmatched(entity: str, waiting: Counter[tuple[FindingCode, str]]) -> Remark:
    """How many records wait for an owner, for which reason and for whom: that user is to be provided."""
    reasons: dict[str, Counter[str]] = {}
    for (code, who), count in waiting.items():
        reasons.setdefault(code.value.partition(".")[2], Counter())[who] += count
    parts = ", ".join(f"{reason} {found.total()}{_whose(found)}" for reason, found in sorted(reasons.items()))
    return Remark(FindingCode.OWNERS_UNMATCHED, f"{waiting.total()} records of {entity}: {parts}")


def _whose(found: Counter[str]) -> str:
    named = [f"{count} of {who}" for who, count in found.most_common(_SHOWN) if who]
    more = [f"{len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return f" ({', '.join((*named, *more))})" if named else ""
