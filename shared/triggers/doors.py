"""What every HTTP route shares: the caller is identified first, and every answer is JSON.

Errors are problem details (RFC 9457) with our stable code; they name fields and rules, never values.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared.triggers.app import app

if TYPE_CHECKING:
    from shared.connectors.callers import Caller
    from shared.core.errors import Fault

Answering = Callable[[], Awaitable[func.HttpResponse]]
Handler = Callable[["Caller"], Awaitable[func.HttpResponse]]

_OPERATION = "X-Correlation-Id"

_DIGITS = 18

_LATER = {"Retry-After": "5"}


async def guarded(
    request: func.HttpRequest, context: func.Context, role: str, handler: Handler
) -> func.HttpResponse:
    """The handler's answer for a caller with `role`; 401, 403 or 503 otherwise (E-16)."""

    async def identified() -> func.HttpResponse:
        from shared.connectors.callers import Forbidden, Unauthenticated  # noqa: PLC0415  # cold start
        from shared.core.errors import Transient  # noqa: PLC0415  # cold start

        try:
            caller = await app().callers.identify(request.headers.get("Authorization"), role)
            return await handler(caller)
        except Unauthenticated as error:
            challenge = {"WWW-Authenticate": f'Bearer realm="{app().settings.tokens.audience}"'}
            return problem(401, "auth.unauthenticated", str(error), headers=challenge)
        except Forbidden as error:
            return problem(403, "auth.forbidden", str(error))
        except Transient as error:
            return problem(503, error.code, error.cause, headers=_LATER)

    return await standing(context, identified)


async def standing(context: func.Context, answering: Answering) -> func.HttpResponse:
    """The answer of an app that stands; 503 with the reason where its state or settings do not let it.

    All is done under the host's operation, which goes on with the caller's trace; the answer names it.
    """
    from shared.core.trace import traced  # noqa: PLC0415  # cold start

    with traced(context.trace_context.trace_parent) as trace:
        answered = await _standing(answering)
    if trace is not None:
        answered.headers[_OPERATION] = trace.trace_id
    return answered


async def _standing(answering: Answering) -> func.HttpResponse:
    from shared.core.ports import StoreUnavailable  # noqa: PLC0415  # cold start
    from shared.settings import InvalidSettings  # noqa: PLC0415  # cold start

    try:
        return await answering()
    except StoreUnavailable:
        detail = "the SQL state cannot be read or written now"
        return problem(503, "state.unavailable", detail, headers=_LATER)
    except InvalidSettings as error:
        return problem(503, "settings.invalid", f"{error}. Correct the app's settings and start it again")


def asked_for(req: func.HttpRequest) -> dict[str, Any] | None:
    """The JSON object that was posted; None for anything else, and for what no text column can hold."""
    from shared.core.body import json_object  # noqa: PLC0415  # cold start
    from shared.core.errors import InvalidMessage  # noqa: PLC0415  # cold start

    try:
        return dict(json_object(req.get_body()))
    except InvalidMessage:
        return None


def texts_asked_for(req: func.HttpRequest) -> dict[str, str] | None:
    """The texts that were posted by name, null as if it was not named; None where anything is no text."""
    asked = asked_for(req)
    if asked is None or not all(value is None or isinstance(value, str) for value in asked.values()):
        return None
    return {name: value for name, value in asked.items() if value is not None}


def after(req: func.HttpRequest) -> int | None:
    """The number of the entry behind which a list goes on, 0 for its beginning; None for anything else."""
    asked = req.params.get("after", "0")
    # As many digits as a number of SQL's has.
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= _DIGITS else None


def not_a_number() -> func.HttpResponse:
    """400: a list goes on behind an entry's number."""
    return problem(400, "request.after", "after is the number of the last entry of the page before")


def answer(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers=dict(headers or {}),
        mimetype="application/json",
    )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """A problem answer: `code` is stable; `errors` has one entry per fault: pointer, rule, expectation."""
    body: dict[str, Any] = {"status": status, "code": code, "detail": detail}
    if errors:
        body["errors"] = errors
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        headers=dict(headers or {}),
        mimetype="application/problem+json",
    )


def faulty(detail: str, faults: "Sequence[Fault]") -> func.HttpResponse:
    """422 with every fault that was found; the first one's code stands for all."""
    errors = [{"pointer": fault.field, "code": fault.code, "expected": fault.expected} for fault in faults]
    return problem(422, faults[0].code, detail, errors=errors)
