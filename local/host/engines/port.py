"""What the host asks of an engine."""

from pathlib import Path
from typing import Protocol

from local.host.function import Function
from local.host.invocation import Call, Completion


class BrokenApp(Exception):
    """The app cannot be indexed; as in Azure, one bad function keeps all of them from running."""


class Engine(Protocol):
    """Indexes one app and runs its functions. Both calls are made on the engine's own thread."""

    async def load(self, app: Path) -> tuple[Function, ...]:
        """The functions of `function_app.py` in the folder. Raises BrokenApp and UnsupportedFunction."""
        ...

    async def run(self, call: Call) -> Completion:
        """Run one call to its end; what the function raises is in the completion, never raised."""
        ...
