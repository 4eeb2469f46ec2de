"""The operators' API for phases and ownership: who decides what, and moving on."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, guarded, problem, texts_asked_for
from shared.triggers.roles import OPERATE, READ

if TYPE_CHECKING:
    from shared.connectors.callers import Caller
    from shared.core.ports import Report

bp = func.Blueprint()


@bp.function_name("get_phases")
@bp.route(route="ops/phases", methods=["GET"])
async def get_phases(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The phase of every entity, and every line of the ownership matrix."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().phases.all())

    return await guarded(req, context, READ, look)


@bp.function_name("post_phase")
@bp.route(route="ops/phases", methods=["POST"])
async def post_phase(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Put an entity of a system, or one business unit of it, into the next phase or the one before."""

    async def move(caller: "Caller") -> func.HttpResponse:
        return await _changed(req, caller, app().phases.move)

    return await guarded(req, context, OPERATE, move)


@bp.function_name("post_owner")
@bp.route(route="ops/owners", methods=["POST"])
async def post_owner(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Lay down who decides a column, in one phase or in any."""

    async def lay_down(caller: "Caller") -> func.HttpResponse:
        return await _changed(req, caller, app().phases.own)

    return await guarded(req, context, OPERATE, lay_down)


async def _changed(
    req: func.HttpRequest, caller: "Caller", change: Callable[[Mapping[str, str], str], Awaitable["Report"]]
) -> func.HttpResponse:
    from shared.recovery.phases import Unfitting  # noqa: PLC0415  # cold start

    asked = texts_asked_for(req)
    if asked is None:
        return problem(400, "request.phase", "send a JSON object of texts")
    try:
        told = await change(asked, caller.name)
    except Unfitting as refused:
        return problem(400, "request.phase", str(refused))
    return answer(200, told)
