"""The HTTP door for external systems: post an envelope, ask what became of it (E-15)."""

import re
from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, faulty, guarded, problem
from shared.triggers.roles import WRITE

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()

_KEY = re.compile(r"[A-Za-z0-9._~:@+=,;!$&'()*-]{1,128}")
"""What an Idempotency-Key may be: it stands in the address at which its sender asks."""

_LARGEST = 192 * 1024
"""Bytes of body accepted: with its properties a message must stay below the queue's 256 KB."""


@bp.function_name("post_inbound")
@bp.route(route="inbound", methods=["POST"])
async def post_inbound(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Queue an inbound envelope; the Idempotency-Key header becomes its message id."""

    async def post(caller: "Caller") -> func.HttpResponse:
        # Quoted, as the header's draft standard has it, or bare, as most send it.
        key = req.headers.get("Idempotency-Key", "").strip().strip('"')
        body = req.get_body()
        if not _KEY.fullmatch(key):
            rule = "send an Idempotency-Key of 1 to 128 letters, digits or -._~:@+=,;!$&'()*"
            return problem(400, "request.idempotency_key", rule)
        if not app().intake.may_use(key):
            return problem(
                400, "request.idempotency_key", "this key begins like those of Tandem's own messages"
            )
        if len(body) > _LARGEST:
            return problem(413, "request.too_large", f"a body has at most {_LARGEST} bytes")
        refused = await app().intake.submit(key, body, caller.id)
        if refused is not None:
            return faulty("the envelope was refused", refused.faults)
        location = f"/api/inbound/{key}"
        return answer(202, {"id": key, "status": "queued", "statusUrl": location}, {"Location": location})

    return await guarded(req, context, WRITE, post)


@bp.function_name("get_inbound")
@bp.route(route="inbound/{id}", methods=["GET"])
async def get_inbound(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What became of a posted message."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        key = req.route_params["id"]
        found = await app().operations.message(key)
        if found is None:
            return problem(404, "request.not_found", "no message with this id has arrived yet")
        return answer(200, found)

    return await guarded(req, context, WRITE, look)
