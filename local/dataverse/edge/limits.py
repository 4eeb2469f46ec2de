"""Service protection: sliding windows per user and server over requests, execution time and concurrency.

The numbers are the service's (6,000 requests, 1,200 s of execution in 300 s, 52 at once). `clock_factor`
makes the window pass faster, so that a test need not wait five minutes. Off until switched on.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from local.dataverse.errors import Refusal

_AFFINITY = re.compile(r"\bARRAffinity=(\d+)")


@dataclass(slots=True)
class LimitSettings:
    """The limits in force, for each of `servers`; seconds and milliseconds of the service's clock."""

    enabled: bool = False
    requests: int = 6000
    execution_ms: float = 1_200_000
    concurrency: int = 52
    window_s: float = 300
    clock_factor: float = 1.0
    dop_hint: int = 10
    servers: int = 1


@dataclass(slots=True)
class Window:
    """What one user did lately: moments of requests, and execution times with their moments."""

    started: deque[float] = field(default_factory=deque)
    executed: deque[tuple[float, float]] = field(default_factory=deque)
    execution_ms: float = 0
    running: int = 0
    refused: int = 0


class Limits:
    """The windows of all users."""

    def __init__(self) -> None:
        self.settings = LimitSettings()
        self._windows: dict[str, Window] = {}
        self._next_server = count()

    def server_of(self, cookies: str) -> int:
        """The server a request goes to: the one its affinity cookie names, or the next in turn."""
        servers = max(1, self.settings.servers)
        named = _AFFINITY.search(cookies)
        return (int(named[1]) if named is not None else next(self._next_server)) % servers

    def affinity(self, server: int) -> dict[str, str]:
        """The cookie that keeps a client at its server; none where there is only one."""
        if self.settings.servers <= 1:
            return {}
        return {"Set-Cookie": f"ARRAffinity={server}; Path=/; HttpOnly"}

    def enter(self, user: str, now: float) -> None:
        """Count a request that begins; Refusal 429 with Retry-After when the user is over a limit."""
        window = self._window(user, now)
        settings = self.settings
        if settings.enabled:
            if window.running >= settings.concurrency:
                raise self._refusal(
                    window,
                    "0x80072326",
                    f"Number of concurrent requests exceeded the limit of {settings.concurrency}.",
                    1,
                )
            if len(window.started) >= settings.requests:
                raise self._refusal(
                    window,
                    "0x80072322",
                    f"Number of requests exceeded the limit of {settings.requests} over time window of "
                    f"{settings.window_s:g} seconds.",
                    self._until(window.started[0], now),
                )
            if window.execution_ms > settings.execution_ms:
                raise self._refusal(
                    window,
                    "0x80072321",
                    "Combined execution time of incoming requests exceeded limit of "
                    f"{settings.execution_ms:,.0f} milliseconds over time window of {settings.window_s:g} "
                    "seconds. Decrease number of concurrent requests or reduce the duration of requests and "
                    "try again later.",
                    self._until(window.executed[0][0], now),
                )
        window.started.append(self._time(now))
        window.running += 1

    def leave(self, user: str, now: float, execution_ms: float) -> None:
        """A request ended after so much execution time."""
        window = self._window(user, now)
        window.running = max(0, window.running - 1)
        window.executed.append((self._time(now), execution_ms))
        window.execution_ms += execution_ms

    def headers(self, user: str, now: float) -> dict[str, str]:
        """The debug headers of an answer."""
        window = self._window(user, now)
        settings = self.settings
        left_ms = max(0.0, settings.execution_ms - window.execution_ms)
        return {
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(
                max(0, settings.requests - len(window.started))
            ),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{left_ms / 1000:,.2f}",
            "x-ms-dop-hint": str(settings.dop_hint),
        }

    def reset(self) -> None:
        """Forget what everybody did."""
        self._windows.clear()

    def _time(self, now: float) -> float:
        return now * self.settings.clock_factor

    def _until(self, oldest: float, now: float) -> int:
        """Whole seconds of the caller's clock until the oldest entry leaves the window."""
        service_seconds = oldest + self.settings.window_s - self._time(now)
        return max(1, int(service_seconds / self.settings.clock_factor) + 1)

    def _window(self, user: str, now: float) -> Window:
        window = self._windows.setdefault(user, Window())
        edge = self._time(now) - self.settings.window_s
        while window.started and window.started[0] <= edge:
            window.started.popleft()
        while window.executed and window.executed[0][0] <= edge:
            window.execution_ms -= window.executed.popleft()[1]
        if not window.started:
            window.refused = 0
        return window

    def _refusal(self, window: Window, code: str, message: str, seconds: int) -> Refusal:
        # The time to wait grows for a caller who does not wait.
        window.refused += 1
        wait = min(seconds + window.refused // 50, int(self.settings.window_s) or 1)
        return Refusal(429, code, message, {"Retry-After": str(max(1, wait))})
