"""The operators' API for customers that may be one: the review queue, and taking a record out again."""

from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import after, answer, asked_for, guarded, not_a_number, problem
from shared.triggers.roles import OPERATE, READ, look_of

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()


@bp.function_name("get_matches")
@bp.route(route="ops/matches", methods=["GET"])
async def get_matches(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The rows that may be one customer and wait for a person, the surest first, those behind `after`."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        behind = after(req)
        return (
            not_a_number() if behind is None else answer(200, await app().customers.waiting(behind or None))
        )

    return await guarded(req, context, READ, look)


@bp.function_name("get_match")
@bp.route(route="ops/matches/{id:int}", methods=["GET"])
async def get_match(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One case: the reasons, both rows, their records, and what they hold; personal data by role."""

    async def look(caller: "Caller") -> func.HttpResponse:
        number = int(req.route_params["id"])
        found = await app().customers.one(number, plain_for=look_of(caller, req).plain_for)
        if found is None:
            return problem(404, "request.not_found", "no case has this number")
        return answer(200, found)

    return await guarded(req, context, READ, look)


@bp.function_name("post_acceptance")
@bp.route(route="ops/matches/{id:int}/acceptance", methods=["POST"])
async def post_acceptance(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Two rows are one customer: the `heir` lives on, by default the elder; its lane carries it out."""

    async def accept(caller: "Caller") -> func.HttpResponse:
        asked = _asked(req)
        if asked is None:
            return problem(400, "request.match", 'send {"reason": "..."}, and {"heir": "<row>"} if you like')
        number, heir = int(req.route_params["id"]), str(asked.get("heir") or "")
        return await _done(app().customers.accept(number, heir, caller.name, asked["reason"]), 202, number)

    return await guarded(req, context, OPERATE, accept)


@bp.function_name("post_refusal")
@bp.route(route="ops/matches/{id:int}/refusal", methods=["POST"])
async def post_refusal(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Two rows are two customers, and are not taken for one again."""

    async def refuse(caller: "Caller") -> func.HttpResponse:
        asked = _asked(req)
        if asked is None:
            return problem(400, "request.match", 'send {"reason": "..."}')
        number = int(req.route_params["id"])
        return await _done(app().customers.refuse(number, caller.name, asked["reason"]), 200, number)

    return await guarded(req, context, OPERATE, refuse)


@bp.function_name("post_unmerge")
@bp.route(route="ops/unmerges", methods=["POST"])
async def post_unmerge(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """A record that shares a row gets one of its own again, with its own values from the history."""

    async def unmerge(caller: "Caller") -> func.HttpResponse:
        asked = _asked(req)
        if asked is None or not isinstance(asked.get("record"), str):
            return problem(400, "request.match", 'send {"record": "system:entity:id", "reason": "..."}')
        told = app().customers.unmerge(asked["record"].strip(), caller.name, asked["reason"])
        return await _done(told, 202)

    return await guarded(req, context, OPERATE, unmerge)


def _asked(req: func.HttpRequest) -> dict[str, Any] | None:
    """What is asked for, if it says why."""
    asked = asked_for(req)
    if asked is None or not isinstance(asked.get("reason"), str):
        return None
    asked["reason"] = asked["reason"].strip()
    return asked if asked["reason"] else None


async def _done(decision: Any, status: int, number: int | None = None) -> func.HttpResponse:
    from shared.core.customers import NotOpen, Unfitting  # noqa: PLC0415  # cold start

    try:
        return answer(status, await decision)
    except NotOpen:
        if number is not None and await app().customers.one(number, plain_for=None) is None:
            return problem(404, "request.not_found", "no case has this number")
        return problem(409, "request.not_open", "the case is decided or over: look at it again")
    except Unfitting as refused:
        return problem(409, "request.not_possible", str(refused))
