"""A legacy system as Tandem sees it: its name and its maps, in dependency order."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.mapping.spec import EntityMap


@dataclass(frozen=True, slots=True)
class LegacySystem:
    """A legacy CRM: its name on the bus, its maps, and where its records live over REST.

    `collections` names the REST collection of each entity; an entity without one is not written back.
    `latency` is the class of delay to expect (seconds, minutes, hours), `way` what causes it.
    """

    name: str
    maps: tuple[EntityMap, ...]
    collections: Mapping[str, str]
    latency: str = "seconds"
    way: str = "REST"

    @property
    def by_import(self) -> bool:
        """Whether it takes what is written to it from files alone."""
        return self.way == "file"

    def map_of(self, entity: str) -> EntityMap | None:
        """The map of an entity, or None when the system has none."""
        for entry in self.maps:
            if entry.entity == entity:
                return entry
        return None

    def map_to(self, table: str) -> EntityMap | None:
        """The map whose records become rows of `table`, or None."""
        return next((entry for entry in self.maps if entry.table.name == table), None)
