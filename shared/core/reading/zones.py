"""Time zones by the names people write: IANA's, and the ones Windows shows."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WINDOWS = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Atlantic Standard Time": "America/Halifax",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "China Standard Time": "Asia/Shanghai",
    "E. Australia Standard Time": "Australia/Brisbane",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "India Standard Time": "Asia/Kolkata",
    "Mountain Standard Time": "America/Denver",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "Singapore Standard Time": "Asia/Singapore",
    "Tokyo Standard Time": "Asia/Tokyo",
    "US Mountain Standard Time": "America/Phoenix",
    "UTC": "UTC",
    "W. Australia Standard Time": "Australia/Perth",
    "W. Europe Standard Time": "Europe/Berlin",
}
"""The territory-neutral zone of each Windows name, by CLDR; those a sales organisation is likely to meet."""


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA or Windows name, or None."""
    try:
        return ZoneInfo(WINDOWS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A name with a slash too many is a path, and raises as one.
        return None


def is_windows_name(name: str) -> bool:
    """Whether only Windows calls a zone so."""
    return name in WINDOWS and name != WINDOWS[name]
