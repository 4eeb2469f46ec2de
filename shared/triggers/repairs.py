"""The operators' API for one message that holds its lane: skip it, release it, replace it, edit it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared.triggers.app import app
from shared.triggers.doors import answer, asked_for, faulty, guarded, problem
from shared.triggers.roles import OPERATE

if TYPE_CHECKING:
    from shared.connectors.callers import Caller

bp = func.Blueprint()

_WRONG = {
    "unknown": (404, "request.not_found", "no message has this id"),
    "purged": (409, "request.not_possible", "its body is no longer kept"),
    "not_aside": (409, "request.not_possible", "only a message set aside for its time can be released"),
    "unrelated": (409, "request.not_possible", "the message named in its place is of another record"),
}

Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Need:
    """What a repair has to be told besides the message and the reason, and how that is asked for."""

    told: str
    fits: Callable[[Asked], bool]


def _has_fields(asked: Asked) -> bool:
    fields = asked.get("set")
    return isinstance(fields, dict) and bool(fields) and all(map(_is_setting, fields.values()))


def _is_setting(value: object) -> bool:
    return value is None or isinstance(value, str)


def _stands_instead(asked: Asked) -> bool:
    if "body" in asked:
        return isinstance(asked["body"], dict) and "by" not in asked
    return isinstance(asked.get("by"), str)


_NOTHING = Need("", bool)
_SET = Need(', "set": {"<field>": "<text>" or null}', _has_fields)
_INSTEAD = Need(', "by": "<message id>" or "body": {...}', _stands_instead)


@bp.function_name("post_skip")
@bp.route(route="ops/repairs/skip", methods=["POST"])
async def post_skip(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Let a lane go on without a message; a message refused at the gate is acknowledged."""

    async def skip(asked: Asked, actor: str) -> Mapping[str, Any]:
        return await app().repairs.skip(asked["messageId"], asked["reason"], actor)

    return await guarded(req, context, OPERATE, lambda caller: _repaired(req, caller, skip))


@bp.function_name("post_release")
@bp.route(route="ops/repairs/release", methods=["POST"])
async def post_release(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Let a message that was set aside for its time go on with the time it claims."""

    async def release(asked: Asked, actor: str) -> Mapping[str, Any]:
        return await app().repairs.release(asked["messageId"], asked["reason"], actor)

    return await guarded(req, context, OPERATE, lambda caller: _repaired(req, caller, release))


@bp.function_name("post_supersede")
@bp.route(route="ops/repairs/supersede", methods=["POST"])
async def post_supersede(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Let another message (`by`), or another `body`, stand for a message."""

    async def supersede(asked: Asked, actor: str) -> Mapping[str, Any]:
        repairs = app().repairs
        if "body" in asked:
            body = json.dumps(asked["body"], ensure_ascii=False).encode()
            return await repairs.rewrite(asked["messageId"], body, asked["reason"], actor)
        return await repairs.supersede(asked["messageId"], asked["by"], asked["reason"], actor)

    return await guarded(req, context, OPERATE, lambda caller: _repaired(req, caller, supersede, _INSTEAD))


@bp.function_name("post_edit")
@bp.route(route="ops/repairs/edit", methods=["POST"])
async def post_edit(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Put a copy with some fields `set` in a message's place; a bad edit changes nothing."""

    async def edit(asked: Asked, actor: str) -> Mapping[str, Any]:
        return await app().repairs.edit(asked["messageId"], asked["set"], asked["reason"], actor)

    return await guarded(req, context, OPERATE, lambda caller: _repaired(req, caller, edit, _SET))


async def _repaired(
    req: func.HttpRequest,
    caller: "Caller",
    repair: Callable[[Asked, str], Awaitable[Mapping[str, Any]]],
    needs: "Need" = _NOTHING,
) -> func.HttpResponse:
    from shared.core.errors import InvalidMessage  # noqa: PLC0415  # cold start

    asked = _asked(req, needs)
    if asked is None:
        return problem(400, "request.repair", f'send {{"messageId": "...", "reason": "..."{needs.told}}}')
    try:
        told = await repair(asked, caller.name)
    except InvalidMessage as refusal:
        return faulty("the edit was refused; nothing was changed", refusal.faults)
    wrong = _WRONG.get(told["done"])
    return problem(*wrong) if wrong else answer(200, told)


def _asked(req: func.HttpRequest, needs: "Need") -> Asked | None:
    """What is asked for, if it is whole: which message, why, and what the repair needs besides."""
    asked = asked_for(req)
    if asked is None:
        return None
    named = all(isinstance(asked.get(name), str) and asked[name].strip() for name in ("messageId", "reason"))
    return asked if named and needs.fits(asked) else None
