"""The health route: whether the app can work, and else what is wrong. Open to all, tells nothing else."""

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, standing

bp = func.Blueprint()


@bp.function_name("get_health")
@bp.route(route="health", methods=["GET"])
async def get_health(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """200 when the state can be read; 503 with the reason when it cannot, or with the settings at fault."""
    del req

    async def look() -> func.HttpResponse:
        await app().operations.ping()
        return answer(200, {"status": "up"})

    return await standing(context, look)
