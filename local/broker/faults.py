"""Faults on demand: what a cloud does now and then, done here when a test or a person asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.broker.entities.errors import InvalidArgument

KINDS = ("server-busy", "detach", "drop", "delay")
OPERATIONS = ("any", "attach", "send", "settle", "manage")


@dataclass(slots=True)
class Fault:
    """One fault, armed for the next `count` operations of its kind on `entity` ("*": on every one)."""

    id: int
    kind: str
    entity: str
    operation: str
    count: int
    delay_ms: int

    def meets(self, path: str, operation: str) -> bool:
        """Whether an operation is one that the fault waits for; a queue's dead letters count as the queue."""
        if self.operation not in {"any", operation}:
            return False
        return self.entity in {"*", path} or path.startswith(self.entity + "/")


class Faults:
    """The faults that are armed."""

    def __init__(self) -> None:
        self.armed: dict[int, Fault] = {}
        self._last_id = 0

    def arm(self, wish: Mapping[str, Any]) -> Fault:
        """Arm a fault: kind, and optionally entity, operation, count and delay_ms. Raises InvalidArgument."""
        kind, operation = wish.get("kind"), wish.get("operation", "any")
        count, delay_ms = wish.get("count", 1), wish.get("delay_ms", 1000)
        if kind not in KINDS:
            raise InvalidArgument(f"kind: one of {', '.join(KINDS)}")
        if operation not in OPERATIONS:
            raise InvalidArgument(f"operation: one of {', '.join(OPERATIONS)}")
        if type(count) is not int or count < 1:
            raise InvalidArgument("count: a number from 1")
        if type(delay_ms) is not int or not 0 <= delay_ms <= 600_000:
            raise InvalidArgument("delay_ms: 0 to 600000")
        self._last_id += 1
        entity = str(wish.get("entity", "*")).lower()
        fault = Fault(self._last_id, kind, entity, operation, count, delay_ms)
        self.armed[fault.id] = fault
        return fault

    def disarm(self) -> None:
        """Forget all faults."""
        self.armed.clear()

    def strike(self, path: str, operation: str) -> Fault | None:
        """The fault that this operation meets; it is used up by one."""
        for fault in self.armed.values():
            if fault.meets(path.lower(), operation):
                fault.count -= 1
                if fault.count == 0:
                    del self.armed[fault.id]
                return fault
        return None
