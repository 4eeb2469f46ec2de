"""A row on its way to another state: all its steps in one change set, done together or not at all.

The first step is a write under the row's condition; when the row moved on meanwhile, nothing at all happens.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.connectors.dataverse.batch import ROOT
from shared.connectors.dataverse.multipart import UnreadableBatch, parse_set, render_set
from shared.connectors.dataverse.operation import PROTOCOL, Operation, address, body_of, row, update
from shared.connectors.dataverse.reading import Reading
from shared.connectors.dataverse.refusal import WHO, Asked, refusal
from shared.core.codes import Code
from shared.core.errors import Refused, Unavailable
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.lifecycle import STATUS, Close, Lifecycle, NoWay, Step, Write
from shared.core.mapping.rows import encode, read_row, write_row
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx

    from shared.connectors.web.client import WebClient

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

LOCKED = "0x80040233"
"""What Dataverse says to a write that the row's state does not allow."""


@dataclass(frozen=True, slots=True)
class Action:
    """One call of an action inside a change set."""

    path: str
    content: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: dict(PROTOCOL))
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """The requests that bring one row where it shall be; the first is a write under the row's condition.

    `expected` is what the row holds when it is there and nobody else has touched it.
    """

    asked: Asked
    requests: Sequence[Operation | Action]
    expected: Mapping[str, Value]

    async def go(self, client: "WebClient") -> "httpx.Response":
        """The answer to the whole; raises Unavailable when it was lost."""
        content_type, content = render_set(self.requests, ROOT, Reading(self.asked.table, self.asked.row_id))
        headers = {**PROTOCOL, "Content-Type": content_type}
        return await client.send("POST", "$batch", headers=headers, content=content)

    def arrived(self, response: "httpx.Response") -> Row:
        """The row as it is afterwards, without values.

        The last step gives it a version without telling, so the row is read in the same request. Somebody may
        have been quicker than that read: the version counts only when the row is as expected, and is blank
        otherwise. Raises what the refusal of any step means; then none of them happened.
        """
        said = response.headers.get("Content-Type", "")
        if not said.lower().startswith("multipart/mixed"):
            raise refusal(self.asked, response)
        try:
            answers, read = parse_set(said, response.content)
            parts = [part.response() for part in answers]
        except UnreadableBatch as unreadable:
            raise Unavailable(
                f"{WHO} answered a change set with something else: {unreadable}"
            ) from unreadable
        for part in parts:
            if not part.is_success:
                raise refusal(self.asked, part)
        first = self.requests[0]
        if len(parts) != len(self.requests) or not isinstance(first, Operation):
            raise Unavailable(f"{WHO} left a step of a change set unanswered")
        begun = first.written(parts[0])
        return self._read_back(read.response() if read else None) or Row({}, "", begun.modified_at)

    def _read_back(self, response: "httpx.Response | None") -> Row | None:
        """The row as it was read behind the steps, if it is as expected."""
        if response is None or not response.is_success:
            return None
        body = body_of(response)
        held = read_row(self.asked.table, body)
        if any(held.get(name, value) != value for name, value in self.expected.items()):
            return None
        return row(response, body, {})


def creation(
    first: Operation, lifecycle: Lifecycle, values: Mapping[str, Value], message_id: str | None
) -> Passage:
    """From nothing to a row that holds `values`; `first` creates it in the state in which rows begin."""
    start = Write({STATUS: lifecycle.start})
    steps = [step for step in _way(lifecycle, lifecycle.start, {STATUS: values[STATUS]}) if step != start]
    return Passage(first.asked, (first, *_requests(first.asked, steps, values, message_id)), values)


def change(asked: Asked, before: Row, message_id: str | None) -> Passage:
    """From a row as it was read to one that holds the values asked for; Refused when there is no way."""
    lifecycle = asked.table.lifecycle
    current = before.values.get(STATUS)
    if lifecycle is None or not isinstance(current, int):
        raise _no_way(f"{WHO} does not tell the row's status")
    steps = _way(lifecycle, current, asked.values)
    held = {**before.values, **asked.values}
    return Passage(asked, _requests(asked, steps, held, message_id, version=before.version), held)


def is_led(table: Table, values: Mapping[str, Value]) -> bool:
    """Whether the values say which status the row shall have, so that steps may be needed."""
    return table.lifecycle is not None and values.get(STATUS) is not None


def _way(lifecycle: Lifecycle, current: int, values: Mapping[str, Value]) -> Sequence[Step]:
    try:
        return lifecycle.way(current, values)
    except NoWay as none:
        raise _no_way(str(none)) from none


def _no_way(rule: str) -> Refused:
    return Refused(rule, answer=LOCKED, code=Code.TARGET_STATE, field=STATUS)


def _requests(
    asked: Asked,
    steps: Sequence[Step],
    held: Mapping[str, Value],
    message_id: str | None,
    *,
    version: str = "*",
) -> tuple[Operation | Action, ...]:
    """The first write is made under `version`; by then the row is ours until the end of the change set."""
    requests: list[Operation | Action] = []
    for step in steps:
        if isinstance(step, Close):
            requests.append(_closing(asked, step, held))
        else:
            condition = "*" if requests else version
            requests.append(update(asked.table, asked.row_id, step.values, condition, message_id))
    return tuple(requests)


def _instant(value: Any) -> Any:
    """A day as the midnight at which it begins: the closing activity has points in time only."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and _DAY.fullmatch(value) else value


def _closing(asked: Asked, step: Close, held: Mapping[str, Value]) -> Action:
    closing = step.closing
    row = address(asked.table, asked.row_id)
    body: dict[str, Any] = {**closing.arguments, "Status": step.status}
    if not closing.about:
        return Action(f"{row}/Microsoft.Dynamics.CRM.{closing.action}", encode(body))
    carried = {column: held[column] for column in closing.carries if held.get(column) is not None}
    written = write_row(asked.table, carried)
    body[closing.about] = {
        "subject": closing.action,
        f"{closing.pointer}@odata.bind": f"/{row}",
        **{closing.carries[column]: _instant(value) for column, value in written.items()},
    }
    return Action(closing.action, encode(body))
