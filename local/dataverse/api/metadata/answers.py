"""How every metadata address answers and changes things."""

from collections.abc import Iterable, Mapping
from typing import Any

from local.dataverse.api.metadata.changes import apply
from local.dataverse.api.metadata.documents import Document
from local.dataverse.api.metadata.selection import chosen, shown
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, shaped
from local.dataverse.odata.options import read_options

_PRIVILEGES = {
    "table": "prvCreateEntity",
    "drop table": "prvCreateEntity",
    "relationship": "prvCreateRelationship",
    "pair": "prvCreateRelationship",
    "drop pair": "prvCreateRelationship",
    "choice": "prvCreateOptionSet",
    "drop choice": "prvCreateOptionSet",
}


def listed(request: Request, what: str, documents: Iterable[Document]) -> Answer:
    """The documents a query finds; definitions are never paged."""
    options = read_options(request.call.query)
    found = chosen(documents, options)
    document: dict[str, Any] = {"@odata.context": f"{request.call.root}$metadata#{what}"}
    if options.count:
        document["@odata.count"] = len(found)
    return json_answer(200, document | {"value": found[: options.top]})


def single(request: Request, what: str, document: Document) -> Answer:
    """One document."""
    found = shown(document, read_options(request.call.query))
    return json_answer(200, {"@odata.context": f"{request.call.root}$metadata#{what}/$entity", **found})


def created(request: Request, address: str) -> Answer:
    """The answer to a definition that was made."""
    url = f"{request.call.root}{address}"
    return Answer(204, {"OData-EntityId": url, "Location": url})


def change(request: Request, kind: str, name: str, body: Mapping[str, Any]) -> None:
    """Make a change, and keep it only if it can be made; Refusal 403 when the caller may not customise."""
    privilege = _PRIVILEGES.get(kind, "prvCreateAttribute")
    request.organisation.privileges.check_named(request.origin.caller, privilege)
    with shaped("The definition"):
        apply(request.organisation.catalog, kind, name, body)
    request.organisation.store.database.add_metadata(kind, name, dict(body))


def wrong_method(request: Request) -> Refusal:
    """Definitions do not have this."""
    return Refusal(405, "0x80060888", f"Definitions do not support http method '{request.call.method}'.")
