"""A cloud flow: when it fires and what it sends, read from the clientdata of an exported solution."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.dataverse.flows.expression import Expression, Run, UnreadableExpression, compile_value
from local.dataverse.flows.functions import text_of
from local.dataverse.odata.expression import Node, parse_filter
from local.dataverse.store.transaction import Operation

# callbackregistration.message: which changes a subscription hears.
_MESSAGES = {
    1: {Operation.CREATE},
    2: {Operation.DELETE},
    3: {Operation.UPDATE},
    4: {Operation.CREATE, Operation.UPDATE},
    5: {Operation.CREATE, Operation.DELETE},
    6: {Operation.UPDATE, Operation.DELETE},
    7: {Operation.CREATE, Operation.UPDATE, Operation.DELETE},
}
SCOPE_USER, SCOPE_BUSINESS_UNIT, SCOPE_UNITS_BELOW, SCOPE_ORGANISATION = 1, 2, 3, 4
RUN_AS_MODIFIER, RUN_AS_OWNER, RUN_AS_FLOW_OWNER = 1, 2, 3


class UnreadableFlow(ValueError):
    """A definition asks for something the simulator cannot do; the message names flow and place."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a flow listens to."""

    table: str
    operations: frozenset[Operation]
    scope: int
    columns: frozenset[str]
    filter: Node | None
    run_as: int


@dataclass(frozen=True, slots=True)
class Action:
    """One step: Compose keeps its value, SendMessage sends it."""

    name: str
    sends: bool
    value: Expression


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that fires on changes of one table."""

    name: str
    subscription: Subscription
    actions: tuple[Action, ...]

    def run(
        self, trigger: Mapping[str, Any], run: Callable[[Mapping[str, Any]], Run]
    ) -> list[tuple[str, str]]:
        """Execute the actions; the messages they send, as queue and JSON."""
        state = run(trigger)
        sent = []
        for action in self.actions:
            value = action.value(state)
            state.outputs[action.name] = value
            if action.sends:
                sent.append(_message(value))
        return sent


def load_flows(folder: Path | None) -> list[Flow]:
    """Every flow of a folder; UnreadableFlow when one of them cannot be executed faithfully."""
    if folder is None or not folder.is_dir():
        return []
    return [
        read_flow(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))
    ]


def read_flow(name: str, clientdata: Mapping[str, Any]) -> Flow:
    """A flow from its clientdata."""
    try:
        definition = clientdata["properties"]["definition"]
        trigger = next(iter(definition["triggers"].values()))
        subscription = _subscription(trigger["inputs"]["parameters"])
        ordered = _ordered(definition["actions"])
        actions = tuple(_action(key, definition["actions"][key]) for key in ordered)
    except (KeyError, StopIteration) as missing:
        raise UnreadableFlow(f"flow {name}: the definition lacks {missing}") from missing
    except (UnreadableExpression, UnreadableFlow) as wrong:
        raise UnreadableFlow(f"flow {name}: {wrong}") from wrong
    return Flow(name, subscription, actions)


def _subscription(parameters: Mapping[str, Any]) -> Subscription:
    asked = {key.removeprefix("subscriptionRequest/"): value for key, value in parameters.items()}
    message = int(asked["message"])
    if message not in _MESSAGES:
        raise UnreadableFlow(f"subscriptionRequest/message {message} is not between 1 and 7")
    columns = asked.get("filteringattributes") or ""
    expression = asked.get("filterexpression")
    return Subscription(
        table=asked["entityname"],
        operations=frozenset(_MESSAGES[message]),
        scope=int(asked.get("scope", SCOPE_ORGANISATION)),
        columns=frozenset(name.strip() for name in columns.split(",") if name.strip()),
        filter=parse_filter(expression) if expression else None,
        run_as=int(asked.get("runas", RUN_AS_FLOW_OWNER)),
    )


def _ordered(actions: Mapping[str, Any]) -> list[str]:
    """Actions in an order in which every action follows those it runs after."""
    done: list[str] = []
    while len(done) < len(actions):
        ready = [
            name
            for name, action in actions.items()
            if name not in done and all(before in done for before in action.get("runAfter", {}))
        ]
        if not ready:
            raise UnreadableFlow("runAfter goes in a circle or names an action that does not exist")
        done += ready
    return done


def _action(name: str, spec: Mapping[str, Any]) -> Action:
    kind = spec["type"]
    if kind == "Compose":
        return Action(name, sends=False, value=compile_value(spec["inputs"]))
    if kind == "OpenApiConnection" and spec["inputs"]["host"]["operationId"] == "SendMessage":
        return Action(name, sends=True, value=compile_value(spec["inputs"]["parameters"]))
    raise UnreadableFlow(f"action {name} of type {kind} is not one the simulator can run")


def _message(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """The connector's parameters as an outbox message."""
    asked = {key.removeprefix("message/"): value for key, value in parameters.items()}
    properties = asked.get("Properties") or {}
    content = asked.get("ContentData") or ""
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error as wrong:
        raise ValueError("message/ContentData is not base64") from wrong
    message = {
        "messageId": asked.get("MessageId"),
        "sessionId": asked.get("SessionId"),
        "subject": asked.get("Label"),
        "contentType": asked.get("ContentType"),
        "correlationId": asked.get("CorrelationId"),
        "applicationProperties": json.loads(properties) if isinstance(properties, str) else properties,
        "body": content,
    }
    present = {key: value for key, value in message.items() if value is not None}
    return text_of(asked["entityName"]), json.dumps(present)
