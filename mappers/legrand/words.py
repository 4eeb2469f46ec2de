"""How Legrand writes: its name, its clock, its dates, its labels."""

import datetime as dt

from shared.core.change import Json
from shared.core.mapping import transforms
from shared.core.mapping.spec import Transform
from shared.core.mapping.transforms import Slashes

SYSTEM = "legrand"
ZONE = "Australia/Sydney"
"""The time zone of the Legrand account, in which its sheets are written."""

COMPANY_TYPE = {"Customer": 3, "Partner": 5, "Prospect": 8, "Reseller": 9, "Supplier": 10}
PRIORITY = {"High": 1, "Medium": 2, "Low": 3}


def instant() -> Transform[Json, dt.datetime]:
    """A point in time; the sheets write local time, day first."""
    return transforms.instant(ZONE, Slashes.DAY_FIRST)
