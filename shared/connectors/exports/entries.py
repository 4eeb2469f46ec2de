"""Records that have no row of their own: the entries of a column, such as the files an e-mail names."""

from collections.abc import Iterator, Mapping

from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Each, Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Row


def of(entry: Object, each: Each, rows: Iterator[Row], sizes: Mapping[str, int]) -> Iterator[Row]:
    """A row for each entry of each row, once, with the size of the file of that name.

    What is odd about the row itself is told where the row is read for its own sake. One that cannot be read
    stays one without a key: whatever it held may seem to be gone, and is not.
    """
    said = entry.attachments
    for row in rows:
        if row.torn:
            yield row
            continue
        written = str(row.cells.get(each.column) or "")
        for name in dict.fromkeys(part.strip() for part in written.split(each.separator)):
            if not name:
                continue
            size = sizes.get((said.prefix if said else "") + name)
            cells = {**row.cells, each.name: name, each.size: size}
            missing = () if size is not None else (Remark(FindingCode.ATTACHMENT_MISSING, "", each.name),)
            yield Row(row.file, row.line, cells, missing)
