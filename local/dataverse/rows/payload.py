"""The body of a write, read against the table: values, bindings, nested rows."""

from dataclasses import dataclass, field
from typing import Any

from local.dataverse.errors import bad_payload, undeclared_binding, unknown_property
from local.dataverse.rows.plan import plan_of
from local.dataverse.rows.references import referenced
from local.dataverse.schema.catalog import Collection
from local.dataverse.schema.column import DETACHED, Column, Kind
from local.dataverse.schema.relationships import ManyToMany
from local.dataverse.schema.table import Binding, Table
from local.dataverse.store.transaction import Transaction

BIND = "@odata.bind"


@dataclass(slots=True)
class Draft:
    """What a body asks for; `values` holds every named column, None where it clears."""

    table: Table
    values: dict[str, Any] = field(default_factory=dict)
    parents: list[tuple[Column, str, dict[str, Any]]] = field(default_factory=list)
    children: list[tuple[Collection, list[dict[str, Any]]]] = field(default_factory=list)
    related: list[tuple[ManyToMany, list[dict[str, Any]]]] = field(default_factory=list)
    links: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def columns(self) -> frozenset[str]:
        """The columns the request named: what subscriptions filter on."""
        return frozenset(self.values) | {column.name for column, _, _ in self.parents}


def read_draft(transaction: Transaction, table: Table, body: dict[str, Any]) -> Draft:
    """The draft of a body; Refusal at the first property that does not fit."""
    draft = Draft(table)
    plain, values = plan_of(table).plain, draft.values
    for name, value in body.items():
        if (known := plain.get(name)) is not None:
            column, read, surely_fits = known
            if type(value) is str and len(value) <= surely_fits:
                values[column.name] = value or None
            else:
                values[column.name] = None if value is None else read(column, value, table.name)
        elif name.endswith(BIND):
            _bind(transaction, draft, name, value)
        elif "@" in name:
            continue
        elif (unplain := table.properties.get(name)) is not None and unplain.kind not in DETACHED:
            _refuse_lookup(unplain)
        else:
            _nested(transaction, draft, name, value)
    return draft


def _refuse_lookup(column: Column) -> None:
    """Refusal for a lookup; the columns the service keeps itself it takes and does not use."""
    if column.kind is Kind.LOOKUP:
        raise bad_payload(
            "CRM do not support direct update of Entity Reference properties, "
            f"Use Navigation properties instead. Property: {column.property_name}"
        )


def _bind(transaction: Transaction, draft: Draft, name: str, value: Any) -> None:
    navigation = name.removesuffix(BIND)
    bound = draft.table.bindings.get(navigation)
    if bound is not None:
        if not bound.column.read_only:
            draft.values[bound.column.name] = (
                None if value is None else referenced(transaction, value, bound.targets, navigation)
            )
        return
    catalog = transaction.store.catalog
    known = catalog.collections(draft.table.name).keys() | catalog.pairs_of(draft.table.name).keys()
    if navigation not in known:
        raise undeclared_binding(name)
    if not isinstance(value, list):
        raise bad_payload(f"The value of '{name}' must be a list of addresses.")
    draft.links.append((navigation, value))


def _nested(transaction: Transaction, draft: Draft, name: str, value: Any) -> None:
    catalog, table = transaction.store.catalog, draft.table
    bound = table.bindings.get(name)
    if bound is not None:
        _parent(draft, bound, name, value)
        return
    collection = catalog.collections(table.name).get(name)
    pair = catalog.pairs_of(table.name).get(name)
    if collection is None and pair is None:
        raise unknown_property(table.name, name)
    if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
        raise bad_payload(f"The value of '{name}' must be a list of objects.")
    if collection is not None:
        draft.children.append((collection, value))
    elif pair is not None:
        draft.related.append((pair, value))


def _parent(draft: Draft, bound: Binding, name: str, value: Any) -> None:
    if value is None:
        draft.values[bound.column.name] = None
    elif isinstance(value, dict) and len(bound.targets) == 1:
        draft.parents.append((bound.column, bound.targets[0], value))
    else:
        raise bad_payload(f"The value of '{name}' must be an object of one known table.")
