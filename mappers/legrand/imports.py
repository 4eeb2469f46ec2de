"""How Legrand takes records back: the modules it imports, and its way of answering."""

from mappers.legrand import words
from mappers.legrand.export import COMPANIES, CONTACTS, EXPORT, LEADS, OPPORTUNITIES, TICKETS
from shared.core.imports import Imports
from shared.core.mapping.transforms import Slashes
from shared.core.reading.moments import Clock

IMPORTS = Imports(
    system=words.SYSTEM,
    modules=(COMPANIES, CONTACTS, LEADS, OPPORTUNITIES, TICKETS),
    clock=Clock(words.ZONE, Slashes.DAY_FIRST, typed=True),
    modified=EXPORT.modified,
)
