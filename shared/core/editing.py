"""Editing a message: a copy of its body with some fields changed, and what was changed.

A field is named by a JSON pointer (`/data/phone`, `/changedOn`) or, for short, by its name in the data. An
edit corrects what is said of a record; it cannot make the message speak of another record.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from shared.core.change import Json, Message
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.repair import FieldEdit

CHANGED_ON = "changedOn"
_DATA = "/data/"
_ENVELOPE = frozenset({CHANGED_ON})
"""What may be edited outside the data: nothing that says which record it is."""


def edited(message: Message, settings: Mapping[str, str | None]) -> tuple[Message, dict[str, FieldEdit]]:
    """A copy of a message with fields set (None: emptied), under an id of its own, and what changed.

    A text set where a number or a yes/no stood is read as one. Raises InvalidMessage with every fault.
    """
    body = _envelope(message.body)
    data = body.get("data")
    if not isinstance(data, dict):
        raise InvalidMessage(Fault("/data", Code.BAD_FIELD, "an envelope with data, to be edited"))
    faults: list[Fault] = []
    fields: dict[str, FieldEdit] = {}
    for name, text in settings.items():
        pointer = pointer_of(name)
        field = pointer.removeprefix(_DATA)
        if pointer.startswith(_DATA) and field and "/" not in field:
            place: dict[str, Json] = data
        elif pointer.removeprefix("/") in _ENVELOPE:
            place, field = body, pointer.removeprefix("/")
        else:
            faults.append(Fault(pointer, Code.UNKNOWN_FIELD, "a field of the data, or changedOn"))
            continue
        before = place.get(field)
        place[field] = _like(before, text)
        fields[pointer] = FieldEdit(before, place[field])
    if faults:
        raise InvalidMessage(*faults)
    return rewritten(message, json.dumps(body, ensure_ascii=False).encode()), fields


def rewritten(message: Message, body: bytes) -> Message:
    """The message with another body, under an id made of its own and that body."""
    digest = hashlib.sha256(body).hexdigest()[:8]
    return replace(message, id=f"{message.id}~{digest}", body=body)


def differences(before: bytes, after: bytes) -> dict[str, FieldEdit]:
    """What differs between two bodies, by pointer; nothing is told of one that is no envelope."""
    try:
        old, new = _flat(_envelope(before)), _flat(_envelope(after))
    except InvalidMessage:
        return {}
    changed = sorted(pointer for pointer in old.keys() | new.keys() if old.get(pointer) != new.get(pointer))
    return {pointer: FieldEdit(old.get(pointer), new.get(pointer)) for pointer in changed}


def pointer_of(name: str) -> str:
    """The JSON pointer of a field named by a person."""
    if name.startswith("/"):
        return name
    return f"/{name}" if name in _ENVELOPE else f"{_DATA}{name}"


def _flat(body: Mapping[str, Json]) -> dict[str, Json]:
    data = body.get("data")
    inner = {f"{_DATA}{name}": value for name, value in data.items()} if isinstance(data, dict) else {}
    return {f"/{name}": value for name, value in body.items() if name != "data"} | inner


def _envelope(body: bytes) -> dict[str, Json]:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidMessage(Fault("", Code.NOT_JSON, "one JSON object in UTF-8"))
    return value


def _like(before: Json, text: str | None) -> Json:
    """A typed-in text as the type that stood there."""
    if text is None or before is None or isinstance(before, str):
        return text
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value
