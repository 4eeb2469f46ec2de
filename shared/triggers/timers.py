"""What the clock starts: due retries and lost wakes, owners, tickets, feeds, drops, gaps, forgetting.

Each run is an operation: what it tells, and what it puts on a queue, is found under its id.
"""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.settings.systems import feeds, schedule_of
from shared.triggers.app import app

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from shared.core.trace import Trace

bp = func.Blueprint()


def _run(context: func.Context) -> "AbstractContextManager[Trace]":
    """One run: under the host's operation, or under one of its own where the host began none."""
    from shared.core.trace import operation  # noqa: PLC0415  # keeps the cold start within its budget

    return operation(context.trace_context.trace_parent, app().new_id)


@bp.function_name("retry")
@bp.timer_trigger(arg_name="timer", schedule="%RETRY_SCHEDULE%")
async def retry(timer: func.TimerRequest, context: func.Context) -> None:
    """Wake lanes, and send decisions that have not come to theirs."""
    del timer
    with _run(context):
        await app().retry.run()
        await app().settle.run()
        await app().customers.run()


@bp.function_name("alerts")
@bp.timer_trigger(arg_name="timer", schedule="%RETRY_SCHEDULE%")
async def alerts(timer: func.TimerRequest, context: func.Context) -> None:
    """Notice what never came, and tell people about groups of failures.

    A function of its own: people are told above all when the queue cannot be reached and nothing is woken.
    """
    del timer
    with _run(context):
        await app().overdue.run()
        await app().alerts.run()


@bp.function_name("owners")
@bp.timer_trigger(arg_name="timer", schedule="%OWNER_SCHEDULE%")
async def owners(timer: func.TimerRequest, context: func.Context) -> None:
    """Let go of what waits for an owner who is a user by now, and give rows to whom they are owed."""
    del timer
    with _run(context):
        await app().record_owners.run()


@bp.function_name("plans")
@bp.timer_trigger(arg_name="timer", schedule="%PLAN_SCHEDULE%")
async def plans(timer: func.TimerRequest, context: func.Context) -> None:
    """Foresee the replay plans that were made, and go on with the one that runs."""
    del timer
    with _run(context):
        await app().plan_driver.run()


def _read_feed(system: str) -> None:
    """A timer for the feed of one system."""

    @bp.function_name(f"{system}_feed")
    @bp.timer_trigger(arg_name="timer", schedule=f"%{schedule_of(system)}%")
    async def feed(timer: func.TimerRequest, context: func.Context) -> None:
        """Bring in what people changed in a legacy system since the last run."""
        del timer
        with _run(context):
            await app().feeds[system].run()


for each in feeds():
    _read_feed(each)


@bp.function_name("export_drops")
@bp.timer_trigger(arg_name="timer", schedule="%DROP_SCHEDULE%")
async def export_drops(timer: func.TimerRequest, context: func.Context) -> None:
    """Read the export drops that are whole, and tell what differs from those before."""
    del timer
    with _run(context):
        await app().file_exchange.run()


@bp.function_name("imports")
@bp.timer_trigger(arg_name="timer", schedule="%IMPORT_SCHEDULE%")
async def imports(timer: func.TimerRequest, context: func.Context) -> None:
    """Take what was acknowledged by systems that take files only, and hand over what is pending."""
    del timer
    with _run(context):
        await app().handover.run()


@bp.function_name("purge")
@bp.timer_trigger(arg_name="timer", schedule="%PURGE_SCHEDULE%")
async def purge(timer: func.TimerRequest, context: func.Context) -> None:
    """Forget payloads and metadata that are older than they may be."""
    del timer
    with _run(context):
        await app().retention.run()


@bp.function_name("gaps")
@bp.timer_trigger(arg_name="timer", schedule="%GAP_SCHEDULE%")
async def gaps(timer: func.TimerRequest, context: func.Context) -> None:
    """Notice what changed on either side without a message, and tell it after all."""
    del timer
    with _run(context):
        await app().gaps.run()
