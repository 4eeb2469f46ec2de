"""The kinds of columns that hold words: one of a vocabulary, or several."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.core.reading import text
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Reading, Remark
from shared.core.reading.kinds import Cells, Text, written

_NO_OPTION = "the map has no option for its word: read it in the record, or in the file"
"""What stands in a column of words may be anything, somebody's name among it: it is not told."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of words, letter case aside; `options` are those the map has a target for.

    Another word is told. It keeps its record out, unless the map keeps words of any kind as text: then it is
    `kept`, as long as it has at most `most` UTF-16 units.
    """

    options: Collection[str]
    kept: bool = False
    most: int | None = 100

    def read(self, value: Any, row: Cells) -> Reading:
        """The word as it is written."""
        del row
        word = text.meant(value) if isinstance(value, str) else written(value)
        if not word:
            return Reading()
        if word in self.options or word.casefold() in {option.casefold() for option in self.options}:
            return Reading(word)
        unfit = (*text.damaged(word), *text.too_long(word, self.most))
        if not self.kept:
            return Reading(word, (Remark(FindingCode.CHOICE_NO_TARGET, _NO_OPTION), *unfit))
        told = f"{_NO_OPTION}; kept as text"
        return Reading(word, (Remark(FindingCode.CHOICE_NO_TARGET, told, severity=Severity.FLAG), *unfit))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        words = set(cells)
        return cells if words <= {*self.options} and text.plain([*words], may_act=True) is not None else None


@dataclass(frozen=True, slots=True)
class Tags:
    """Several words in one cell."""

    separator: str
    most: int | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The words, trimmed."""
        if value is not None and not isinstance(value, str):
            return Text(self.most).read(value, row)
        if not value:
            return Reading()
        words = [word.strip() for word in value.split(self.separator) if word.strip()]
        remarks = list(Text(self.most).read(value, row).remarks)
        if len({text.comparable(word) for word in words}) < len(words):
            remarks.append(Remark(FindingCode.TAG_REPEATED))
        if any(text.active(word) for word in words) and all(
            remark.code is not FindingCode.TEXT_LIKE_FORMULA for remark in remarks
        ):
            remarks.append(Remark(FindingCode.TEXT_LIKE_FORMULA))
        return Reading(tuple(words), tuple(remarks))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        readings = {cell: self.read(cell, {}) for cell in set(cells)}
        if any(reading.remarks for reading in readings.values()):
            return None
        return [readings[cell].value for cell in cells]


@dataclass(frozen=True, slots=True)
class Words:
    """Several words as a list of JSON, or one a line."""

    several: ClassVar[bool] = True

    def read(self, value: Any, row: Cells) -> Reading:
        """The words, one a line."""
        del row
        words = value if isinstance(value, list) else str(value).split("\n")
        if any(not isinstance(word, str) for word in words):
            return Reading(
                None, (Remark(FindingCode.FILE_MALFORMED, "not a list of words", None, Severity.HOLD),)
            )
        said = [meant for word in words if (meant := text.meant(word))]
        return Reading("\n".join(said) or None)
