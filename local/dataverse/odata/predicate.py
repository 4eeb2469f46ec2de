"""A filter tree to a function over rows. Null compares as in the service: `ne` holds, the rest do not."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from local.dataverse.errors import bad_query, not_supported, unknown_property_in_query
from local.dataverse.odata.expression import Both, Call, Compare, Lambda, Literal, Node, Not, OneOf, Path
from local.dataverse.odata.instants import comparable
from local.dataverse.odata.query_functions import query_function
from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.column import DETACHED, OPTION, TEXT, Column, Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row

Predicate = Callable[[Row], bool]
Getter = Callable[[Row], Any]


class Source(Protocol):
    """Where a filter finds rows other than the one at hand."""

    @property
    def catalog(self) -> Catalog:
        """The tables."""

    def get(self, table: str, row_id: str) -> Row | None:
        """One row."""

    def rows(self, table: str) -> Iterable[Row]:
        """All rows of a table."""

    def members(self, pair: str) -> Iterable[tuple[str, str]]:
        """The linked ids of a many-to-many relationship."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter is compiled for: the table, the other rows, the caller, the time."""

    table: Table
    source: Source
    now: datetime
    caller: str = ""


ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
SEARCH: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def compile_filter(node: Node, scope: Scope) -> Predicate:
    """A predicate over rows of the scope's table; Refusal when the filter names what does not exist."""
    match node:
        case Both(operator="and", left=left, right=right):
            first, second = compile_filter(left, scope), compile_filter(right, scope)
            return lambda row: first(row) and second(row)
        case Both(left=left, right=right):
            first, second = compile_filter(left, scope), compile_filter(right, scope)
            return lambda row: first(row) or second(row)
        case Not(inner=inner):
            negated = compile_filter(inner, scope)
            return lambda row: not negated(row)
        case Compare():
            return _comparison(node, scope)
        case OneOf(left=Path() as path, values=values):
            column, value_of = getter(path.parts, scope)
            wanted = {fit(literal, column) for literal in values}
            return lambda row: value_of(row) in wanted
        case Call():
            return _call(node, scope)
        case Lambda():
            return _quantified(node, scope)
        case Path():
            _, value_of = getter(node.parts, scope)
            return lambda row: value_of(row) is True
        case Literal(value=bool() as constant):
            return lambda _row: constant
    raise bad_query("The $filter expression must evaluate to a single boolean value.")


def getter(parts: tuple[str, ...], scope: Scope) -> tuple[Column, Getter]:
    """The column at the end of a path, and how to read its comparable value from a row."""
    if len(parts) == 1:
        column = scope.table.properties.get(parts[0])
        if column is None or column.kind in DETACHED:
            raise unknown_property_in_query(scope.table.name, parts[0])
        return column, reader(column)
    bound = scope.table.bindings.get(parts[0])
    if bound is None:
        raise unknown_property_in_query(scope.table.name, parts[0])
    # A polymorphic navigation property names its target; ownerid may be either, and a user has what is asked.
    target = scope.source.catalog.tables[bound.targets[0]]
    column, inner = getter(parts[1:], Scope(target, scope.source, scope.now, scope.caller))
    name, targets, get = bound.column.name, bound.targets, scope.source.get

    def follow(row: Row) -> Any:
        pointer = row.get(name)
        if pointer is None or pointer[0] not in targets:
            return None
        found = get(pointer[0], pointer[1])
        return inner(found) if found is not None else None

    return column, follow


def reader(column: Column) -> Getter:
    """How to read a column's comparable value."""
    name = column.name
    if column.kind is Kind.LOOKUP:
        return lambda row: value[1] if (value := row.get(name)) is not None else None
    if column.kind in TEXT:
        return lambda row: value.casefold() if (value := row.get(name)) is not None else None
    if column.kind is Kind.DATETIME:
        return lambda row: value[:-1] if (value := row.get(name)) is not None else None
    return lambda row: row.get(name)


def fit(literal: Literal, column: Column) -> Any:
    """A literal as the column's comparable value; Refusal when the types cannot meet."""
    value, kind = literal.value, literal.kind
    if kind == "null":
        return None
    if column.kind in TEXT and kind in {"string", "guid", "date"}:
        return str(value).casefold()
    if column.kind in {Kind.LOOKUP, Kind.GUID} and kind in {"guid", "string"}:
        return str(value).strip("{}").lower()
    if column.kind is Kind.DATETIME and kind in {"date", "string"}:
        return comparable(value)
    if column.kind is Kind.DATE and kind in {"date", "string"}:
        return value[:10]
    if column.kind is Kind.BOOLEAN and kind == "boolean":
        return value
    if column.kind in OPTION and kind in {"number", "string"} and str(value).lstrip("-").isdigit():
        return int(value)
    if column.kind is Kind.CHOICES and kind in {"number", "string"}:
        return str(value)
    if column.kind not in TEXT | {Kind.BOOLEAN, Kind.GUID, Kind.LOOKUP} and kind == "number":
        return value
    raise bad_query(
        "A binary operator with incompatible types was detected. "
        f"Found operand of type '{column.kind}' ({column.name}) and a {kind} literal."
    )


