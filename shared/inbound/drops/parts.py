"""The parts of a record, which an export keeps on another sheet: the lines of a quote.

A quote must not be sent to the customer, as Dataverse sees it, before its lines are there. So it says which
lines it has, and is told anew when one is added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.core.reading import record
from shared.core.reading.export import Object
from shared.core.reading.record import Read
from shared.core.reading.source import Row


@dataclass(frozen=True, slots=True)
class PartsOf:
    """The ends of the parts' ids by the id of the whole, and the field in which a record names them."""

    field: str
    ends: Mapping[str, tuple[str, ...]]

    @classmethod
    def counted(cls, field: str, whole: Object, parts: Object, rows: Iterable[Row]) -> "PartsOf":
        """Every part of a sheet whose key is the whole's with one column more.

        One that is kept out itself is not waited for. Memory grows with the number of parts, an id each.
        """
        if parts.key[:-1] != whole.key:
            raise ValueError(f"a {parts.entity} is not told by the key of a {whole.entity} and one column")
        ends: dict[str, tuple[str, ...]] = {}
        for row in rows:
            said = record.read(parts, row)
            if said.id and not said.barred:
                of, _, end = said.id.rpartition("/")
                ends[of] = (*ends.get(of, ()), end)
        return cls(field, ends)

    def named(self, said: Read) -> Read:
        """The same record, with its parts named."""
        return replace(said, data={**said.data, self.field: ",".join(self.ends.get(said.id, ()))})
