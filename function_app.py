"""Tandem's functions: the table of contents. Each blueprint says what it listens to."""

import azure.functions as func

from shared.triggers import (
    conflicts,
    customers,
    health,
    intake,
    operators,
    phases,
    plans,
    queues,
    record_owners,
    repairs,
    timers,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""Anonymous to the platform: every route checks the caller's token itself (`shared/connectors/callers`)."""

WORK = (queues, timers)
DOORS = (intake, operators, plans, repairs, conflicts, customers, phases, record_owners, health)

for part in (*WORK, *DOORS):
    app.register_functions(part.bp)
