"""What a queue is told when it is created, and the durations it is told in."""

import re
from dataclasses import dataclass

from local.broker.entities.errors import InvalidArgument

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")

# .NET's TimeSpan.MaxValue, which the service uses for "never".
FOREVER_MS = 922337203685477
_FOREVER = "P10675199DT2H48M5.4775807S"


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """A queue's behaviour. The defaults are the cloud's; durations are milliseconds."""

    lock_duration_ms: int = 60_000
    max_delivery_count: int = 10
    default_ttl_ms: int | None = None
    dead_letter_on_expiration: bool = False
    requires_session: bool = False
    requires_duplicate_detection: bool = False
    duplicate_window_ms: int = 600_000
    max_size_bytes: int = 1024 * 1024 * 1024
    # Names of the queues that get what comes here, and what dies here; None: it stays.
    forward_to: str | None = None
    forward_dead_letters_to: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.lock_duration_ms <= 300_000:
            raise InvalidArgument("LockDuration: more than nothing, at most PT5M")
        if self.max_delivery_count < 1:
            raise InvalidArgument("MaxDeliveryCount: at least 1")
        if self.default_ttl_ms is not None and self.default_ttl_ms < 1:
            raise InvalidArgument("DefaultMessageTimeToLive: more than nothing")
        if self.requires_session and self.forward_to is not None:
            raise InvalidArgument("ForwardTo: a queue that requires sessions does not forward")


def duration_ms(field: str, text: str) -> int:
    """An ISO 8601 duration of days, hours, minutes and seconds, as milliseconds. Raises InvalidArgument."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise InvalidArgument(f"{field}: not an ISO 8601 duration of days and smaller")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


def duration_text(milliseconds: int) -> str:
    """Milliseconds as an ISO 8601 duration, as .NET writes it: without the parts that are zero."""
    if milliseconds == FOREVER_MS:
        return _FOREVER
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day_part = f"{days}D" if days else ""
    time_part = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M")) if value)
    if rest:
        time_part += f"{seconds}.{rest:03d}".rstrip("0") + "S"
    elif seconds or not (day_part or time_part):
        time_part += f"{seconds}S"
    return f"P{day_part}T{time_part}" if time_part else f"P{day_part}"
