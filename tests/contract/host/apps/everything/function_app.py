"""An app with every kind of trigger, which writes down what it was given."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any, cast

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
bp = func.Blueprint()


def note(**seen: Any) -> None:
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps({"at": time.monotonic(), **seen}) + "\n")


PLAIN = (
    "message_id",
    "session_id",
    "delivery_count",
    "sequence_number",
    "content_type",
    "correlation_id",
    "subject",
    "label",
    "to",
    "reply_to",
    "reply_to_session_id",
    "partition_key",
    "transaction_partition_key",
    "dead_letter_source",
    "application_properties",
    "user_properties",
    "dead_letter_reason",
    "dead_letter_error_description",
    "locked_until",
    "enqueued_sequence_number",
    "scheduled_enqueue_time_utc",
    "state",
    "time_to_live",
)


def described(message: func.ServiceBusMessage) -> dict[str, Any]:
    seen = {name: getattr(message, name) for name in PLAIN}
    for name in ("enqueued_time_utc", "expires_at_utc"):
        at = getattr(message, name)
        seen[name] = [at.isoformat(), at.tzinfo is None]
    return {**seen, "body": message.get_body().decode(), "lock_token": bool(message.lock_token)}


async def act(body: dict[str, Any]) -> None:
    if "sleep" in body:
        await asyncio.sleep(body["sleep"])
    if "block" in body:
        time.sleep(body["block"])  # noqa: ASYNC251  # a badly behaved function is what this is for
    if body.get("raise"):
        raise RuntimeError("boom")


@app.function_name("sessions")
@app.service_bus_queue_trigger(
    arg_name="message", queue_name="%SESSIONS%", connection="ServiceBus", is_sessions_enabled=True
)
async def sessions(message: func.ServiceBusMessage, context: func.Context) -> None:
    seen = described(message)
    note(function="sessions", event="start", trace=context.trace_context.trace_parent, **seen)
    await act(json.loads(seen["body"]))
    note(function="sessions", event="end", session_id=message.session_id, body=seen["body"])


@app.function_name("plain")
@app.service_bus_queue_trigger(arg_name="message", queue_name="plain", connection="ServiceBus")
def plain(message: func.ServiceBusMessage) -> None:
    note(function="plain", **described(message))


@app.function_name("dead")
@app.service_bus_queue_trigger(
    arg_name="message", queue_name="%SESSIONS%/$deadletterqueue", connection="ServiceBus"
)
def dead(message: func.ServiceBusMessage) -> None:
    note(function="dead", **described(message))
    if os.environ.get("FAIL_DEAD"):
        raise RuntimeError("boom")


@bp.function_name("item")
@bp.route("items/{id:int}/{part?}", methods=["GET", "POST"])
def item(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "path": req.url.split("/", 3)[3],
        "route": dict(req.route_params),
        "params": dict(req.params),
        "header": req.headers.get("X-Sent"),
        "body": req.get_body().decode(),
    }
    headers = {"X-Seen": "yes"}
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers=headers)


@bp.function_name("latest")
@bp.route("items/latest")
async def latest(req: func.HttpRequest) -> str:
    return "the latest"


@bp.function_name("rest")
@bp.route("files/{*rest}", methods=["GET"])
async def rest(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer = func.HttpResponse(f"{context.function_name} {req.route_params.get('rest')}")
    answer.headers.add("Set-Cookie", "a=b; Path=/; HttpOnly")
    answer.headers.add(
        "Set-Cookie", "c=d; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Max-Age=60; Secure; SameSite=strict"
    )
    return answer


@bp.function_name("failing")
@bp.route("failing")
def failing(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("boom")


@bp.function_name("slow")
@bp.route("slow/{seconds}")
async def slow(req: func.HttpRequest) -> str:
    note(function="slow")
    await asyncio.sleep(float(req.route_params["seconds"]))
    return "at last"


@bp.function_name("nothing")
@bp.route("nothing")
def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return cast("func.HttpResponse", None)


@bp.function_name("off")
@bp.route("off")
def off(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("never")


@bp.function_name("tick")
@bp.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    # The abstract class that is exported knows less than what arrives.
    given: Any = timer
    note(
        function="tick",
        past_due=given.past_due,
        status=sorted(given.schedule_status),
        schedule=given.schedule,
    )


app.register_functions(bp)
