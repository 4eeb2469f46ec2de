"""Queries over definitions: $select, $filter and $expand on nested documents."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.dataverse.api.metadata.documents import Document
from local.dataverse.errors import bad_query
from local.dataverse.odata.expression import (
    Both,
    Call,
    Compare,
    Literal,
    Node,
    Not,
    OneOf,
    Path,
    parse_filter,
)
from local.dataverse.odata.options import Options
from local.dataverse.odata.predicate import ORDER, SEARCH

# Shown only when $expand asks for them.
EXPANDABLE = frozenset(
    {
        "OptionSet",
        "GlobalOptionSet",
        "Attributes",
        "Keys",
        "OneToManyRelationships",
        "ManyToOneRelationships",
        "ManyToManyRelationships",
    }
)
_ALWAYS = ("@odata.type", "MetadataId")
Test = Callable[[Document], bool]
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {"eq": operator.eq, "ne": operator.ne, **ORDER}


def chosen(documents: Iterable[Document], options: Options) -> list[Document]:
    """The documents a query finds, with the properties it asks for."""
    if options.filter:
        test = document_test(parse_filter(options.filter, options.aliases))
        documents = [document for document in documents if test(document)]
    return [shown(document, options) for document in documents]


def shown(document: Document, options: Options) -> Document:
    """One document with the selected and expanded properties."""
    expanded = {expand.name: expand.options for expand in options.expand}
    result: Document = {}
    for name, value in document.items():
        if name in EXPANDABLE:
            if name in expanded:
                result[name] = _inner(value() if callable(value) else value, expanded[name])
        elif not options.select or name in options.select or name in _ALWAYS:
            result[name] = value
    return result


def _inner(value: Any, options: Options) -> Any:
    if isinstance(value, list):
        return chosen(value, options)
    return shown(value, options) if isinstance(value, dict) else value


def document_test(node: Node) -> Test:
    """A filter over documents; texts compare without case, as names do in the service."""
    match node:
        case Both(operator=word, left=left, right=right):
            first, second = document_test(left), document_test(right)
            if word == "and":
                return lambda document: first(document) and second(document)
            return lambda document: first(document) or second(document)
        case Not(inner=inner):
            test = document_test(inner)
            return lambda document: not test(document)
        case Compare(operator=word, left=Path(parts=parts), right=Literal(value=value)):
            compare, wanted = _OPERATORS[word], _folded(value)
            return lambda document: compare(_folded(_value(document, parts)), wanted)
        case OneOf(left=Path(parts=parts), values=values):
            among = {_folded(literal.value) for literal in values}
            return lambda document: _folded(_value(document, parts)) in among
        case Call(name=name, arguments=(Path(parts=parts), Literal(value=value))) if name in SEARCH:
            search, wanted = SEARCH[name], str(value).casefold()
            return lambda document: search(str(_value(document, parts) or "").casefold(), wanted)
        case Path(parts=parts):
            return lambda document: _value(document, parts) is True
    raise bad_query("The metadata filter is not supported.")


def _value(document: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
