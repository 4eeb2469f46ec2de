"""From an answer that is no success to the failure to raise, without a word of the answer's own text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from shared.connectors.dataverse.answers import classify
from shared.connectors.web.meaning import Meaning, failure, named_in
from shared.core.codes import Code
from shared.core.errors import Refused, SyncError
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.references import RowRef

if TYPE_CHECKING:
    import httpx

WHO = "Dataverse"

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as far as an answer can speak of it."""

    table: Table
    row_id: UUID
    values: Mapping[str, Value] = field(default_factory=dict)
    creating: bool = False


def refusal(asked: Asked, response: "httpx.Response") -> SyncError:
    """The failure an answer means."""
    code, text = _said(response)
    answer = classify(response.status_code, code)
    if answer.meaning is Meaning.ABSENT and (lost := _lost_target(asked, text)) is not None:
        pointless = Refused(
            f"{WHO} answered {code}: the row this points at does not exist",
            answer=code,
            code=Code.VALUE_UNKNOWN_REFERENCE,
            field=lost or None,
        )
        pointless.request_id = failure(WHO, answer, response).request_id
        return pointless
    names = _names(asked)
    said = named_in(text, names)
    return failure(WHO, answer, response, code=code, field=None if said is None else names[said])


def answered(response: "httpx.Response") -> SyncError:
    """The failure an answer means that is about no one row."""
    code, _ = _said(response)
    return failure(WHO, classify(response.status_code, code), response, code=code)


def code_of(response: "httpx.Response") -> str:
    """The service's own code in an answer; blank when it has none."""
    return _said(response)[0]


def is_absent(response: "httpx.Response") -> bool:
    """Whether the answer says that the row addressed does not exist."""
    return classify(response.status_code, _said(response)[0]).meaning is Meaning.ABSENT


def _said(response: "httpx.Response") -> tuple[str, str]:
    """The answer's code and text; blank when a gateway, not the service, answered."""
    try:
        error = json.loads(response.content)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""


def _lost_target(asked: Asked, text: str) -> str | None:
    """The column whose target does not exist; "" when it is a target but cannot be told which.

    None when it is the row itself. The service says both in the same words, so the GUID it names decides.
    """
    named = {UUID(found) for found in _GUID.findall(text)}
    if asked.row_id in named and not asked.creating:
        return None
    for column, value in asked.values.items():
        told = [party.row for party in value] if isinstance(value, tuple) else [value]
        if any(isinstance(row, RowRef) and row.id in named for row in told):
            return column
    return "" if asked.creating or named else None


def _names(asked: Asked) -> dict[str, str]:
    """The names an answer may use for the columns sent: their own, and those of navigation properties."""
    names: dict[str, str] = {}
    for name in asked.values:
        column = asked.table.columns.get(name)
        names |= dict.fromkeys(column.targets.values() if column is not None else (), name) | {name: name}
    return names
