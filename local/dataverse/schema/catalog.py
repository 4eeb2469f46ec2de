"""All tables by name and by set, with the relationships between them."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.dataverse.schema import own_tables
from local.dataverse.schema.choice import GlobalChoice, options_from, options_spec
from local.dataverse.schema.column import Column, Kind, changed_column, column_from
from local.dataverse.schema.relationships import MANY_TO_MANY, ManyToMany, collection_name
from local.dataverse.schema.table import AlternateKey, Table

TABLE_FOLDER = Path(__file__).parent / "tables"
# Metadata ids only have to be stable: they are derived from names.
_NAMESPACE = uuid.UUID("5f1de7a2-6d0c-4a53-8a39-0d4f6f0c9a11")


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows of `table` whose lookup `column` points at the row at hand."""

    name: str
    table: str
    column: Column
    referenced: str


class Catalog:
    """The tables of the organisation."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: dict[str, Table] = {}
        self._sets: dict[str, str] = {}
        self._collections: dict[str, dict[str, Collection]] = {}
        self._referencing: dict[str, list[tuple[str, Column]]] = {}
        # (referencing table, lookup, referenced table) -> schema name, for relationships made at run time
        self.relationship_names: dict[tuple[str, str, str], str] = {}
        self.choices: dict[str, GlobalChoice] = {}
        self.many_to_many: dict[str, ManyToMany] = {pair.name: pair for pair in MANY_TO_MANY}
        for table in tables:
            self.add_table(table)

    def add_table(self, table: Table) -> None:
        """Make a table known; its relationships are found on the next question."""
        table.id = table.id or metadata_id(table.name)
        self.tables[table.name] = table
        self._sets[table.set_name] = table.name
        self.forget_relationships()

    def become(self, other: "Catalog") -> None:
        """Hold what another catalog holds; everybody who knows this one sees it."""
        self.tables = other.tables
        self._sets = other._sets  # noqa: SLF001 - the same class
        self.many_to_many = other.many_to_many
        self.choices = other.choices
        self.relationship_names = other.relationship_names
        self.forget_relationships()

    def put_choice(self, choice: GlobalChoice) -> None:
        """Make a global choice known; columns that share it follow."""
        self.choices[choice.name] = choice
        for table, column in self.sharing(choice.name):
            table.add_column(replace(column, options=choice.options))

    def sharing(self, choice: str) -> list[tuple[Table, Column]]:
        """The columns that take their options from a global choice."""
        return [
            (table, column)
            for table in self.tables.values()
            for column in table.columns.values()
            if column.choice == choice
        ]

    def column(self, name: str, spec: Mapping[str, Any], *, custom: bool) -> Column:
        """A column from its entry, its options from the global choice it names; ValueError without one."""
        return column_from(name, self._resolved(name, spec), custom=custom)

    def make_table(self, spec: Mapping[str, Any]) -> None:
        """Make a table known by its entry; ValueError when a column names an unknown global choice."""
        columns = {name: self._resolved(name, column) for name, column in spec["columns"].items()}
        self.add_table(table_from({**spec, "columns": columns}))

    def _resolved(self, name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        shared = spec.get("choice", "")
        if not shared:
            return spec
        if shared not in self.choices:
            raise ValueError(f"column {name}: there is no global choice {shared}")
        return {**spec, "options": options_spec(self.choices[shared].options)}

    def drop_table(self, name: str) -> None:
        """Forget a table."""
        table = self.tables.pop(name)
        self._sets.pop(table.set_name, None)
        self.forget_relationships()

    def forget_relationships(self) -> None:
        """Drop what was derived from lookups, after a lookup came or went."""
        self._collections.clear()
        self._referencing.clear()

    def by_set(self, set_name: str) -> Table | None:
        """The table behind an entity set name."""
        name = self._sets.get(set_name)
        return self.tables[name] if name is not None else None

    def collections(self, table: str) -> Mapping[str, Collection]:
        """The collection-valued navigation properties of a table, by name."""
        if not self._collections:
            self._derive()
        return self._collections.get(table, {})

    def referencing(self, table: str) -> list[tuple[str, Column]]:
        """The lookups that may point at a table."""
        if not self._collections:
            self._derive()
        return self._referencing.get(table, [])

    def collection(self, referencing: str, column: str, referenced: str) -> str:
        """The name of the collection on `referenced`."""
        named = self.relationship_names.get((referencing, column, referenced))
        return named or collection_name(referencing, column, referenced)

    def pairs_of(self, table: str) -> dict[str, ManyToMany]:
        """The many-to-many navigation properties of a table."""
        found = {}
        for pair in self.many_to_many.values():
            if pair.first == table:
                found[pair.first_navigation] = pair
            if pair.second == table:
                found[pair.second_navigation] = pair
        return found

    def _derive(self) -> None:
        self._collections = {name: {} for name in self.tables}
        self._referencing = {name: [] for name in self.tables}
        for table in self.tables.values():
            for column in table.lookups():
                for target in column.targets:
                    if target not in self.tables:
                        continue
                    name = self.collection(table.name, column.name, target)
                    self._collections[target][name] = Collection(name, table.name, column, target)
                    self._referencing[target].append((table.name, column))


def metadata_id(*names: str) -> str:
    """A stable id for a table, column, key or relationship."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def load_catalog(*customisations: Path | None) -> Catalog:
    """The standard tables, with what each customisations file that exists adds and changes, in order."""
    catalog = Catalog(
        table_from(json.loads(path.read_text("utf-8"))) for path in sorted(TABLE_FOLDER.glob("*.json"))
    )
    for path in customisations:
        if path is not None and path.exists():
            customise(catalog, json.loads(path.read_text("utf-8")))
    return catalog


