"""The API of replay plans: made, looked at, run, paused, resumed, cancelled, reported (N-02)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, asked_for, guarded, problem
from shared.triggers.roles import OPERATE, READ

if TYPE_CHECKING:
    from shared.connectors.callers import Caller
    from shared.core.plan import Policy, Selection

bp = func.Blueprint()

_ACTIONS = ("run", "pause", "resume", "cancel")
_NAMES = ("groups", "systems", "entities", "records")


class _Malformed(Exception):
    """The body cannot be taken; the text says which field, and what it has to be."""


@bp.function_name("get_groups")
@bp.route(route="ops/groups", methods=["GET"])
async def get_groups(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What is failing, by cause: how much, since when, and what to do."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, {"groups": await app().operations.groups.open()})

    return await guarded(req, context, READ, look)


@bp.function_name("post_plan")
@bp.route(route="ops/plans", methods=["POST"])
async def post_plan(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Freeze the failures that a selection means; nothing is sent yet."""

    async def make(caller: "Caller") -> func.HttpResponse:
        try:
            selection = _selection(_body(req))
        except _Malformed as fault:
            return problem(400, "request.selection", str(fault))
        told = await app().plans.create(selection, caller.name)
        return answer(201, told, {"Location": f"/api/ops/plans/{told['plan']}"})

    return await guarded(req, context, OPERATE, make)


@bp.function_name("get_plans")
@bp.route(route="ops/plans", methods=["GET"])
async def get_plans(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The newest plans."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return answer(200, await app().plans.all())

    return await guarded(req, context, READ, look)


@bp.function_name("get_plan")
@bp.route(route="ops/plans/{plan:int}", methods=["GET"])
async def get_plan(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """A plan: what was foreseen, and how far it is."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return _found(await app().plans.show(int(req.route_params["plan"])))

    return await guarded(req, context, READ, look)


@bp.function_name("get_plan_report")
@bp.route(route="ops/plans/{plan:int}/report", methods=["GET"])
async def get_plan_report(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What became of every message of a plan."""

    async def look(caller: "Caller") -> func.HttpResponse:
        del caller
        return _found(await app().plans.report(int(req.route_params["plan"])))

    return await guarded(req, context, READ, look)


@bp.function_name("post_plan_action")
@bp.route(route="ops/plans/{plan:int}/{action}", methods=["POST"])
async def post_plan_action(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Run, pause, resume or cancel a plan."""

    async def act(caller: "Caller") -> func.HttpResponse:
        from shared.recovery.plans.desk import NotPossible  # noqa: PLC0415  # cold start

        action = req.route_params["action"]
        if action not in _ACTIONS:
            return problem(404, "request.not_found", f"a plan can {', '.join(_ACTIONS)}")
        try:
            body = _body(req)
            policy = _policy(body) if action == "run" and body else None
            reason = str(body["reason"]) if body.get("reason") else None
            number = int(req.route_params["plan"])
            told = await app().plans.act(number, action, caller.name, policy=policy, reason=reason)
        except _Malformed as fault:
            return problem(400, "request.policy", str(fault))
        except NotPossible as fault:
            return problem(409, "request.plan_state", str(fault))
        return _found(told)

    return await guarded(req, context, OPERATE, act)


def _found(told: Mapping[str, Any] | None) -> func.HttpResponse:
    if told is None:
        return problem(404, "request.not_found", "no plan has this number: see `tandem replay list`")
    return answer(200, told)


def _body(req: func.HttpRequest) -> dict[str, Any]:
    body = asked_for(req) if req.get_body() else {}
    if body is None:
        raise _Malformed("send a JSON object")
    return body


def _selection(body: Mapping[str, Any]) -> "Selection":
    from shared.core.plan import Selection  # noqa: PLC0415  # cold start

    lists: dict[str, tuple[str, ...]] = {}
    for name in _NAMES:
        given = body.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
            raise _Malformed(f"{name}: a list of texts")
        lists[name] = tuple(given)
    selection = Selection(
        **lists,
        since=_instant(body, "since"),
        until=_instant(body, "until"),
        everything=body.get("everything") is True,
    )
    if selection.is_empty:
        expected = "groups, systems, entities, records, since or until; or everything: true"
        raise _Malformed(f"say which failures: {expected}")
    return selection


def _policy(body: Mapping[str, Any]) -> "Policy":
    from shared.core.plan import Policy  # noqa: PLC0415  # cold start

    usual = Policy()
    return Policy(
        canary=int(_number(body, "canary", usual.canary, least=0)),
        rate=_number(body, "rate", usual.rate, least=0.01),
        stop_percent=_number(body, "stop_percent", usual.stop_percent, least=0),
        stop_lag=timedelta(seconds=_number(body, "stop_lag", usual.stop_lag.total_seconds(), least=0)),
    )


def _number(body: Mapping[str, Any], name: str, usual: float, *, least: float) -> float:
    given = body.get(name)
    if given is None:
        return usual
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given < float("inf"):
        raise _Malformed(f"{name}: a number of at least {least:g}")
    return float(given)


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    given = body.get(name)
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError as error:
        raise _Malformed(f"{name}: an ISO 8601 instant") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
