"""POST $batch: many operations in one request, change sets all or nothing."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from local.dataverse.api.multipart import ChangeSet, Operation, Result, bad_batch, read_batch, write_batch
from local.dataverse.api.organisation import sighting
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, Call, read_preferences, read_query, refused
from local.dataverse.errors import Refusal
from local.dataverse.odata.address import ROOT
from local.dataverse.rows.caller import Origin
from local.dataverse.store.transaction import Transaction

Dispatch = Callable[[Request], Answer]

_REFERENCE = re.compile(r"^/?\$([A-Za-z0-9_-]+)(?=/|$)")
_LONGEST_URL = 65_536


def run_batch(request: Request, dispatch: Dispatch) -> Answer:
    """Answer 200, or 400 with the results so far when a part failed and nothing said go on."""
    items = read_batch(request.call.body, request.call.headers.get("content-type", ""))
    results: list[Result | list[Result]] = []
    status = 200
    for item in items:
        if isinstance(item, ChangeSet):
            result = _run_set(request, item, dispatch)
            failed = isinstance(result, Result)
            results.append(result)
        else:
            alone = Result(_run(request, item, dispatch, None, {}), item.content_id)
            failed = alone.answer.status >= 400
            results.append(alone)
        if failed and not request.preferences.continue_on_error:
            status = 400
            break
    content_type, body = write_batch(results)
    headers = {"Content-Type": content_type}
    if request.preferences.continue_on_error:
        headers["Preference-Applied"] = "odata.continue-on-error"
    return Answer(status, headers, body)


def _run_set(request: Request, change_set: ChangeSet, dispatch: Dispatch) -> Result | list[Result]:
    """The answers of all members, or the one refusal that undid them."""
    transaction = request.organisation.begin(request.origin)
    entities: dict[str, str] = {}
    results = []
    for operation in change_set.operations:
        answer = _run(request, operation, dispatch, transaction, entities)
        if answer.status >= 400:
            return Result(answer, operation.content_id)
        if operation.content_id is not None and answer.entity:
            entities[operation.content_id] = answer.entity
        results.append(Result(answer, operation.content_id))
    request.organisation.commit(transaction)
    return results


def _run(
    request: Request,
    operation: Operation,
    dispatch: Dispatch,
    transaction: Transaction | None,
    entities: dict[str, str],
) -> Answer:
    preferences = read_preferences(operation.headers.get("prefer", ""))
    try:
        call = _call(request, operation, entities)
        faults = request.organisation.faults
        seen = sighting(request.organisation, call, request.origin.caller.real) if faults.active else None
        fault = faults.take(call, seen, in_batch=True) if seen is not None else None
        refusal = fault.refusal() if fault is not None else None
        if refusal is not None:
            raise refusal
        silent = operation.headers.get("mscrm.suppresscallbackregistrationexpanderjob", "").lower() == "true"
        origin = Origin(request.origin.caller, silent, call.query.get("tag", ""), request.origin.correlation)
        return dispatch(Request(call, request.organisation, origin, transaction))
    except Refusal as refusal:
        return refused(refusal, preferences)


def _call(request: Request, operation: Operation, entities: dict[str, str]) -> Call:
    url = _resolved(operation.url, entities)
    if len(url) > _LONGEST_URL:
        raise bad_batch(f"The address of a part is longer than {_LONGEST_URL} characters.")
    path, _, query = ROOT.sub("", url).lstrip("/").partition("?")
    if path.lower() == "$batch":
        raise bad_batch("A batch cannot hold another batch.")
    body = operation.body
    if body and "$" in body and entities is not None:
        body = _with_references(body, entities)
    return Call(
        method=operation.method,
        path=unquote(path),
        query=read_query(query),
        headers=operation.headers,
        body=body.encode(),
        root=request.call.root,
        preferences=read_preferences(operation.headers.get("prefer", "")),
    )


def _with_references(body: str, entities: dict[str, str]) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        # The operation itself says what is wrong with the body.
        return body
    return json.dumps(_replaced(document, entities, bound=False))


def _replaced(value: Any, entities: dict[str, str], *, bound: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: _replaced(inner, entities, bound=name.endswith("@odata.bind") or name == "@odata.id")
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_replaced(inner, entities, bound=bound) for inner in value]
    return _resolved(value, entities) if bound and isinstance(value, str) else value


def _resolved(url: str, entities: dict[str, str]) -> str:
    match = _REFERENCE.match(url)
    if match is None or match[1] in {"batch", "metadata"}:
        return url
    if match[1] not in entities:
        raise Refusal(
            400, "0x80048d19", f"Content-ID Reference: '${match[1]}' does not exist in the batch context."
        )
    return entities[match[1]] + url[match.end() :]