def _comparison(node: Compare, scope: Scope) -> Predicate:
    left, right, word = node.left, node.right, node.operator
    if isinstance(left, Literal) and isinstance(right, Path):
        left, right = right, left
        word = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}.get(word, word)
    if isinstance(left, Call):
        raise not_supported(f"The function {left.name}")
    if not isinstance(left, Path):
        raise bad_query("The left side of a comparison must be a property.")
    column, value_of = getter(left.parts, scope)
    if isinstance(right, Path):
        _, other = getter(right.parts, scope)
        return _between_columns(word, value_of, other)
    if not isinstance(right, Literal):
        raise bad_query("The right side of a comparison must be a value.")
    wanted = fit(right, column)
    if word == "eq":
        return lambda row: value_of(row) == wanted
    if word == "ne":
        return lambda row: value_of(row) != wanted
    compare = ORDER[word]
    if wanted is None:
        return lambda _row: False
    return lambda row: (value := value_of(row)) is not None and compare(value, wanted)


def _between_columns(word: str, first: Getter, second: Getter) -> Predicate:
    if word == "eq":
        return lambda row: first(row) == second(row) and first(row) is not None
    if word == "ne":
        return lambda row: first(row) != second(row)
    compare = ORDER[word]

    def both(row: Row) -> bool:
        left, right = first(row), second(row)
        return left is not None and right is not None and compare(left, right)

    return both


def _call(node: Call, scope: Scope) -> Predicate:
    search = SEARCH.get(node.name)
    if search is None:
        if node.name.startswith("Microsoft.Dynamics.CRM."):
            named = dict(node.named)
            column, value_of = getter(tuple(str(named.pop("PropertyName", "")).split("/")), scope)
            test = query_function(node.name.rpartition(".")[2], column, named, scope.now, scope.caller)
            return lambda row: test(value_of(row))
        raise not_supported(f"The function {node.name}")
    if len(node.arguments) != 2 or not isinstance(node.arguments[0], Path):
        raise bad_query(f"The function {node.name} takes a property and a text.")
    column, value_of = getter(node.arguments[0].parts, scope)
    part = node.arguments[1]
    if column.kind not in TEXT or not isinstance(part, Literal) or part.kind != "string":
        raise bad_query(f"The function {node.name} takes a text column and a text.")
    wanted = part.value.casefold()
    return lambda row: (value := value_of(row)) is not None and search(value, wanted)


def _quantified(node: Lambda, scope: Scope) -> Predicate:
    if len(node.path) != 1:
        raise not_supported("A lambda over a path of several navigation properties")
    name = node.path[0]
    catalog, source = scope.source.catalog, scope.source
    collection = catalog.collections(scope.table.name).get(name)
    id_column = scope.table.id_column
    if collection is not None:
        inner = catalog.tables[collection.table]
        test = _body(node, Scope(inner, source, scope.now, scope.caller))
        column, target = collection.column.name, scope.table.name
        hit = set()
        for row in source.rows(inner.name):
            pointer = row.get(column)
            if pointer is not None and pointer[0] == target and test(row):
                hit.add(pointer[1])
    else:
        pair = catalog.pairs_of(scope.table.name).get(name)
        if pair is None:
            raise unknown_property_in_query(scope.table.name, name)
        other = pair.second if pair.first == scope.table.name else pair.first
        test = _body(node, Scope(catalog.tables[other], source, scope.now, scope.caller))
        hit = set()
        for first, second in source.members(pair.name):
            mine, theirs = (first, second) if pair.first == scope.table.name else (second, first)
            found = source.get(other, theirs)
            if found is not None and test(found):
                hit.add(mine)
    if node.quantifier == "any":
        return lambda row: row[id_column] in hit
    return lambda row: row[id_column] not in hit


def _body(node: Lambda, scope: Scope) -> Predicate:
    """What makes an inner row count: it satisfies `any`, or it breaks `all`."""
    if node.body is None:
        return lambda _row: True
    test = compile_filter(_without(node.variable, node.body), scope)
    return test if node.quantifier == "any" else lambda row: not test(row)


def _without(variable: str, node: Node) -> Node:
    """The body with the variable's name taken off its paths."""
    match node:
        case Path(parts=parts) if parts[0] == variable:
            return Path(parts[1:])
        case Both(operator=word, left=left, right=right):
            return Both(word, _without(variable, left), _without(variable, right))
        case Compare(operator=word, left=left, right=right):
            return Compare(word, _without(variable, left), _without(variable, right))
        case Not(inner=inner):
            return Not(_without(variable, inner))
        case OneOf(left=left, values=values):
            return OneOf(_without(variable, left), values)
        case Call(name=name, arguments=arguments, named=named):
            prefix = f"{variable}/"
            plain = tuple(
                (key, value.removeprefix(prefix) if isinstance(value, str) else value) for key, value in named
            )
            return Call(name, tuple(_without(variable, argument) for argument in arguments), plain)
    return node
