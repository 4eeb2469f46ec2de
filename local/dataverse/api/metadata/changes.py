"""Changes to the catalog at run time, kept in the store so that a restart repeats them.

Every change is a small JSON document in the words of the table files; `apply` is the one place that knows
what each kind means.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.dataverse.schema.catalog import Catalog, add_key, choice_from
from local.dataverse.schema.choice import options_from
from local.dataverse.schema.relationships import ManyToMany
from local.dataverse.schema.table import AlternateKey

Body = Mapping[str, Any]


def apply(catalog: Catalog, kind: str, name: str, body: Body) -> None:
    """Make one change; `name` is the table, or the relationship."""
    _KINDS[kind](catalog, name, body)
    catalog.forget_relationships()


def _add_table(catalog: Catalog, _name: str, body: Body) -> None:
    catalog.make_table(body)


def _drop_table(catalog: Catalog, name: str, _body: Body) -> None:
    catalog.drop_table(name)


def _put_column(catalog: Catalog, name: str, body: Body) -> None:
    table = catalog.tables[name]
    made = catalog.column(body["name"], body, custom=body.get("custom", True))
    if body["name"] in table.columns:
        table.drop_column(body["name"])
    table.add_column(made)


def _drop_column(catalog: Catalog, name: str, body: Body) -> None:
    catalog.tables[name].drop_column(body["name"])


def _put_options(catalog: Catalog, name: str, body: Body) -> None:
    table = catalog.tables[name]
    options = options_from(body["options"])
    states = {int(option["value"]): int(option["state"]) for option in body["options"] if "state" in option}
    table.add_column(replace(table.columns[body["column"]], options=options, state_of=states))


def _put_choice(catalog: Catalog, name: str, body: Body) -> None:
    catalog.put_choice(choice_from(name, body))


def _drop_choice(catalog: Catalog, name: str, _body: Body) -> None:
    del catalog.choices[name]


def _add_key(catalog: Catalog, name: str, body: Body) -> None:
    add_key(catalog.tables[name], AlternateKey(body["name"], tuple(body["columns"])))


def _drop_key(catalog: Catalog, name: str, body: Body) -> None:
    del catalog.tables[name].keys[body["name"]]


def _name_relationship(catalog: Catalog, name: str, body: Body) -> None:
    catalog.relationship_names[body["table"], body["column"], body["target"]] = name


def _add_pair(catalog: Catalog, name: str, body: Body) -> None:
    catalog.many_to_many[name] = ManyToMany(**body)


def _drop_pair(catalog: Catalog, name: str, _body: Body) -> None:
    del catalog.many_to_many[name]


_KINDS: Mapping[str, Callable[[Catalog, str, Body], None]] = {
    "table": _add_table,
    "drop table": _drop_table,
    "column": _put_column,
    "drop column": _drop_column,
    "options": _put_options,
    "choice": _put_choice,
    "drop choice": _drop_choice,
    "key": _add_key,
    "drop key": _drop_key,
    "relationship": _name_relationship,
    "pair": _add_pair,
    "drop pair": _drop_pair,
}
