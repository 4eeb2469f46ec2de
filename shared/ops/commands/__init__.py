"""What a person can ask: one module per noun, each with `register`, and a line here that names it.

A command's module holds its grammar, what it asks of the service, and what its answer looks like on a screen.
"""

from typing import Any

from shared.ops.commands import (
    conflicts,
    customers,
    drops,
    failures,
    gaps,
    imports,
    mappings,
    migrate,
    now,
    owners,
    phases,
    record,
    repairs,
    replay,
)


def register(commands: Any) -> None:
    """Add every command, in the order `tandem --help` tells them."""
    now.register(commands)
    failures.register(commands)
    record.register(commands)
    replay.register(commands)
    repairs.register(commands)
    conflicts.register(commands)
    customers.register(commands)
    phases.register(commands)
    owners.register(commands)
    gaps.register(commands)
    drops.register(commands)
    imports.register(commands)
    mappings.register(commands)
    migrate.register(commands)
