"""The maps: one folder per system. Adding a legacy system is one folder and one name here."""

from dataclasses import replace

from mappers.allegory import ALLEGORY
from mappers.allegory.profiles import SEED as ALLEGORY_SEED
from mappers.legrand import LEGRAND
from mappers.legrand.activities import SEED as LEGRAND_SEED
from shared.core.system import LegacySystem

SYSTEMS = (ALLEGORY, LEGRAND)
"""Every legacy system Tandem knows; the first that takes rows of a table receives new ones."""


def systems(profile: str) -> tuple[LegacySystem, ...]:
    """The systems of an activity profile: `native`, or `seed` with activities as tasks."""
    if profile != "seed":
        return SYSTEMS
    instead = {
        (system.name, entry.entity): entry
        for system, entries in ((ALLEGORY, ALLEGORY_SEED), (LEGRAND, LEGRAND_SEED))
        for entry in entries
    }
    return tuple(
        replace(system, maps=tuple(instead.get((system.name, entry.entity), entry) for entry in system.maps))
        for system in SYSTEMS
    )
