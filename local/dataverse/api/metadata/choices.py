"""Global choices, and the actions on the options of a choice, global or a column's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dataverse.api.metadata import definitions
from local.dataverse.api.metadata.answers import change, created, listed, single, wrong_method
from local.dataverse.api.metadata.documents import choice_document
from local.dataverse.api.metadata.posted import posted_label, posted_options
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.odata.address import Segment, bare_guid, key_parts, unquoted
from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.choice import GlobalChoice, options_spec
from local.dataverse.schema.column import Column, Kind

# Option values of a publisher start at its prefix times 10,000.
_FIRST_OPTION = 100_000_000


def global_choices(request: Request, segments: list[Segment]) -> Answer:
    """Everything below GlobalOptionSetDefinitions."""
    catalog, method = request.organisation.catalog, request.call.method
    key = segments[0].key
    if key is None:
        if method == "POST":
            return _create(request, request.call.json())
        documents = [choice_document(item) for item in catalog.choices.values()]
        return listed(request, "GlobalOptionSetDefinitions", documents)
    choice = _find(catalog, key)
    match method:
        case "GET":
            return single(request, "GlobalOptionSetDefinitions", choice_document(choice))
        case "PUT":
            return _replace(request, choice, request.call.json())
        case "DELETE":
            return _delete(request, choice)
    raise wrong_method(request)


def insert_option(request: Request, _segment: Segment) -> Answer:
    """InsertOptionValue: one more option; its value is the publisher's next when none is given."""
    return _insert(request, None, "InsertOptionValueResponse")


def insert_status(request: Request, _segment: Segment) -> Answer:
    """InsertStatusValue: one more status reason of a state."""
    state = request.call.json().get("StateCode")
    if not isinstance(state, int):
        raise bad_payload("The parameter 'StateCode' is missing.")
    return _insert(request, state, "InsertStatusValueResponse")


@dataclass(slots=True)
class _Options:
    """The options an action works on, and how they are kept."""

    labels: dict[int, str]
    states: dict[int, int]
    store: Callable[[list[dict[str, Any]]], None]

    def keep(self) -> None:
        spec = options_spec(self.labels)
        self.store([item | _state_of(self.states, item["value"]) for item in spec])


def _state_of(states: Mapping[int, int], value: int) -> dict[str, int]:
    return {"state": states[value]} if value in states else {}


def _options_of(request: Request, body: Mapping[str, Any]) -> _Options:
    catalog = request.organisation.catalog
    shared = body.get("OptionSetName")
    if shared:
        choice = catalog.choices.get(str(shared))
        if choice is None:
            raise definitions.not_found(f"a global choice with name {shared}")
        return _of_choice(request, choice)
    table = definitions.find_table(catalog, f"LogicalName='{body.get('EntityLogicalName')}'")
    column = definitions.find_column(table, f"LogicalName='{body.get('AttributeLogicalName')}'")
    if column.choice:
        return _of_choice(request, catalog.choices[column.choice])
    if column.kind not in {Kind.CHOICE, Kind.CHOICES, Kind.STATUS}:
        raise bad_payload(f"The column '{column.name}' has no options to change.")
    return _of_column(request, table.name, column)


def _of_choice(request: Request, choice: GlobalChoice) -> _Options:
    def keep(spec: list[dict[str, Any]]) -> None:
        change(request, "choice", choice.name, {"label": choice.label, "options": spec})

    return _Options(dict(choice.options), {}, keep)


def _of_column(request: Request, table: str, column: Column) -> _Options:
    def keep(spec: list[dict[str, Any]]) -> None:
        change(request, "options", table, {"column": column.name, "options": spec})

    return _Options(dict(column.options), dict(column.state_of), keep)


def _insert(request: Request, state: int | None, response: str) -> Answer:
    body = request.call.json()
    options = _options_of(request, body)
    if (state is None) == bool(options.states):
        raise bad_payload("Status reasons are inserted by InsertStatusValue, and nothing else is.")
    value = body.get("Value")
    value = int(value) if value is not None else max([_FIRST_OPTION - 1, *options.labels]) + 1
    if value in options.labels:
        raise Refusal(400, "0x80044153", f"An option with the value {value} already exists.")
    options.labels[value] = posted_label(body.get("Label"), str(value))
    if state is not None:
        options.states[value] = state
    options.keep()
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.{response}"
    return json_answer(200, {"@odata.context": context, "NewOptionValue": value})


def _create(request: Request, body: Mapping[str, Any]) -> Answer:
    name = body.get("Name")
    if not isinstance(name, str) or "_" not in name:
        raise bad_payload("A global choice needs a Name with a publisher prefix.")
    name = name.lower()
    if name in request.organisation.catalog.choices:
        raise Refusal(400, "0x80044153", f"An OptionSet with the name {name} already exists.")
    spec = {"label": posted_label(body.get("DisplayName"), name), "options": posted_options(body)}
    change(request, "choice", name, spec)
    return created(request, f"GlobalOptionSetDefinitions({request.organisation.catalog.choices[name].id})")


def _replace(request: Request, choice: GlobalChoice, body: Mapping[str, Any]) -> Answer:
    """PUT: label and options; options left out stay."""
    options = posted_options(body) if "Options" in body else options_spec(choice.options)
    change(
        request,
        "choice",
        choice.name,
        {"label": posted_label(body.get("DisplayName"), choice.label), "options": options},
    )
    return Answer(204)


def _delete(request: Request, choice: GlobalChoice) -> Answer:
    if request.organisation.catalog.sharing(choice.name):
        raise Refusal(
            400,
            "0x8004f01f",
            f"The OptionSet({choice.id}) component cannot be deleted because it is referenced by a column.",
        )
    change(request, "drop choice", choice.name, {})
    return Answer(204)


def _find(catalog: Catalog, key: str) -> GlobalChoice:
    wanted = bare_guid(key) or unquoted(key_parts(key).get("Name", "''"))
    found = next((item for item in catalog.choices.values() if wanted in {item.id, item.name}), None)
    if found is None:
        raise definitions.not_found(f"a global choice with name or id {wanted}")
    return found
