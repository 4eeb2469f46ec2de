"""The kinds of columns that tell of people: who takes part, and how to reach somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.core.mapping.transforms.parties import addresses
from shared.core.reading import people, text
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Reading, Remark
from shared.core.reading.kinds import Cells


@dataclass(frozen=True, slots=True)
class People:
    """Who took part: addresses and names as a list of JSON, or parted by a sign. Whether each is somebody is
    not judged here, but whether it fits: an address has at most `most` UTF-16 units.
    """

    most: int = 200
    several: ClassVar[bool] = True

    def read(self, value: Any, row: Cells) -> Reading:
        """The entries, one a line."""
        del row
        entries = value if isinstance(value, list) else [value]
        if any(entry is not None and not isinstance(entry, str) for entry in entries):
            return Reading(None, (Remark(FindingCode.PARTICIPANT_UNREADABLE),))
        said = [text.meant(entry, lines=True) for entry in entries if entry]
        remarks = [remark for entry in entries if entry for remark in text.remarks(entry, lines=True)]
        # Of a damaged text nobody can tell where an address ends.
        whole = [name for entry in said if not text.damaged(entry) for name in addresses(entry)]
        remarks += [remark for name in whole for remark in text.too_long(name, self.most)]
        return Reading("\n".join(said) or None, tuple(remarks))


@dataclass(frozen=True, slots=True)
class Email:
    """One e-mail address. What is none keeps its record out, unless the map keeps whatever was written: then
    it is `kept` as it is.
    """

    most: int | None = 100
    kept: bool = False

    def read(self, value: Any, row: Cells) -> Reading:
        """The bare address, its letter case as it is."""
        del row
        said = people.read_address(value)
        if not isinstance(value, str) or not value:
            return said
        remarks = (*text.remarks(value), *text.too_long(value, self.most))
        if said.value is None and self.kept:
            told = [Remark(remark.code, remark.detail, severity=Severity.FLAG) for remark in said.remarks]
            return Reading(text.meant(value) or None, (*told, *remarks))
        return Reading(said.value, (*said.remarks, *remarks))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not text.short(cells, self.most):
            return None
        return cells if people.are_addresses(lines, cells) else None


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number."""

    most: int | None = 50

    def read(self, value: Any, row: Cells) -> Reading:
        """The number as text."""
        del row
        said = people.read_phone(value)
        if not isinstance(value, str) or not value:
            return Reading(said.value, (*said.remarks, *text.too_long(said.value or "", self.most)))
        return Reading(said.value, (*said.remarks, *text.remarks(value), *text.too_long(value, self.most)))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not text.short(cells, self.most):
            return None
        return cells if people.are_phones(lines) else None


@dataclass(frozen=True, slots=True)
class Postcode:
    """A postcode; `country` is the column with its country."""

    country: str
    most: int | None = 20

    def read(self, value: Any, row: Cells) -> Reading:
        """The postcode as text."""
        said = people.read_postcode(value, row.get(self.country))
        if not isinstance(value, str) or not value:
            return Reading(said.value, (*said.remarks, *text.too_long(said.value or "", self.most)))
        return Reading(said.value, (*said.remarks, *text.remarks(value), *text.too_long(value, self.most)))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not text.short(cells, self.most):
            return None
        # A longer one has lost no zero, whatever its country.
        return cells if min(map(len, cells), default=people.LONGEST) >= people.LONGEST else None
