"""Trouble on demand: errors, delays, lost answers; each for the next so many requests that match."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.dataverse.calls import Call
from local.dataverse.errors import Refusal

_STATUS_OF = {
    "0x80072321": 429,
    "0x80072322": 429,
    "0x80072326": 429,
    "0x80040216": 500,
    "0x80044150": 500,
    "0x80044151": 500,
    "0x80044339": 500,
    "0x80040255": 500,
    "0x80040217": 404,
    "0x80060891": 404,
    "0x80060882": 412,
    "0x80060892": 412,
    "0x80040237": 412,
    "0x80040333": 412,
    "0x80040220": 403,
    "0x80040225": 403,
    "0x80048543": 503,
}


@dataclass(slots=True)
class Fault:
    """One kind of trouble.

    `times` requests are hit (None: all). `status` and `code` answer instead of the service, before anything
    is written. `latency_ms` delays. `drop` closes the connection: "before" nothing happened, "after" the
    write is committed and only the answer is lost. `method` and `path` (a part of it) choose the requests;
    with `in_batch` the operations inside a batch are meant instead, which know no latency and no drop.
    """

    times: int | None = 1
    status: int | None = None
    code: str = ""
    message: str = "A fault was asked for."
    retry_after: int | None = None
    latency_ms: int = 0
    drop: str = ""
    method: str = ""
    path: str = ""
    in_batch: bool = False

    def hits(self, call: Call) -> bool:
        """Whether the call is one of those meant."""
        if self.times == 0:
            return False
        return (not self.method or self.method == call.method) and self.path.lower() in call.path.lower()

    def refusal(self) -> Refusal | None:
        """The error to answer with; None when the fault only delays or drops."""
        if self.status is None and not self.code:
            return None
        status = self.status or _STATUS_OF.get(self.code, 400)
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        return Refusal(status, self.code, self.message, headers)

    def spend(self) -> None:
        """One request was hit."""
        if self.times is not None:
            self.times -= 1


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first; the first that matches hits."""

    active: list[Fault] = field(default_factory=list)

    def add(self, spec: Mapping[str, Any]) -> Fault:
        """Put a fault in force; ValueError when a field is unknown or senseless."""
        unknown = spec.keys() - set(Fault.__slots__)
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        fault = Fault(**spec)
        if fault.drop not in {"", "before", "after"}:
            raise ValueError("drop is 'before' or 'after'")
        self.active.append(fault)
        return fault

    def take(self, call: Call, *, in_batch: bool = False) -> Fault | None:
        """The fault that hits this call, spent by one."""
        for fault in self.active:
            if fault.in_batch == in_batch and fault.hits(call):
                fault.spend()
                self.active = [other for other in self.active if other.times != 0]
                return fault
        return None

    def clear(self) -> None:
        """End all trouble."""
        self.active.clear()
