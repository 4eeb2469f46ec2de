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
    repairs,
    timers,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""Anonymous to the platform: every route checks the caller's token itself (`shared/connectors/callers`)."""

for part in (queues, timers, intake, operators, plans, repairs, conflicts, customers, phases, health):
    app.register_functions(part.bp)
