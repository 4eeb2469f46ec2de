"""The vault's HTTP face: the secrets operations of Azure Key Vault's data plane, every version of its API."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.vault.caller import RESOURCE, TokenCheck, UnauthenticatedError
from local.vault.secret_store import Secret, SecretStore, SecretVersion, VaultRefusalError

_RECOVERABLE_DAYS = 90
_PAGE = 25
_DAY = 86_400

Operation = Callable[[SecretStore, Request], Awaitable[Response]]


def _without_blanks(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value not in (None, {})}


def _bundle(
    request: Request, secret: Secret, version: SecretVersion, *, value: bool = True
) -> dict[str, Any]:
    attributes = {
        "enabled": version.enabled,
        "nbf": version.not_before,
        "exp": version.expires,
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": _RECOVERABLE_DAYS,
    }
    return _without_blanks(
        {
            "value": version.value if value else None,
            "id": f"{request.base_url}secrets/{secret.name}/{version.version}",
            "contentType": version.content_type,
            "tags": dict(version.tags),
            "attributes": _without_blanks(attributes),
        }
    )


def _item(request: Request, secret: Secret) -> dict[str, Any]:
    newest = _bundle(request, secret, secret.version(""), value=False)
    return newest | {"id": f"{request.base_url}secrets/{secret.name}"}


def _deletion(request: Request, secret: Secret) -> dict[str, Any]:
    deleted = secret.deleted or 0
    return {
        "recoveryId": f"{request.base_url}deletedsecrets/{secret.name}",
        "deletedDate": deleted,
        "scheduledPurgeDate": deleted + _RECOVERABLE_DAYS * _DAY,
    }


def _page(request: Request, rows: list[dict[str, Any]]) -> Response:
    """One page of a list and the address of the next, as the SDK's pager walks it."""
    start = int(request.query_params.get("$skiptoken", "0"))
    size = int(request.query_params.get("maxresults", str(_PAGE)))
    body: dict[str, Any] = {"value": rows[start : start + size], "nextLink": None}
    if start + size < len(rows):
        body["nextLink"] = str(request.url.include_query_params(**{"$skiptoken": start + size}))
    return JSONResponse(body)


async def _attributes(request: Request) -> tuple[dict[str, Any], Any]:
    """The fields of `SecretVersion` that the body names, and the value, if it has one."""
    try:
        body = json.loads(await request.body())
    except ValueError as fault:
        raise VaultRefusalError(400, "BadParameter", "The request body is not JSON.") from fault
    if not isinstance(body, dict):
        raise VaultRefusalError(400, "BadParameter", "The request body is not a JSON object.")
    given = body.get("attributes") or {}
    named = {
        "enabled": given.get("enabled"),
        "not_before": given.get("nbf"),
        "expires": given.get("exp"),
        "content_type": body.get("contentType"),
        "tags": body.get("tags"),
    }
    return {key: value for key, value in named.items() if value is not None}, body.get("value")


async def _get(store: SecretStore, request: Request) -> Response:
    found = store.readable(request.path_params["name"], request.path_params.get("version", ""))
    return JSONResponse(_bundle(request, *found))


async def _set(store: SecretStore, request: Request) -> Response:
    attributes, value = await _attributes(request)
    if not isinstance(value, str):
        raise VaultRefusalError(400, "BadParameter", "The property value is needed, and is text.")
    return JSONResponse(_bundle(request, *store.set(request.path_params["name"], value, attributes)))


async def _update(store: SecretStore, request: Request) -> Response:
    attributes, _ = await _attributes(request)
    name, version = request.path_params["name"], request.path_params.get("version", "")
    return JSONResponse(_bundle(request, *store.update(name, version, attributes), value=False))


async def _delete(store: SecretStore, request: Request) -> Response:
    secret = store.delete(request.path_params["name"])
    return JSONResponse(_item(request, secret) | _deletion(request, secret))


async def _list(store: SecretStore, request: Request) -> Response:
    return _page(request, [_item(request, secret) for secret in store.live()])


async def _versions(store: SecretStore, request: Request) -> Response:
    secret = store.find(request.path_params["name"])
    return _page(request, [_bundle(request, secret, version, value=False) for version in secret.versions])


async def _list_deleted(store: SecretStore, request: Request) -> Response:
    return _page(request, [_item(request, one) | _deletion(request, one) for one in store.deleted()])


async def _get_deleted(store: SecretStore, request: Request) -> Response:
    secret = store.find_deleted(request.path_params["name"])
    return JSONResponse(_item(request, secret) | _deletion(request, secret))


async def _recover(store: SecretStore, request: Request) -> Response:
    return JSONResponse(_item(request, store.recover(request.path_params["name"])))


async def _purge(store: SecretStore, request: Request) -> Response:
    store.purge(request.path_params["name"])
    return Response(status_code=204)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def application(store: SecretStore, tokens: TokenCheck) -> Starlette:
    """The whole vault as one ASGI application. Any caller the issuer vouches for may use every operation."""
    authority = tokens.issuer.removesuffix("/v2.0")
    challenge = {"WWW-Authenticate": f'Bearer authorization="{authority}", resource="{RESOURCE}"'}

    def guarded(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                await tokens.check(request.headers.get("Authorization", ""))
                return await operation(store, request)
            except UnauthenticatedError as refused:
                return _error(401, "Unauthorized", str(refused), challenge)
            except VaultRefusalError as refused:
                return _error(refused.status, refused.code, str(refused))

        return endpoint

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "healthy"})

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await tokens.close()

    operations: tuple[tuple[str, str, Operation], ...] = (
        ("GET", "/secrets", _list),
        ("GET", "/secrets/{name}/versions", _versions),
        ("GET", "/secrets/{name}", _get),
        ("GET", "/secrets/{name}/", _get),
        ("GET", "/secrets/{name}/{version}", _get),
        ("PUT", "/secrets/{name}", _set),
        ("PATCH", "/secrets/{name}/{version}", _update),
        ("PATCH", "/secrets/{name}/", _update),
        ("DELETE", "/secrets/{name}", _delete),
        ("GET", "/deletedsecrets", _list_deleted),
        ("GET", "/deletedsecrets/{name}", _get_deleted),
        ("DELETE", "/deletedsecrets/{name}", _purge),
        ("POST", "/deletedsecrets/{name}/recover", _recover),
    )
    routes = [Route(path, guarded(operation), methods=[method]) for method, path, operation in operations]
    return Starlette(routes=[Route("/health", health), *routes], lifespan=lifespan)
