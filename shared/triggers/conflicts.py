"""The operators' API for conflicts that wait for a person: list them, look at one, settle it."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import after, answer, asked_for, faulty, guarded, not_a_number, problem
from shared.triggers.roles import OPERATE, READ, look_of

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()


@bp.function_name("get_conflicts")
@bp.route(route="ops/conflicts", methods=["GET"])
async def get_conflicts(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The conflicts that wait for a person, the oldest first, those behind `after`; personal data by role."""

    async def look(caller: "Caller") -> func.HttpResponse:
        behind = after(req)
        if behind is None:
            return not_a_number()
        waiting = await app().settle.waiting(behind)
        shown = await app().operations.conflicts(waiting["conflicts"], look_of(caller, req))
        return answer(200, {**waiting, "conflicts": shown})

    return await guarded(req, context, READ, look)


@bp.function_name("get_conflict")
@bp.route(route="ops/conflicts/{id:int}", methods=["GET"])
async def get_conflict(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One conflict: what was agreed, and what each side holds; personal data by role."""

    async def look(caller: "Caller") -> func.HttpResponse:
        found = await app().settle.one(int(req.route_params["id"]))
        if found is None:
            return problem(404, "request.not_found", "no conflict has this number")
        (shown,) = await app().operations.conflicts([found], look_of(caller, req))
        return answer(200, shown)

    return await guarded(req, context, READ, look)


@bp.function_name("post_settlement")
@bp.route(route="ops/conflicts/{id:int}/settlement", methods=["POST"])
async def post_settlement(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Settle a conflict: take one side's value, or another, for a reason; its lane carries it out."""

    async def settle(caller: "Caller") -> func.HttpResponse:
        from shared.core.conflict import NotOpen  # noqa: PLC0415  # cold start
        from shared.core.errors import InvalidMessage  # noqa: PLC0415  # cold start
        from shared.recovery.settle import TAKES  # noqa: PLC0415  # cold start

        asked = asked_for(req) or {}
        take, reason = asked.get("take"), asked.get("reason")
        if not isinstance(take, str) or not isinstance(reason, str):
            return problem(400, "request.settlement", 'send {"take": "...", "reason": "..."}')
        if take not in TAKES or not reason.strip() or (take == "value" and "value" not in asked):
            return problem(
                400, "request.settlement", "take inbound, outbound or value (with one), and say why"
            )
        number = int(req.route_params["id"])
        try:
            told = await app().settle.settle(number, take, asked.get("value"), caller.name, reason.strip())
        except NotOpen:
            if await app().settle.one(number) is None:
                return problem(404, "request.not_found", "no conflict has this number")
            return problem(409, "request.not_open", "the conflict is over or has changed: look at it again")
        except InvalidMessage as refused:
            return faulty("the settlement was refused; nothing was changed", refused.faults)
        return answer(202, told)

    return await guarded(req, context, OPERATE, settle)
