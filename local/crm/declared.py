"""A stand-in made from what a system declares and maps, for systems that have no file of their own here."""

from local.crm.declaration import Collection, System
from shared.core.mapping.spec import EntityMap
from shared.core.rest import Rest
from shared.core.system import LegacySystem


def declared(system: LegacySystem) -> System:
    """The system over REST: each of its collections, with every field that its map knows.

    What names other records is left alone when two are merged.
    """
    rest = system.interface
    written = [entry for entry in system.maps if entry.entity in rest.collections]
    return System(
        name=system.title,
        collections=tuple(_collection(entry, rest) for entry in written),
        default_time_zone="UTC",
        date_format="ISO-8601",
        rest=rest,
    )


def _collection(entry: EntityMap, rest: Rest) -> Collection:
    fields = (entry.key, *(line.legacy for line in entry.fields), *(line.legacy for line in entry.dropped))
    more = (entry.row_id,) if entry.row_id else ()
    return Collection(
        name=rest.collections[entry.entity],
        entity=entry.entity,
        key=entry.key,
        new_id=lambda count, _random: f"{entry.entity[0].upper()}-{count + 1}",
        columns=tuple(dict.fromkeys((*fields, *more, rest.changed))),
        updated=rest.changed,
    )
