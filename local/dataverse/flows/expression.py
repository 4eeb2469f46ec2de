"""The workflow expression language, as far as flows of this kind use it: texts to functions of a run."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.dataverse.flows.functions import FUNCTIONS, text_of

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\?|[()\[\],.]))"
)
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a flow: the trigger's outputs, the outputs of the actions so far, ids and the time."""

    trigger: Mapping[str, Any]
    outputs: dict[str, Any]
    new_id: Callable[[], str]
    now: datetime


Expression = Callable[[Run], Any]


class UnreadableExpression(ValueError):
    """A definition uses something this interpreter does not know; the message quotes it."""


def compile_value(value: Any) -> Expression:
    """A value of a definition: objects and lists are compiled through, texts may hold expressions."""
    if isinstance(value, dict):
        parts = {key: compile_value(item) for key, item in value.items()}
        return lambda run: {key: part(run) for key, part in parts.items()}
    if isinstance(value, list):
        items = [compile_value(item) for item in value]
        return lambda run: [item(run) for item in items]
    if isinstance(value, str):
        return _compile_text(value)
    return lambda _run: value


def _compile_text(text: str) -> Expression:
    if text.startswith("@@"):
        return lambda _run: text[1:]
    if text.startswith("@") and not text.startswith("@{"):
        return _Parser(text[1:]).whole()
    if "@{" not in text:
        return lambda _run: text
    pieces = _pieces(text)
    return lambda run: "".join(piece if isinstance(piece, str) else text_of(piece(run)) for piece in pieces)


def _pieces(text: str) -> list[str | Expression]:
    pieces: list[str | Expression] = []
    at = 0
    while (start := text.find("@{", at)) >= 0:
        end = _closing(text, start + 2)
        if start > at:
            pieces.append(text[at:start])
        pieces.append(_Parser(text[start + 2 : end]).whole())
        at = end + 1
    if at < len(text):
        pieces.append(text[at:])
    return pieces


def _closing(text: str, at: int) -> int:
    quoted = False
    for position in range(at, len(text)):
        if text[position] == "'":
            quoted = not quoted
        elif text[position] == "}" and not quoted:
            return position
    raise UnreadableExpression(f"unclosed @{{ in: {text}")


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._scan(text)
        self._at = 0

    def whole(self) -> Expression:
        expression = self._operand()
        if self._at < len(self._tokens):
            raise self._wrong()
        return expression

    def _scan(self, text: str) -> list[tuple[str, str]]:
        tokens, at, end = [], 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise UnreadableExpression(f"cannot read: {text}")
            tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        return tokens

    def _operand(self) -> Expression:
        kind, text = self._next()
        if kind == "string":
            constant: Any = text[1:-1].replace("''", "'")
            return lambda _run: constant
        if kind == "number":
            number = float(text) if "." in text else int(text)
            return lambda _run: number
        if kind == "name" and text in _WORDS and not self._ahead("("):
            word = _WORDS[text]
            return lambda _run: word
        if kind == "name" and self._take("("):
            return self._steps(self._call(text))
        raise self._wrong()

    def _call(self, name: str) -> Expression:
        arguments: list[Expression] = []
        while not self._take(")"):
            arguments.append(self._operand())
            if not self._ahead(")") and not self._take(","):
                raise self._wrong()
        return _resolve(name, arguments, self._text)

    def _steps(self, inner: Expression) -> Expression:
        while True:
            gentle = self._take("?")
            if self._take("["):
                key = self._operand()
                if not self._take("]"):
                    raise self._wrong()
                inner = _step(inner, key, gentle=gentle)
            elif self._take("."):
                name = self._next()[1]
                inner = _step(inner, lambda _run, name=name: name, gentle=gentle)  # type: ignore[misc]
            elif gentle:
                raise self._wrong()
            else:
                return inner

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def _ahead(self, sign: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)

    def _take(self, sign: str) -> bool:
        if self._ahead(sign):
            self._at += 1
            return True
        return False

    def _wrong(self) -> UnreadableExpression:
        return UnreadableExpression(f"cannot read: {self._text}")


def _resolve(name: str, arguments: list[Expression], text: str) -> Expression:
    match name.lower(), arguments:
        case "triggeroutputs", []:
            return lambda run: run.trigger
        case "triggerbody", []:
            return lambda run: run.trigger["body"]
        case (("outputs" | "body"), [action]):
            return lambda run: run.outputs.get(action(run))
        case "guid", []:
            return lambda run: run.new_id()
        case "utcnow", []:
            return lambda run: run.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case "if", [test, then, otherwise]:
            return lambda run: then(run) if test(run) is True else otherwise(run)
        case "coalesce", [_, *_]:
            return lambda run: next((found for part in arguments if (found := part(run)) is not None), None)
    function = FUNCTIONS.get(name.lower())
    if function is None:
        raise UnreadableExpression(f"unknown function {name}() in: {text}")
    return lambda run: function(*(argument(run) for argument in arguments))


def _step(inner: Expression, key: Expression, *, gentle: bool) -> Expression:
    def follow(run: Run) -> Any:
        found = inner(run)
        wanted = key(run)
        if isinstance(found, list) and isinstance(wanted, int):
            return found[wanted] if wanted < len(found) or not gentle else None
        for part in _path(found, wanted):
            if not isinstance(found, Mapping) or part not in found:
                if gentle:
                    return None
                raise KeyError(f"the property {wanted} does not exist")
            found = found[part]
        return found

    return follow


def _path(found: Any, wanted: Any) -> list[str]:
    """`['body/name']` walks two steps unless there is a property of exactly that name."""
    if isinstance(found, Mapping) and wanted in found:
        return [wanted]
    return str(wanted).split("/")
