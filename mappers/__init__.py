"""The maps: one folder per system. Adding a legacy system is one folder and one name here."""

from mappers.allegory import ALLEGORY
from mappers.legrand import LEGRAND

SYSTEMS = (ALLEGORY, LEGRAND)
"""Every legacy system Tandem knows; the first that takes rows of a table receives new ones."""
