"""Legacy systems without a part of their own in the stack: each gets one, made from its declaration."""

from typing import Final

from mappers import SYSTEMS

OWN_PART: Final = {"allegory", "legrand"}
"""Those that are written down here, with what their declarations do not tell."""

NAMES: Final = tuple(system.name for system in SYSTEMS if system.rest and system.name not in OWN_PART)
