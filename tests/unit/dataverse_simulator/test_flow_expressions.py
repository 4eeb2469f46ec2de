"""The workflow expression language, as the flows of this repository and its neighbours use it."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.dataverse.flows.definition import UnreadableFlow, read_flow
from local.dataverse.flows.expression import Run, UnreadableExpression, compile_value

BODY = {
    "name": "Ö",
    "estimatedvalue": 12.5,
    "closed": False,
    "gone": None,
    "tags": ["a", "b"],
    "@odata.etag": "W/1",
}


def value(expression: Any) -> Any:
    run = Run(
        {"body": BODY},
        {"Compose": {"id": "7", "deep": {"x": 1}}},
        lambda: "an-id",
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    return compile_value(expression)(run)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plain", "plain"),
        ("@@literal", "@literal"),
        (5, 5),
        ("@triggerOutputs()?['body/name']", "Ö"),
        ("@triggerOutputs()?['body']?['name']", "Ö"),
        ("@triggerBody()['name']", "Ö"),
        ("@triggerBody()?['@odata.etag']", "W/1"),
        ("@triggerOutputs()?['body/missing']", None),
        ("@triggerBody()?['tags']?[1]", "b"),
        ("@outputs('Compose')?['deep/x']", 1),
        ("@outputs('Compose').deep.x", 1),
        ("@guid()", "an-id"),
        ("@utcNow()", "2026-01-02T00:00:00.000000Z"),
        ("@triggerBody()?['estimatedvalue']", 12.5),
        ("n=@{triggerBody()?['name']}; v=@{triggerBody()?['estimatedvalue']};", "n=Ö; v=12.5;"),
        ("@{triggerBody()?['gone']}", ""),
        ("@{triggerBody()?['closed']}", "False"),
        ("@if(equals(triggerBody()?['name'], 'Ö'), 'yes', 'no')", "yes"),
        ("@coalesce(triggerBody()?['gone'], null, 'else')", "else"),
        ("@concat('a', 1, true)", "a1True"),
        ("@json('{\"a\":1}')?['a']", 1),
        ("@string(outputs('Compose'))", '{"id":"7","deep":{"x":1}}'),
        ("@base64('Ö')", "w5Y="),
        ("@{base64(string(outputs('Compose')))}", base64.b64encode(b'{"id":"7","deep":{"x":1}}').decode()),
        ({"a": ["@guid()", {"b": "@triggerBody()?['name']"}]}, {"a": ["an-id", {"b": "Ö"}]}),
        ("@concat('it''s', ' }')", "it's }"),
        ("@not(empty(triggerBody()?['name']))", True),
    ],
)
def test_an_expression_has_its_value(expression: Any, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "text", ["@xpath('a')", "@if(", "@concat('a'", "text @{guid(", "@guid() guid()", "@triggerBody()?"]
)
def test_what_cannot_be_read_is_refused_when_it_is_compiled(text: str) -> None:
    with pytest.raises(UnreadableExpression):
        compile_value(text)


def test_a_missing_property_without_a_question_mark_is_an_error() -> None:
    with pytest.raises(KeyError, match="missing"):
        value("@triggerBody()['missing']")


def definition(**changes: Any) -> dict[str, Any]:
    actions = {
        "Second": {"type": "Compose", "runAfter": {"First": ["Succeeded"]}, "inputs": "@outputs('First')"},
        "First": {"type": "Compose", "runAfter": {}, "inputs": "@guid()"},
    }
    parameters = {"subscriptionRequest/message": 4, "subscriptionRequest/entityname": "account"}
    trigger = {"inputs": {"parameters": parameters}}
    content = {"triggers": {"T": trigger}, "actions": actions} | changes
    return json.loads(json.dumps({"properties": {"definition": content}}))  # type: ignore[no-any-return]


def test_actions_run_after_those_they_wait_for() -> None:
    assert [action.name for action in read_flow("f", definition()).actions] == ["First", "Second"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"actions": {"A": {"type": "Switch"}}}, "flow f: action A of type Switch"),
        ({"actions": {"A": {"type": "Compose", "inputs": 1, "runAfter": {"B": []}}}}, "flow f: runAfter"),
        ({"triggers": {}}, "flow f: the definition lacks"),
        ({"actions": {"A": {"type": "Compose", "inputs": "@nope()"}}}, r"flow f: unknown function nope\(\)"),
    ],
)
def test_a_definition_the_simulator_cannot_follow_is_refused_by_name(changes: Any, reason: str) -> None:
    with pytest.raises(UnreadableFlow, match=reason):
        read_flow("f", definition(**changes))
