"""One legacy system's records, with its name on what it does not take: a row may be a record of several."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.change import Json
from shared.core.errors import in_system
from shared.core.ports import LegacyRecord, LegacyRecords


@dataclass(frozen=True, slots=True)
class NamedRecords:
    """`LegacyRecords` of a system: a failure says that it was this one's."""

    system: str
    records: LegacyRecords

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        """See `LegacyRecords.read`."""
        with in_system(self.system):
            return await self.records.read(entity, record_id)

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        """See `LegacyRecords.create`."""
        with in_system(self.system):
            return await self.records.create(entity, fields, idempotency_key)

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        """See `LegacyRecords.update`."""
        with in_system(self.system):
            return await self.records.update(entity, record_id, fields, version)

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        """See `LegacyRecords.delete`."""
        with in_system(self.system):
            await self.records.delete(entity, record_id, version)

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        """See `LegacyRecords.merge`."""
        with in_system(self.system):
            await self.records.merge(entity, heir, loser)
