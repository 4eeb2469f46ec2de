"""How Legrand writes: its name, its clock, its dates, its labels."""

import datetime as dt

from shared.core.change import Json
from shared.core.mapping import transforms
from shared.core.mapping.columns import Reference
from shared.core.mapping.spec import Transform
from shared.core.mapping.transforms import Slashes

SYSTEM = "legrand"
ZONE = "Australia/Sydney"
"""The time zone of the Legrand account, in which its sheets are written."""

COMPANY_TYPE = {"Customer": 3, "Partner": 5, "Prospect": 8, "Reseller": 9, "Supplier": 10}
PRIORITY = {"High": 1, "Medium": 2, "Low": 3}
ROLE = {"Decision maker": 1, "Influencer": 3}
LEAD_SOURCE = {"Advertisement": 1, "Referral": 3, "Trade Show": 7, "Web Capture": 8, "Phone In": 10}
LEAD_STATUS = {"New": (1,), "Contacted": (2,), "Qualified": (3,), "Unqualified": (6, 4, 5, 7)}
OPPORTUNITY_STATUS = {"Open": (1, 2), "Closed-Won": (3,), "Closed-Lost": (5, 4)}
"""Dataverse tells On Hold from In Progress, and Canceled from Out-Sold; Legrand does not."""


def date() -> Transform[Json, dt.date]:
    """A day; the sheets write days first."""
    return transforms.date(Slashes.DAY_FIRST)


def instant() -> Transform[Json, dt.datetime]:
    """A point in time; the sheets write local time, day first."""
    return transforms.instant(ZONE, Slashes.DAY_FIRST)


def company() -> Transform[Json, Reference]:
    """A company by its id; a record without one hangs from the placeholder account."""
    return transforms.lookup(SYSTEM, "company", placeholder="account")
