"""The operators' API: what is failing, what happened to a record, and send it again."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import after, answer, asked_for, guarded, not_a_number, problem
from shared.triggers.roles import OPERATE, READ, look_of

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()


@bp.function_name("get_now")
@bp.route(route="ops/now", methods=["GET"])
async def get_now(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """How things stand: messages by outcome, lanes by state, and whether the sum is right."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().operations.now())

    return await guarded(req, context, READ, look)


@bp.function_name("get_failures")
@bp.route(route="ops/failures", methods=["GET"])
async def get_failures(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What is failing now, newest message first, those behind `after`, with the groups it belongs to."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        behind = after(req)
        return not_a_number() if behind is None else answer(200, await app().operations.failures(behind))

    return await guarded(req, context, READ, look)


@bp.function_name("get_record")
@bp.route(route="ops/records/{*id}", methods=["GET"])
async def get_record(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The history of a record, found by any id of any system or by a message id; `as_of` goes back in time.

    Personal data is masked unless the caller's roles allow it, and with `masked=true` for them, too.
    """
    from shared.core.body_fields import instant  # noqa: PLC0415  # cold start

    async def look(caller: "Caller") -> func.HttpResponse:
        asked = req.params.get("as_of")
        as_of = instant(asked) if asked else None
        if asked and as_of is None:
            return problem(
                400,
                "request.as_of",
                "as_of is an ISO 8601 instant with an offset, such as 2026-03-01T03:00:00Z",
            )
        found = await app().operations.record(req.route_params["id"], look_of(caller, req), as_of)
        if found is None:
            return problem(404, "request.not_found", "no record or message has this id")
        return answer(200, found)

    return await guarded(req, context, READ, look)


@bp.function_name("get_gaps")
@bp.route(route="ops/gaps", methods=["GET"])
async def get_gaps(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What the gap detector compared, suspects and healed, per table and entity."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().gaps.told())

    return await guarded(req, context, READ, look)


@bp.function_name("get_mappings")
@bp.route(route="ops/mappings", methods=["GET"])
async def get_mappings(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Which columns of the organisation cannot take what the maps may bring, by its own metadata."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().mappings.told())

    return await guarded(req, context, READ, look)


@bp.function_name("get_drops")
@bp.route(route="ops/drops", methods=["GET"])
async def get_drops(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The last export drops, their modules, and the records that are kept out, those behind `after`."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        behind = after(req)
        return not_a_number() if behind is None else answer(200, await app().file_exchange.told(behind))

    return await guarded(req, context, READ, look)


@bp.function_name("get_imports")
@bp.route(route="ops/imports", methods=["GET"])
async def get_imports(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Writes that wait for a system that takes files only, and the last workbooks with them."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().handover.told())

    return await guarded(req, context, READ, look)


@bp.function_name("post_replay")
@bp.route(route="ops/replays", methods=["POST"])
async def post_replay(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Send one message again, with its own properties, in its own place."""

    async def replay(caller: "Caller") -> func.HttpResponse:
        asked = asked_for(req) or {}
        message = asked.get("messageId")
        if not isinstance(message, str):
            return problem(400, "request.message_id", 'send {"messageId": "..."}')
        done = await app().replay.message(message, caller.name)
        if done is None:
            return problem(404, "request.not_found", "no message has this id")
        return answer(200, done)

    return await guarded(req, context, OPERATE, replay)
