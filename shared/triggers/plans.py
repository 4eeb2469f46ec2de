"""The API of replay plans: made, looked at, run, paused, resumed, cancelled, reported (N-02)."""

from collections.abc import Mapping, Sequence
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
_MOST = 200
"""Of each name so many: a selection is one statement, which takes no more."""

_POLICY: Mapping[str, tuple[float, float]] = {
    "canary": (0, 10_000),
    "rate": (0.01, 10_000),
    "stop_percent": (0, 100),
    "stop_lag": (0, 86_400),
}
"""How a plan is run, each between two numbers: records, records a second, percent, seconds."""


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
            reason = _reason(body)
            number = int(req.route_params["plan"])
            told = await app().plans.act(number, action, caller.name, policy=policy, reason=reason)
        except _Malformed as fault:
            return problem(400, "request.policy", str(fault))
        except NotPossible as fault:
            return problem(409, "request.plan_state", str(fault))
        return _found(told)

    return await guarded(req, context, OPERATE, act)


def _reason(body: Mapping[str, Any]) -> str | None:
    given = body.get("reason")
    if given is not None and not isinstance(given, str):
        raise _Malformed("reason: a text")
    return given or None


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

    _nothing_else(body, (*_NAMES, "since", "until", "everything"))
    lists: dict[str, tuple[str, ...]] = {}
    for name in _NAMES:
        given = body.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
            raise _Malformed(f"{name}: a list of texts")
        if len(given) > _MOST:
            raise _Malformed(f"{name}: at most {_MOST}; take a group or a time instead, or several plans")
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

    _nothing_else(body, (*_POLICY, "reason"))
    usual = Policy()
    canary = _number(body, "canary", usual.canary)
    if not canary.is_integer():
        raise _Malformed("canary: a whole number")
    return Policy(
        canary=int(canary),
        rate=_number(body, "rate", usual.rate),
        stop_percent=_number(body, "stop_percent", usual.stop_percent),
        stop_lag=timedelta(seconds=_number(body, "stop_lag", usual.stop_lag.total_seconds())),
    )


def _nothing_else(body: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse a name that nobody reads: it was meant to say something."""
    for name in body:
        if name not in known:
            raise _Malformed(f"{name}: is not known; there are {', '.join(known)}")


def _number(body: Mapping[str, Any], name: str, usual: float) -> float:
    given, (least, most) = body.get(name), _POLICY[name]
    if given is None:
        return float(usual)
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most:
        raise _Malformed(f"{name}: a number from {least:g} to {most:g}")
    return float(given)


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    given = body.get(name)
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(str(given))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Malformed(f"{name}: an ISO 8601 instant") from error
