"""How long the service takes: a simple execution-time model, so that limits and parallelism can be felt.

Milliseconds per request and per row. Zero (the default) means as fast as this machine is; the time accounted
is then what the machine took.
"""

import re
from dataclasses import dataclass

from local.dataverse.calls import Answer, Call

_BULK = re.compile(r"Microsoft\.Dynamics\.CRM\.(Create|Update|Upsert)Multiple$")


@dataclass(slots=True)
class Latency:
    """Milliseconds of execution; `sleep` says whether callers wait for them or they are only accounted."""

    read_ms: float = 0
    write_ms: float = 0
    bulk_row_ms: float = 0
    batch_ms: float = 0
    sleep: bool = True

    @property
    def is_modelled(self) -> bool:
        """Whether the model, and not this machine, says how long a request takes."""
        return any((self.read_ms, self.write_ms, self.bulk_row_ms, self.batch_ms))

    def of(self, call: Call, answer: Answer) -> float:
        """The execution time of a request."""
        if call.path == "$batch":
            writes = len(re.findall(rb"^(?:POST|PATCH|PUT|DELETE) ", call.body, re.MULTILINE))
            reads = len(re.findall(rb"^GET ", call.body, re.MULTILINE))
            return self.batch_ms + writes * self.write_ms + reads * self.read_ms
        if _BULK.search(call.path):
            rows = call.body.count(b'"@odata.type"') if answer.status < 400 else 1
            return self.write_ms + rows * self.bulk_row_ms
        return self.read_ms if call.method == "GET" else self.write_ms
