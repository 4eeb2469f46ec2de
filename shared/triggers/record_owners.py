"""The operators' API for record owners: who is no user, what waits for them, and who is meant."""

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

_SEES_PERSONAL = {_OPERATE, "Ops.Personal"}
"""Who says who somebody is must see the name; a reader does not, unless a second role says so (ADR 0019)."""


@bp.function_name("get_record_owners")
@bp.route(route="ops/record-owners", methods=["GET"])
async def get_record_owners(req: func.HttpRequest) -> func.HttpResponse:
    """Unmatched owners with what waits for them by object, aliases, and what is laid down."""

    async def look(caller: "Caller") -> func.HttpResponse:
        return answer(200, await app().record_owners.told(plain=bool(caller.roles & _SEES_PERSONAL)))

    return await guarded(req, _READ, look)


@bp.function_name("post_owner_alias")
@bp.route(route="ops/record-owners/aliases", methods=["POST"])
async def post_owner_alias(req: func.HttpRequest) -> func.HttpResponse:
    """Say which user is meant by an owner's name; with a blank user, that nobody says so any more."""
    from shared.recovery.record_owners import NotAnAlias  # noqa: PLC0415  # cold start

    async def say(caller: "Caller") -> func.HttpResponse:
        try:
            asked = json.loads(req.get_body())
            if not isinstance(asked, dict):
                raise NotAnAlias("send an object")
            told = await app().record_owners.alias(
                {str(name): str(value) for name, value in asked.items()}, caller.name
            )
        except ValueError as refused:
            detail = str(refused) if isinstance(refused, NotAnAlias) else "send a JSON object"
            return problem(400, "request.owner_alias", detail)
        return answer(200, told)

    return await guarded(req, _OPERATE, say)
