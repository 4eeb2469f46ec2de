"""The health route: says that the app is up and its state can be read. Open to all, tells nothing else."""

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, state_unavailable

bp = func.Blueprint()


@bp.function_name("get_health")
@bp.route(route="health", methods=["GET"])
async def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when the state can be read, 503 with a reason when it cannot."""
    del req
    from shared.core.ports import StoreUnavailable  # noqa: PLC0415  # cold start

    try:
        await app().operations.ping()
    except StoreUnavailable:
        return state_unavailable()
    return answer(200, {"status": "up"})
