"""How Legrand writes: its name, its clock, its dates, its labels."""

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping import transforms
from shared.core.mapping.columns import Reference
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms import Slashes
from shared.core.mapping.transforms.numbers import plain

SYSTEM = "legrand"
ZONE = "Australia/Sydney"
"""The time zone of the Legrand account, in which its sheets are written."""

ROW_ID = "Dataverse ID (custom)"
"""The custom field in which Legrand keeps which row a record is, where an administrator made it."""

COMPANY_TYPE = {"Customer": 3, "Partner": 5, "Prospect": 8, "Reseller": 9, "Supplier": 10}
PRIORITY = {"High": 1, "Medium": 2, "Low": 3}
ROLE = {"Decision maker": 1, "Influencer": 3}
LEAD_SOURCE = {"Advertisement": 1, "Referral": 3, "Trade Show": 7, "Web Capture": 8, "Phone In": 10}
LEAD_STATUS = {"New": (1,), "Contacted": (2,), "Qualified": (3,), "Unqualified": (6, 4, 5, 7)}
OPPORTUNITY_STATUS = {"Open": (1, 2), "Closed-Won": (3,), "Closed-Lost": (5, 4)}
"""Dataverse tells On Hold from In Progress, and Canceled from Out-Sold; Legrand does not."""

QUOTE_STATUS = {
    "Draft": (1,),
    "Sent": (3, 2),
    "Accepted": (4,),
    "Lost": (5,),
    "Rejected": (6,),
    "Superseded": (7,),
}
TICKET_STATUS = {
    "In progress": (1, 4),
    "Waiting on customer": (3, 2),
    "Closed": (5, 1000, 6, 2000),
}
"""Of every board; what a board calls otherwise (Open) is a case In Progress, and keeps its label."""
CAMPAIGN_TYPE = {"Email": 2, "Event": 3}
CAMPAIGN_TYPE_ALIASES = {"Trade Show": "Event", "Webinar": "Event"}
CAMPAIGN_STATUS = {"Planned": (0, 1), "Active": (2, 5), "Completed": (3, 4, 6)}
RESPONSE = {"Responded": 1, "Unsubscribed": 3}
VISIBILITY = {"Public": 100_000_000, "Internal": 100_000_001}


def discount(parts: Sequence[Json]) -> Json:
    """The amount that a discount in percent takes off quantity times price, to the cent, halves up.

    Dataverse knows a line's discount as an amount alone. Blank without a discount; raises Unfit for what is
    no number.
    """
    quantity, price, percent = (plain(part) for part in parts)
    if quantity is None or price is None or not percent:
        return ""
    try:
        amount = (quantity * price * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation as beyond:
        raise Unfit(Code.VALUE_OUT_OF_RANGE, "an amount of at most 26 digits before the point") from beyond
    return format(amount, "f")


def date() -> Transform[Json, dt.date]:
    """A day; the sheets write days first."""
    return transforms.date(Slashes.DAY_FIRST)


def instant() -> Transform[Json, dt.datetime]:
    """A point in time; the sheets write local time, day first."""
    return transforms.instant(ZONE, Slashes.DAY_FIRST)


def company() -> Transform[Json, Reference]:
    """A company by its id; a record without one hangs from the placeholder account."""
    return transforms.lookup(SYSTEM, "company", placeholder="account")
