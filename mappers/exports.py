"""The declarations of every legacy system's file export, by the system's name."""

from collections.abc import Mapping

from mappers.allegory.export import EXPORT as ALLEGORY
from mappers.legrand.export import EXPORT as LEGRAND
from shared.core.reading.export import Export

EXPORTS: Mapping[str, Export] = {export.system: export for export in (ALLEGORY, LEGRAND)}
"""Kept apart from the maps: an app without export drops need not load what reading one takes."""
