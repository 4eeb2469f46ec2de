"""Exact counts of what the service was asked, for tests and benchmarks."""

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from local.dataverse.calls import Answer, Call

_KEPT = 1000
_SET = re.compile(r"^[A-Za-z_$][\w$]*")
_PART = re.compile(rb"^(GET|POST|PATCH|PUT|DELETE) +(\S+)", re.MULTILINE)
_ROOT = re.compile(r"^(?:https?://[^/]+)?/?(?:api/data/v9\.\d/)?", re.IGNORECASE)


@dataclass(slots=True)
class RequestLog:
    """Requests, and the operations inside them: a batch is one request with an operation per part."""

    requests: int = 0
    by_method: Counter[str] = field(default_factory=Counter)
    by_set: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    recent: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, call: Call, answer: Answer, user: str, milliseconds: float) -> None:
        """Count one exchange."""
        name = _name(call.path)
        self.requests += 1
        self.by_method[call.method] += 1
        self.by_set[name] += 1
        self.by_status[answer.status] += 1
        if name == "$batch":
            for method, url in _PART.findall(call.body):
                part = _name(_ROOT.sub("", url.decode("utf-8", "replace")))
                self.operations[f"{method.decode()} {part}"] += 1
        else:
            self.operations[f"{call.method} {name}"] += 1
        self.recent.append(
            {
                "method": call.method,
                "path": call.path,
                "status": answer.status,
                "user": user,
                "ms": round(milliseconds, 2),
            }
        )

    def summary(self) -> dict[str, Any]:
        """The counts as JSON."""
        return {
            "requests": self.requests,
            "by_method": dict(self.by_method),
            "by_set": dict(self.by_set),
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "operations": dict(self.operations),
            "recent": list(self.recent),
        }

    def reset(self) -> None:
        """Start counting anew."""
        self.requests = 0
        for counter in (self.by_method, self.by_set, self.operations):
            counter.clear()
        self.by_status.clear()
        self.recent.clear()


def _name(path: str) -> str:
    match = _SET.match(path.lstrip("/"))
    return match[0] if match is not None else path or "/"
