"""The operators' API for record owners: who is no user, what waits for them, and who is meant."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, guarded, problem, texts_asked_for
from shared.triggers.roles import OPERATE, READ, sees_personal

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()


@bp.function_name("get_record_owners")
@bp.route(route="ops/record-owners", methods=["GET"])
async def get_record_owners(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Unmatched owners with what waits for them by object, aliases, and what is laid down."""

    async def look(caller: "Caller") -> func.HttpResponse:
        return answer(200, await app().record_owners.told(plain=sees_personal(caller, req)))

    return await guarded(req, context, READ, look)


@bp.function_name("post_owner_alias")
@bp.route(route="ops/record-owners/aliases", methods=["POST"])
async def post_owner_alias(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Say which user is meant by an owner's name; with a blank user, that nobody says so any more."""
    from shared.recovery.record_owners import NotAnAlias  # noqa: PLC0415  # cold start

    async def say(caller: "Caller") -> func.HttpResponse:
        asked = texts_asked_for(req)
        if asked is None:
            return problem(400, "request.owner_alias", "send a JSON object of texts")
        try:
            told = await app().record_owners.alias(asked, caller.name)
        except NotAnAlias as refused:
            return problem(400, "request.owner_alias", str(refused))
        return answer(200, told)

    return await guarded(req, context, OPERATE, say)
