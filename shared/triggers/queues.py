"""Session queues in, one message at a time, and whatever reached their dead-letter queues.

Nothing here raises for a business reason: the gate keeps every message in SQL and the lane decides. An
exception means that SQL could not be written; then redelivery is the right answer (ADR 0002).
"""

import logging

import azure.functions as func

from shared.triggers.app import app

bp = func.Blueprint()

_CONNECTION = "ServiceBusConnection"
_INBOUND = "%INBOUND_QUEUE%"
_OUTBOUND = "%OUTBOUND_QUEUE%"
_DEAD_LETTERS = "/$deadletterqueue"


@bp.function_name("inbound")
@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=_INBOUND, connection=_CONNECTION, is_sessions_enabled=True
)
async def inbound(message: func.ServiceBusMessage, context: func.Context) -> None:
    """A change in a legacy system arrives."""
    await _receive(message, context, app().settings.inbound_queue)


@bp.function_name("outbound")
@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=_OUTBOUND, connection=_CONNECTION, is_sessions_enabled=True
)
async def outbound(message: func.ServiceBusMessage, context: func.Context) -> None:
    """A change in Dataverse arrives."""
    await _receive(message, context, app().settings.outbound_queue)


@bp.function_name("inbound_dead_letters")
@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=_INBOUND + _DEAD_LETTERS, connection=_CONNECTION, is_sessions_enabled=False
)
async def inbound_dead_letters(message: func.ServiceBusMessage, context: func.Context) -> None:
    """An inbound message the broker gave up on goes to its place in its lane (C-25)."""
    await _receive(message, context, app().settings.inbound_queue)


@bp.function_name("outbound_dead_letters")
@bp.service_bus_queue_trigger(
    arg_name="message",
    queue_name=_OUTBOUND + _DEAD_LETTERS,
    connection=_CONNECTION,
    is_sessions_enabled=False,
)
async def outbound_dead_letters(message: func.ServiceBusMessage, context: func.Context) -> None:
    """An outbound message the broker gave up on goes to its place in its lane (C-25)."""
    await _receive(message, context, app().settings.outbound_queue)


async def _receive(message: func.ServiceBusMessage, context: func.Context, queue: str) -> None:
    from shared.core.trace import traced  # noqa: PLC0415  # keeps the cold start within its budget
    from shared.triggers.arrivals import arrived  # noqa: PLC0415  # keeps the cold start within its budget

    logging.getLogger("tandem.arrivals").debug("message %s on %s", message.message_id, queue)
    with traced(context.trace_context.trace_parent):
        await app().gate.receive(arrived(message, queue))
