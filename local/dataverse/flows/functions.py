"""The pure functions of the workflow expression language."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any


def text_of(value: Any) -> str:
    """`string()`: objects as compact JSON, booleans capitalised, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encode(value: Any) -> str:
    return base64.b64encode(text_of(value).encode()).decode()


def _decode(value: str) -> str:
    return base64.b64decode(value).decode()


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _equals(left: Any, right: Any) -> bool:
    return bool(left == right)


def _empty(value: Any) -> bool:
    return value is None or len(value) == 0


def _contains(holder: Any, wanted: Any) -> bool:
    return holder is not None and wanted in holder


def _set_property(holder: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**holder, name: value}


def _remove_property(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if key != name}


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda left, right: left + right,
    "addproperty": _set_property,
    "and": lambda *parts: all(parts),
    "array": lambda value: [value],
    "base64": _encode,
    "base64tostring": _decode,
    "bool": bool,
    "concat": lambda *parts: "".join(text_of(part) for part in parts),
    "contains": _contains,
    "createarray": lambda *parts: list(parts),
    "empty": _empty,
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
    "equals": _equals,
    "float": float,
    "greater": lambda left, right: left > right,
    "greaterorequals": lambda left, right: left >= right,
    "int": int,
    "json": _json,
    "length": len,
    "less": lambda left, right: left < right,
    "lessorequals": lambda left, right: left <= right,
    "not": lambda value: not value,
    "or": lambda *parts: any(parts),
    "removeproperty": _remove_property,
    "replace": lambda text, old, new: text.replace(old, new),
    "setproperty": _set_property,
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "string": text_of,
    "sub": lambda left, right: left - right,
    "substring": lambda text, start, length=None: text[start : None if length is None else start + length],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
}
