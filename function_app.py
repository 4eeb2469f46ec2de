"""Tandem's functions: the table of contents. Each blueprint says what it listens to."""

import azure.functions as func

from shared.triggers import conflicts, health, intake, operators, phases, plans, queues, repairs, timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""Anonymous to the platform: every route checks the caller's token itself (`shared/connectors/callers`)."""

for blueprint in (
    queues.bp,
    timers.bp,
    intake.bp,
    operators.bp,
    plans.bp,
    repairs.bp,
    conflicts.bp,
    phases.bp,
    health.bp,
):
    app.register_functions(blueprint)
