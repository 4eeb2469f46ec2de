"""The body of a message: the one JSON object that its bytes are (ADR 0037)."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage

_decoded = msgspec.json.Decoder().decode


def json_object(body: bytes) -> Mapping[str, Json]:
    """The object that a body in UTF-8 is; raises InvalidMessage for anything else."""
    value: Any
    try:
        value = _decoded(body)
    except (ValueError, RecursionError):
        value = _by_the_letter(body)
    if not isinstance(value, dict):
        raise InvalidMessage(Fault("", Code.NOT_JSON, "one JSON object in UTF-8"))
    return value


def _by_the_letter(body: bytes) -> Any:
    """What the native decoder refuses and is JSON all the same: a byte-order mark, a number beyond floats."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
        # Half a character, escaped, is JSON but no text: nothing could store it or send it on.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
