"""The operators' API: what is failing, what happened to a record, and send it again."""

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


@bp.function_name("get_now")
@bp.route(route="ops/now", methods=["GET"])
async def get_now(req: func.HttpRequest) -> func.HttpResponse:
    """How things stand: messages by outcome, lanes by state, and whether the sum is right."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().operations.now())

    return await guarded(req, _READ, look)


@bp.function_name("get_failures")
@bp.route(route="ops/failures", methods=["GET"])
async def get_failures(req: func.HttpRequest) -> func.HttpResponse:
    """What is failing now, newest first, with the groups it belongs to."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().operations.failures())

    return await guarded(req, _READ, look)


@bp.function_name("get_record")
@bp.route(route="ops/records/{*id}", methods=["GET"])
async def get_record(req: func.HttpRequest) -> func.HttpResponse:
    """The history of a record, found by any id of any system or by a message id."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        found = await app().operations.record(req.route_params["id"])
        if found is None:
            return problem(404, "request.not_found", "no record or message has this id")
        return answer(200, found)

    return await guarded(req, _READ, look)


@bp.function_name("post_replay")
@bp.route(route="ops/replays", methods=["POST"])
async def post_replay(req: func.HttpRequest) -> func.HttpResponse:
    """Send one message again, with its own properties, in its own place."""

    async def replay(caller: "Caller") -> func.HttpResponse:
        try:
            message_id = json.loads(req.get_body())["messageId"]
        except (ValueError, TypeError, KeyError):
            return problem(400, "request.message_id", 'send {"messageId": "..."}')
        done = await app().replay.message(str(message_id), caller.name)
        if done is None:
            return problem(404, "request.not_found", "no message has this id")
        return answer(200, done)

    return await guarded(req, _OPERATE, replay)
