"""A legacy system as Tandem sees it: its name, its maps in dependency order, and its ways in and out."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.mapping.spec import EntityMap
from shared.core.rest import Rest


@dataclass(frozen=True, slots=True)
class LegacySystem:
    """A legacy CRM: its name on the bus, its maps, and how it is read and written.

    The name is of lower-case letters, digits and underscores; those of its settings follow from it. Every
    system may send. One with a `rest` interface is written to and read over that, one that `drops` exports
    is read by them, and one is written `by_import` that takes what is written to it from files alone.
    `latency` is the class of delay to expect (seconds, minutes, hours).
    """

    name: str
    maps: tuple[EntityMap, ...]
    rest: Rest | None = None
    drops: bool = False
    latency: str = "seconds"
    by_import: bool = False

    @property
    def title(self) -> str:
        """The name as people write it."""
        return self.name.replace("_", " ").title()

    @property
    def interface(self) -> Rest:
        """Its REST interface; raises LookupError where none is declared."""
        if self.rest is None:
            raise LookupError(f"{self.name} declares no REST interface")
        return self.rest

    @property
    def collections(self) -> Mapping[str, str]:
        """The REST collection of each entity that has one."""
        return self.rest.collections if self.rest else {}

    @property
    def way(self) -> str:
        """By what a change reaches it: REST or file; blank where nothing is written to it."""
        if self.by_import:
            return "file"
        return "REST" if self.rest is not None else ""

    def map_of(self, entity: str) -> EntityMap | None:
        """The map of an entity, or None when the system has none."""
        for entry in self.maps:
            if entry.entity == entity:
                return entry
        return None

    def map_to(self, table: str) -> EntityMap | None:
        """The map whose records become rows of `table`, or None."""
        return next((entry for entry in self.maps if entry.table.name == table), None)
