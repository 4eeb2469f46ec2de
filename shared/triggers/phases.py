"""The operators' API for phases and ownership: who decides what, and moving on."""

import json
from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, guarded, problem

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()

_READ = "Ops.Read"
_OPERATE = "Ops.Operate"


@bp.function_name("get_phases")
@bp.route(route="ops/phases", methods=["GET"])
async def get_phases(req: func.HttpRequest) -> func.HttpResponse:
    """The phase of every entity, and every line of the ownership matrix."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().phases.all())

    return await guarded(req, _READ, look)


@bp.function_name("post_phase")
@bp.route(route="ops/phases", methods=["POST"])
async def post_phase(req: func.HttpRequest) -> func.HttpResponse:
    """Put an entity of a system, or one business unit of it, into the next phase or the one before."""

    async def move(caller: "Caller") -> func.HttpResponse:
        return await _asked(req, caller, "phase")

    return await guarded(req, _OPERATE, move)


@bp.function_name("post_owner")
@bp.route(route="ops/owners", methods=["POST"])
async def post_owner(req: func.HttpRequest) -> func.HttpResponse:
    """Lay down who decides a column, in one phase or in any."""

    async def lay_down(caller: "Caller") -> func.HttpResponse:
        return await _asked(req, caller, "owner")

    return await guarded(req, _OPERATE, lay_down)


async def _asked(req: func.HttpRequest, caller: "Caller", what: str) -> func.HttpResponse:
    from shared.recovery.phases import Unfitting  # noqa: PLC0415  # cold start

    phases = app().phases
    try:
        asked = json.loads(req.get_body())
        if not isinstance(asked, dict):
            raise Unfitting("send an object")
        change = phases.move if what == "phase" else phases.own
        told = await change({str(name): str(value) for name, value in asked.items()}, caller.name)
    except ValueError as refused:
        detail = str(refused) if isinstance(refused, Unfitting) else "send a JSON object"
        return problem(400, "request.phase", detail)
    return answer(200, told)
