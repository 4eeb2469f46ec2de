"""The issuer's HTTP face: discovery, keys, tokens for programs, and App Service's managed identity."""

import base64
import binascii
import hmac
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.identity import assertion
from local.identity.clients import APP_CLIENT_ID, Client
from local.identity.issuer import (
    CLIENT_TOKEN_LIFETIME,
    MANAGED_IDENTITY_LIFETIME,
    TENANT,
    Issuer,
    is_dataverse,
    resource_of,
)

# Entra ID accepts an id, a domain name, and two words for any tenant; here they all mean the only one.
_TENANT_NAMES: Final = frozenset({TENANT, "tandem.example", "common", "organizations"})
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_APP_SERVICE_VERSION: Final = "2019-08-01"


class _RefusedError(Exception):
    """A token request is not granted. Carries what OAuth2 calls `error`, and Entra ID's number for it."""

    def __init__(self, error: str, code: int, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.code = code
        self.status = status

    def answer(self) -> JSONResponse:
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self}",
            "error_codes": [self.code],
            "trace_id": str(uuid.uuid4()),
            "correlation_id": str(uuid.uuid4()),
        }
        return JSONResponse(body, self.status, {"Cache-Control": "no-store"})


def _credentials(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret from the form, or from HTTP Basic, the two ways that OAuth2 has."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise _RefusedError(
            "invalid_client", 7000216, "The Basic credentials cannot be read.", 401
        ) from fault
    return unquote_plus(client_id), unquote_plus(secret)


def _by_secret(clients: Mapping[str, Client], client_id: str, secret: str, audience: str) -> Client:
    """The client that asks. A stranger is a person at this machine, and gets a token for Dataverse alone."""
    client = clients.get(client_id)
    if client is None:
        if _CLIENT_ID.fullmatch(client_id) and secret and is_dataverse(audience):
            return Client(client_id, "A person at this machine", ())
        raise _RefusedError(
            "unauthorized_client", 700016, "No application with this client_id is registered here."
        )
    if not client.knows(secret):
        raise _RefusedError("invalid_client", 7000215, "Invalid client secret provided.", 401)
    return client


def _by_certificate(
    clients: Mapping[str, Client], form: Mapping[str, str], issuer: Issuer, addresses: Collection[str]
) -> Client:
    """The client whose registered certificate signed the assertion."""
    if form.get("client_assertion_type") != assertion.TYPE:
        raise _RefusedError("invalid_request", 900144, f"client_assertion_type must be {assertion.TYPE}.")
    signed = form["client_assertion"]
    try:
        client = clients.get(form.get("client_id") or assertion.claimed_client(signed))
        if client is None:
            raise _RefusedError(
                "unauthorized_client", 700016, "No application with this client_id is registered here."
            )
        assertion.check(signed, client.client_id, client.certificates, addresses, issuer.now())
    except assertion.AssertionRefusedError as refused:
        raise _RefusedError("invalid_client", refused.code, str(refused), 401) from refused
    return client


@dataclass(frozen=True, slots=True)
class _Endpoints:
    issuer: Issuer
    clients: Mapping[str, Client]
    identity_header: str

    async def health(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "healthy"})

    async def discovery(self, request: Request) -> JSONResponse:
        if request.path_params["tenant"] not in _TENANT_NAMES:
            return _RefusedError("invalid_tenant", 90002, "This tenant is not known here.").answer()
        tenant = f"{self.issuer.base}/{TENANT}"
        return JSONResponse(
            {
                "issuer": self.issuer.name,
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{tenant}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "grant_types_supported": ["client_credentials"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def keys(self, _request: Request) -> JSONResponse:
        return JSONResponse(self.issuer.key.key_set())

    async def token(self, request: Request) -> JSONResponse:
        try:
            return await self._token(request)
        except _RefusedError as refused:
            return refused.answer()

    async def _token(self, request: Request) -> JSONResponse:
        if request.path_params["tenant"] not in _TENANT_NAMES:
            raise _RefusedError("invalid_request", 90002, "This tenant is not known here.")
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if form.get("grant_type") != "client_credentials":
            raise _RefusedError(
                "unsupported_grant_type", 70003, "Only the client_credentials grant is offered here."
            )
        # The version 1 endpoint names a resource, version 2 a scope.
        audience = resource_of(form.get("scope", "")) or form.get("resource", "")
        if not audience or " " in audience:
            raise _RefusedError(
                "invalid_scope", 70011, "One scope of the form <resource>/.default is needed."
            )
        client = self._client(request, form, audience)
        lifetime = int(CLIENT_TOKEN_LIFETIME.total_seconds())
        body = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.issuer.program(client, audience),
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _client(self, request: Request, form: Mapping[str, str], audience: str) -> Client:
        if "client_assertion" not in form:
            return _by_secret(self.clients, *_credentials(request, form), audience)
        # The address as it was asked, and as discovery tells it: a client may know either.
        told = f"{self.issuer.base}/{TENANT}"
        addresses = {
            f"{self.issuer.base}{request.url.path}",
            f"{told}/oauth2/v2.0/token",
            f"{told}/oauth2/token",
            f"{told}/v2.0",
        }
        return _by_certificate(self.clients, form, self.issuer, addresses)

    async def managed_identity(self, request: Request) -> JSONResponse:
        """App Service's protocol: the header proves that the caller is the app, so no secret is sent."""

        def refused(status: int, message: str) -> JSONResponse:
            return JSONResponse({"statusCode": status, "message": message}, status)

        header = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(header.encode(), self.identity_header.encode()):
            return refused(401, "The X-IDENTITY-HEADER is missing or is not the app's.")
        if request.query_params.get("api-version") != _APP_SERVICE_VERSION:
            return refused(400, f"api-version must be {_APP_SERVICE_VERSION}.")
        resource = request.query_params.get("resource", "")
        if not resource:
            return refused(400, "resource is missing.")
        wanted = {"client_id", "object_id", "principal_id"} & request.query_params.keys()
        if "mi_res_id" in request.query_params or any(
            request.query_params[key] != APP_CLIENT_ID for key in wanted
        ):
            return refused(400, "No User Assigned or Delegated Managed Identity found for specified id.")
        expires = self.issuer.now() + MANAGED_IDENTITY_LIFETIME
        return JSONResponse(
            {
                "access_token": self.issuer.managed_identity(resource),
                "client_id": APP_CLIENT_ID,
                "resource": resource,
                "token_type": "Bearer",
                "expires_on": str(int(expires.timestamp())),
            }
        )


def application(issuer: Issuer, clients: Mapping[str, Client], identity_header: str) -> Starlette:
    """The whole issuer as one ASGI application."""
    endpoints = _Endpoints(issuer, clients, identity_header)
    return Starlette(
        routes=[
            Route("/health", endpoints.health),
            Route("/msi/token", endpoints.managed_identity),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", endpoints.discovery),
            Route("/{tenant}/discovery/v2.0/keys", endpoints.keys),
            Route("/{tenant}/oauth2/v2.0/token", endpoints.token, methods=["POST"]),
            Route("/{tenant}/oauth2/token", endpoints.token, methods=["POST"]),
        ]
    )
