"""Filter text to a tree: the part of the OData grammar that Dataverse understands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.dataverse.errors import Refusal, bad_query


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; `kind` is string, guid, date, number, boolean or null."""

    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Path:
    """A property, or a property of the row a navigation property leads to."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison: eq ne gt ge lt le."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Both:
    """and, or."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    inner: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function; Dataverse query functions carry named arguments."""

    name: str
    arguments: tuple["Node", ...]
    named: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """The `in` operator."""

    left: "Node"
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    """any or all over a collection."""

    path: tuple[str, ...]
    quantifier: str
    variable: str
    body: "Node | None"


Node = Literal | Path | Compare | Both | Not | Call | OneOf | Lambda

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
  | (?P<date>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)
  | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[@$A-Za-z_][\w.$]*)
  | (?P<sign>[()/,:=\[\]*])
)""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_WORDS = {
    "true": Literal(value=True, kind="boolean"),
    "false": Literal(value=False, kind="boolean"),
    "null": Literal(value=None, kind="null"),
}


def parse_filter(text: str, aliases: Mapping[str, str] | None = None) -> Node:
    """The tree of a $filter text; Refusal when it cannot be read."""
    parser = _Parser(text, aliases or {})
    node = parser.disjunction()
    parser.finish()
    return node


class _Parser:
    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self._text = text
        self._aliases = aliases
        self._tokens = _tokens(text)
        self._at = 0

    def finish(self) -> None:
        if self._at < len(self._tokens):
            raise self._wrong()

    def disjunction(self) -> Node:
        left = self._conjunction()
        while self._take("name", "or"):
            left = Both("or", left, self._conjunction())
        return left

    def _conjunction(self) -> Node:
        left = self._negation()
        while self._take("name", "and"):
            left = Both("and", left, self._negation())
        return left

    def _negation(self) -> Node:
        if self._take("name", "not"):
            return Not(self._negation())
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        kind, text = self._peek()
        if kind == "name" and text in _COMPARISONS:
            self._at += 1
            return Compare(text, left, self._operand())
        if kind == "name" and text == "in":
            self._at += 1
            return OneOf(left, self._literals())
        return left

    def _literals(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = []
        while True:
            value = self._operand()
            if not isinstance(value, Literal):
                raise self._wrong()
            values.append(value)
            if not self._take("sign", ","):
                break
        self._expect(")")
        return tuple(values)

    def _operand(self) -> Node:
        kind, text = self._peek()
        self._at += 1
        if kind == "sign" and text == "(":
            inner = self.disjunction()
            self._expect(")")
            return inner
        if kind == "name":
            return self._named(text)
        if kind in {"string", "quoted", "guid", "date", "number"}:
            return _literal(kind, text)
        raise self._wrong()

    def _named(self, text: str) -> Node:
        if text in _WORDS:
            return _WORDS[text]
        if text.startswith("@"):
            if text not in self._aliases:
                raise bad_query(f"The parameter alias '{text}' has no value.")
            return parse_filter(self._aliases[text])
        if self._peek()[0] == "string" and "." in text:
            # An enum cast such as Microsoft.Dynamics.CRM.RelationshipType'OneToManyRelationship'.
            self._at += 1
            return _literal("string", self._tokens[self._at - 1][1])
        if self._take("sign", "("):
            return self._call(text)
        parts = [text]
        while self._take("sign", "/"):
            kind, name = self._peek()
            if kind != "name":
                raise self._wrong()
            self._at += 1
            if name in {"any", "all"} and self._take("sign", "("):
                return self._lambda(tuple(parts), name)
            parts.append(name)
        return Path(tuple(parts))

    def _lambda(self, path: tuple[str, ...], quantifier: str) -> Node:
        if self._take("sign", ")"):
            return Lambda(path, quantifier, "", None)
        variable = self._peek()[1]
        self._at += 1
        self._expect(":")
        body = self.disjunction()
        self._expect(")")
        return Lambda(path, quantifier, variable, body)

    def _call(self, name: str) -> Node:
        arguments: list[Node] = []
        named: list[tuple[str, Any]] = []
        while not self._take("sign", ")"):
            if self._peek()[0] == "name" and self._peek(1) == ("sign", "="):
                key = self._peek()[1]
                self._at += 2
                named.append((key, self._argument()))
            else:
                arguments.append(self.disjunction())
            self._take("sign", ",")
        return Call(name, tuple(arguments), tuple(named))

    def _argument(self) -> Any:
        if not self._take("sign", "["):
            value = self._operand()
            return value.value if isinstance(value, Literal) else value
        values = []
        while not self._take("sign", "]"):
            value = self._operand()
            if not isinstance(value, Literal):
                raise self._wrong()
            values.append(value.value)
            self._take("sign", ",")
        return values

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("end", "")

    def _take(self, kind: str, text: str) -> bool:
        if self._peek() == (kind, text):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise self._wrong()

    def _wrong(self) -> Refusal:
        return bad_query(f"Syntax error at token {self._at} in '{self._text}'.")


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise bad_query(f"Syntax error at position {at} in '{text}'.")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _literal(kind: str, text: str) -> Literal:
    if kind == "string":
        return Literal(text[1:-1].replace("''", "'"), "string")
    if kind == "quoted":
        return Literal(re.sub(r"\\(.)", r"\1", text[1:-1]), "string")
    if kind == "guid":
        return Literal(text.lower(), "guid")
    if kind == "number":
        return Literal(float(text) if any(mark in text for mark in ".eE") else int(text), "number")
    return Literal(text, "date")
