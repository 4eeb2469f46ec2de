"""What the clock starts: due retries and lost wakes, owners, tickets, feeds, drops, gaps, forgetting."""

import azure.functions as func

from shared.settings.systems import feeds, schedule_of
from shared.triggers.app import app

bp = func.Blueprint()


@bp.function_name("retry")
@bp.timer_trigger(arg_name="timer", schedule="%RETRY_SCHEDULE%")
async def retry(timer: func.TimerRequest) -> None:
    """Wake lanes, and send decisions that have not come to theirs."""
    del timer
    await app().retry.run()
    await app().settle.run()
    await app().customers.run()


@bp.function_name("alerts")
@bp.timer_trigger(arg_name="timer", schedule="%RETRY_SCHEDULE%")
async def alerts(timer: func.TimerRequest) -> None:
    """Notice what never came, and tell people about groups of failures.

    A function of its own: people are told above all when the queue cannot be reached and nothing is woken.
    """
    del timer
    await app().overdue.run()
    await app().alerts.run()


@bp.function_name("owners")
@bp.timer_trigger(arg_name="timer", schedule="%OWNER_SCHEDULE%")
async def owners(timer: func.TimerRequest) -> None:
    """Let go of what waits for an owner who is a user by now, and give rows to whom they are owed."""
    del timer
    await app().record_owners.run()


@bp.function_name("plans")
@bp.timer_trigger(arg_name="timer", schedule="%PLAN_SCHEDULE%")
async def plans(timer: func.TimerRequest) -> None:
    """Foresee the replay plans that were made, and go on with the one that runs."""
    del timer
    await app().plan_driver.run()


def _read_feed(system: str) -> None:
    """A timer for the feed of one system."""

    @bp.function_name(f"{system}_feed")
    @bp.timer_trigger(arg_name="timer", schedule=f"%{schedule_of(system)}%")
    async def feed(timer: func.TimerRequest) -> None:
        """Bring in what people changed in a legacy system since the last run."""
        del timer
        await app().feeds[system].run()


for each in feeds():
    _read_feed(each)


@bp.function_name("export_drops")
@bp.timer_trigger(arg_name="timer", schedule="%DROP_SCHEDULE%")
async def export_drops(timer: func.TimerRequest) -> None:
    """Read the export drops that are whole, and tell what differs from those before."""
    del timer
    await app().file_exchange.run()


@bp.function_name("imports")
@bp.timer_trigger(arg_name="timer", schedule="%IMPORT_SCHEDULE%")
async def imports(timer: func.TimerRequest) -> None:
    """Take what was acknowledged by systems that take files only, and hand over what is pending."""
    del timer
    await app().handover.run()


@bp.function_name("purge")
@bp.timer_trigger(arg_name="timer", schedule="%PURGE_SCHEDULE%")
async def purge(timer: func.TimerRequest) -> None:
    """Forget payloads and metadata that are older than they may be."""
    del timer
    await app().retention.run()


@bp.function_name("gaps")
@bp.timer_trigger(arg_name="timer", schedule="%GAP_SCHEDULE%")
async def gaps(timer: func.TimerRequest) -> None:
    """Notice what changed on either side without a message, and tell it after all."""
    del timer
    await app().gaps.run()
