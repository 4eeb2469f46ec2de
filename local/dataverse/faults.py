"""Trouble on demand: errors, delays, lost answers; each for the next so many requests that match."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.dataverse.calls import Call
from local.dataverse.errors import Refusal

# The statuses the codes come with; every other code is a 400.
_CODES: Mapping[int, str] = {
    429: "0x80072321 0x80072322 0x80072326",
    500: "0x80040216 0x80044150 0x80044151 0x80044171 0x80044172 0x80044173 0x80081111 0x80044339 "
    "0x8004Ed47 0x80040255",
    404: "0x80040217 0x80060891 0x8006088a",
    412: "0x80060882 0x80060892 0x80040237 0x80040333",
    403: "0x80040220 0x80048306 0x8004020d 0x80042f09 0x80040225 0x8004A110",
    405: "0x80040227",
    503: "0x80048543 0x80048553",
}
_STATUS_OF = {code.lower(): status for status, codes in _CODES.items() for code in codes.split()}


_ROW = re.compile(r"[^/]*\(")
_NAMESPACE = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a fault may choose a call by besides its own words: the names of its table and of its user."""

    tables: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()


def operations_of(call: Call) -> frozenset[str]:
    """The words for what a call does: read, create, update, upsert, delete, associate, or an action's name.

    A PATCH is an upsert that may create or update; a condition leaves one of the two.
    """
    if call.path == "$batch":
        return frozenset({"batch"})
    first, _, rest = call.path.partition("/")
    last = (rest or first).rpartition("/")[2].partition("(")[0].removeprefix(_NAMESPACE)
    if last == "$ref":
        return frozenset({"disassociate" if call.method == "DELETE" else "associate"})
    match call.method:
        case "GET":
            return frozenset({"read", last})
        case "DELETE":
            return frozenset({"delete"})
        case "PATCH" | "PUT":
            if call.if_none_match == "*":
                return frozenset({"upsert", "create"})
            return frozenset({"update"} if call.if_match is not None else {"upsert", "create", "update"})
    # A POST to a set creates; anything else that is posted is an action, told by a capital or a namespace.
    is_set = not rest and _ROW.match(first) is None and first[:1].islower()
    return frozenset({"create"} if is_set else {last})


@dataclass(slots=True)
class Fault:
    """One kind of trouble.

    `times` requests are hit (None: all). `status` and `code` answer instead of the service, before anything
    is written. `latency_ms` delays. `drop` closes the connection: "before" nothing happened, "after" the
    write is committed and only the answer is lost.

    What is left empty chooses everything: `method`; `path`, a part of the path; `table`, by its logical or
    set name; `user`, whom the token stands for, by systemuserid or applicationid; `operation`, a word of
    `operations_of`. With `in_batch` the operations inside a batch are meant instead, which know no latency
    and no drop.
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
    table: str = ""
    user: str = ""
    operation: str = ""

    def hits(self, call: Call, seen: Sighting) -> bool:
        """Whether the call is one of those meant."""
        if self.times == 0 or self.path.lower() not in call.path.lower():
            return False
        return (
            (not self.method or self.method == call.method)
            and (not self.table or self.table in seen.tables)
            and (not self.user or self.user.lower() in seen.users)
            and (not self.operation or self.operation in operations_of(call))
        )

    def refusal(self) -> Refusal | None:
        """The error to answer with; None when the fault only delays or drops."""
        if self.status is None and not self.code:
            return None
        status = self.status or _STATUS_OF.get(self.code.lower(), 400)
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

    def take(self, call: Call, seen: Sighting, *, in_batch: bool = False) -> Fault | None:
        """The fault that hits this call, spent by one."""
        for fault in self.active:
            if fault.in_batch == in_batch and fault.hits(call, seen):
                fault.spend()
                self.active = [other for other in self.active if other.times != 0]
                return fault
        return None

    def clear(self) -> None:
        """End all trouble."""
        self.active.clear()
