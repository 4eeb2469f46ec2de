"""`MarketingLists` without Dataverse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.connectors.memory.dataverse import MemoryRows
from shared.core.codes import Code
from shared.core.errors import Refused
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import Membership


@dataclass(slots=True)
class MemoryLists:
    """A twin of the lists beside the tables: `lists` by id, with the kind of row in each and their campaign;
    `members` by list.
    """

    rows: MemoryRows
    lists: dict[UUID, Mapping[str, object]] = field(default_factory=dict)
    members: dict[UUID, set[RowRef]] = field(default_factory=dict)

    async def join(self, place: Membership) -> None:
        """See `MarketingLists.join`."""
        self.rows.trouble.strike()
        for row in (RowRef("campaign", place.campaign), place.member):
            if row.id not in self.rows.of(row.table):
                raise Refused(
                    "the row this points at does not exist",
                    answer="0x80040217",
                    code=Code.VALUE_UNKNOWN_REFERENCE,
                )
        made = {"listname": place.name, "kind": place.member.table, "campaign": place.campaign}
        self.lists.setdefault(place.list_id, made)
        self.members.setdefault(place.list_id, set()).add(place.member)

    async def leave(self, place: Membership) -> None:
        """See `MarketingLists.leave`."""
        self.rows.trouble.strike()
        self.members.get(place.list_id, set()).discard(place.member)
