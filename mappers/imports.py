"""The declarations of every legacy system's imports, by the system's name."""

from collections.abc import Mapping

from mappers.legrand.imports import IMPORTS as LEGRAND
from shared.core.imports import Imports

IMPORTS: Mapping[str, Imports] = {imports.system: imports for imports in (LEGRAND,)}
"""Kept apart from the maps, as the exports are."""
