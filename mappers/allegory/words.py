"""How Allegory writes: its name, its clock, its dates, its labels."""

import datetime as dt

from shared.core.change import Json
from shared.core.mapping import transforms
from shared.core.mapping.columns import Reference
from shared.core.mapping.spec import Transform
from shared.core.mapping.transforms import Slashes

SYSTEM = "allegory"
ROW_ID = "cf_dataverse_id"
"""The custom field in which a record that began in Dataverse carries its row's GUID."""
ZONE = "America/New_York"
"""Where a time without an offset was written, by the export's manifest."""

TIER = {"Gold": 100_000_000, "Silver": 100_000_001, "Bronze": 100_000_002}
LIFECYCLE_STAGE = {
    "Subscriber": 100_000_000,
    "Lead": 100_000_001,
    "MQL": 100_000_002,
    "SQL": 100_000_003,
    "Customer": 100_000_004,
}
FORECAST_CATEGORY = {
    "Pipeline": 100_000_000,
    "Best Case": 100_000_001,
    "Commit": 100_000_002,
    "Closed": 100_000_003,
    "Omitted": 100_000_004,
}
FORECAST_ALIASES = {"Committed": "Commit"}
STATUS = {"open": (1, 2), "won": (3,), "lost": (5, 4)}
"""Deals: Dataverse tells On Hold from In Progress, and Canceled from Out-Sold; Allegory does not."""
PRICE_LIST = "Allegory {currency}"
"""How an organisation names the price list that deals in a currency are to hang from."""
STAGE_OUTCOME = {"open": 100_000_000, "won": 100_000_001, "lost": 100_000_002}
LEAD_SOURCE = {
    "Advertisement": 1,
    "Employee Referral": 2,
    "External Referral": 3,
    "Partner": 4,
    "Public Relations": 5,
    "Seminar": 6,
    "Trade Show": 7,
    "Web": 8,
    "Word of Mouth": 9,
    "Other": 10,
}
LEAD_STATUS = {"New": (1,), "Contacted": (2,), "Qualified": (3,), "Unqualified": (6, 4, 5, 7)}


def date() -> Transform[Json, dt.date]:
    """A day; older screens wrote the month first."""
    return transforms.date(Slashes.MONTH_FIRST)


def instant() -> Transform[Json, dt.datetime]:
    """A point in time; older screens wrote local time, month first, on a clock of twelve hours."""
    return transforms.instant(ZONE, Slashes.MONTH_FIRST)


def company(*, placeholder: str | None = None) -> Transform[Json, Reference]:
    """A company by its id."""
    return transforms.lookup(SYSTEM, "company", placeholder=placeholder)


def pipeline() -> Transform[Json, Reference]:
    """A pipeline by its id."""
    return transforms.lookup(SYSTEM, "pipeline")


def contact() -> Transform[Json, Reference]:
    """A contact by its id."""
    return transforms.lookup(SYSTEM, "contact")