def table_from(spec: Mapping[str, Any]) -> Table:
    """A table from its file."""
    schema_name = spec["label"].replace(" ", "")
    table = Table(
        name=spec["table"],
        set_name=spec["set"],
        id_column=spec["id"],
        name_column=spec["name"],
        label=spec["label"],
        schema_name=spec.get(
            "schema", schema_name if schema_name.lower() == spec["table"] else spec["table"].capitalize()
        ),
        is_activity=spec["activity"],
        custom=spec.get("custom", False),
    )
    for name, column in spec["columns"].items():
        table.add_column(column_from(name, column, custom=column.get("custom", False)))
    for key in spec.get("keys", []):
        table.keys[key["name"]] = AlternateKey(key["name"], tuple(key["columns"]))
    return table


def customise(catalog: Catalog, spec: Mapping[str, Any]) -> None:
    """Add what a customisations file has of its own, and change what it says is different.

    Under a table, `columns` are new, `changed` gives properties of existing columns another value, where
    `options` are added to those there are and a null removes one; `keys` are new alternate keys.
    Raises ValueError when it names what does not exist, or something new without the publisher's prefix.
    """
    prefix = spec["publisher_prefix"]
    for choice in spec.get("choices", []):
        _prefixed(prefix, choice["name"])
        catalog.put_choice(choice_from(choice["name"], choice))
    for table in spec.get("new_tables", []):
        _prefixed(prefix, table["table"])
        columns = {column["name"]: {**column, "custom": True} for column in table["columns"]}
        schema_name = table.get("schema", table["table"])
        catalog.make_table(
            own_tables.table_spec(
                table["table"], schema_name, table["label"], table["name"], columns, table.get("id", "")
            )
        )
    for table_name, additions in spec.get("tables", {}).items():
        table = catalog.tables.get(table_name)
        if table is None:
            raise ValueError(f"customisations: there is no table {table_name}")
        for column in additions.get("columns", []):
            name = column["name"]
            _prefixed(prefix, name, f"column {table_name}.")
            table.add_column(catalog.column(name, column, custom=True))
        for name, changes in additions.get("changed", {}).items():
            known = table.columns.get(name)
            if known is None:
                raise ValueError(f"customisations: there is no column {table_name}.{name} to change")
            table.add_column(changed_column(known, changes))
        for key in additions.get("keys", []):
            add_key(table, AlternateKey(key["name"], tuple(key["columns"])))
    catalog.forget_relationships()


def _prefixed(prefix: str, name: str, what: str = "") -> None:
    if not name.startswith(f"{prefix}_"):
        raise ValueError(f"customisations: {what}{name} lacks the prefix {prefix}_")


def choice_id(name: str) -> str:
    """The metadata id of a global choice."""
    return metadata_id("choice", name)


def choice_from(name: str, spec: Mapping[str, Any]) -> GlobalChoice:
    """A global choice from its entry."""
    options = options_from(spec["options"])
    return GlobalChoice(name, spec.get("label", name), choice_id(name), options)


_KEY_KINDS = {Kind.DECIMAL, Kind.INTEGER, Kind.STRING, Kind.DATETIME, Kind.DATE, Kind.LOOKUP, Kind.CHOICE}


def add_key(table: Table, key: AlternateKey) -> None:
    """Give a table an alternate key; ValueError when a column is missing or cannot be part of one."""
    for name in key.columns:
        column = table.columns.get(name)
        if column is None:
            raise ValueError(f"key {key.name}: there is no column {table.name}.{name}")
        if column.kind not in _KEY_KINDS:
            raise ValueError(f"key {key.name}: column {name} of type {column.kind} cannot be part of a key")
    table.keys[key.name] = key
