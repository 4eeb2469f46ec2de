"""The texts that the cells of a workbook share: a cell holds the number of its text in one long table."""

import re
from array import array

from shared.connectors.exports.pieces import NotPlain

_ITEM = re.compile(rb"<si[\s/>]")
_END = b"</sst>"
_DECLARATION = b"<!"
_TYPE = b't="s"'
_CELL = re.compile(rb't="s"><v>(\d+)<')


def are_in(sheet: bytes) -> bool:
    """Whether cells of a sheet hold numbers of shared texts."""
    return _TYPE in sheet


class SharedTexts:
    """The table, held once; raises NotPlain for one that cannot be cut into its items."""

    def __init__(self, xml: bytes) -> None:
        self._xml = xml
        self._starts = array("Q", (item.start() for item in _ITEM.finditer(xml)))
        if _DECLARATION in xml or not self._starts or (end := xml.rfind(_END)) < 0:
            raise NotPlain
        self._head = xml[: self._starts[0]]
        self._starts.append(end)

    def used(self, sheet: bytes) -> tuple[bytes, bytes]:
        """A sheet whose cells count in a table of just the texts it uses, and that table."""
        between = _CELL.split(sheet)
        numbers = between[1::2]
        if len(numbers) != sheet.count(_TYPE):
            raise NotPlain
        own = {number: b't="s"><v>%d<' % place for place, number in enumerate(dict.fromkeys(numbers))}
        between[1::2] = [own[number] for number in numbers]
        items = [self._item(int(number)) for number in own]
        return b"".join(between), b"".join((self._head, *items, _END))

    def _item(self, number: int) -> bytes:
        if number + 1 >= len(self._starts):
            raise NotPlain
        return self._xml[self._starts[number] : self._starts[number + 1]]
