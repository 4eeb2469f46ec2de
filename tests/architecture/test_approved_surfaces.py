"""The surfaces other people build on, pinned as text: a change to one is a decision somebody has looked at.

`TANDEM_APPROVE=1 .venv/bin/pytest tests/architecture/test_approved_surfaces.py` writes the texts anew; the
difference then shows in the review.
"""

import ast
import difflib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mappers import SYSTEMS
from shared.core.codes import EXPLANATIONS, Code
from shared.settings import SETTINGS, Setting, known
from shared.settings.systems import schedule_of
from shared.triggers import roles

APPROVING = os.environ.get("TANDEM_APPROVE", "") not in {"", "0"}
# What the Functions host and the SDKs read from the environment, beside our own settings.
PLATFORM = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "PYTHON_THREADPOOL_THREAD_COUNT": "32",
}
INDEXING = """
import json, logging
logging.disable()
from function_app import app
listed = {f.get_function_name(): [*map(json.loads, f.get_raw_bindings())] for f in app.get_functions()}
print(json.dumps(listed))
"""


@pytest.fixture(scope="module")
def functions(root: Path) -> Mapping[str, list[dict[str, Any]]]:
    """Every function and its bindings, as the Functions worker indexes them (once per process)."""
    schedules = {schedule_of(system.name): "0 * * * * *" for system in SYSTEMS if system.rest}
    indexed = subprocess.run(
        [sys.executable, "-c", INDEXING],
        cwd=root,
        env={"PATH": os.environ["PATH"], **schedules},
        capture_output=True,
        text=True,
        check=True,
    )
    listed: dict[str, list[dict[str, Any]]] = json.loads(indexed.stdout)
    return listed


def hold(path: Path, said: str) -> None:
    """Compare with what was approved, or approve it."""
    if APPROVING:
        path.write_text(said)
        return
    approved = path.read_text() if path.exists() else ""
    difference = "\n".join(
        difflib.unified_diff(
            approved.splitlines(), said.splitlines(), f"approved {path.name}", "now", lineterm="", n=1
        )
    )
    if difference:
        pytest.fail(
            f"{difference}\n\nIf this is meant: TANDEM_APPROVE=1 .venv/bin/pytest {Path(__file__).name}",
            pytrace=False,
        )


def roles_of(tree: ast.Module) -> Mapping[str, str]:
    """The role each HTTP function asks of its caller, by the function's Python name."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "guarded":
                    found[node.name] = getattr(roles, ast.unparse(call.args[2]))
    return found


def settings_sample() -> str:
    values = PLATFORM | {setting.name: setting.sample for setting in known(SYSTEMS)}
    return json.dumps({"IsEncrypted": False, "Values": values}, indent=2) + "\n"


def settings_row(setting: Setting) -> str:
    default = "**required**" if setting.default is None else f"`{setting.default}`"
    return f"| `{setting.name}` | {'blank' if default == '``' else default} | {setting.purpose} |"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Everything the app is told from outside. `shared/settings` is the only reader of the environment",
        "and the source of this page; a test keeps the two equal. At start, every setting that is wrong is",
        "named at once, and `/api/health` says so for as long as it lasts.",
        "",
        "| setting | default | what it is for |",
        "|---|---|---|",
    ]
    lines += map(settings_row, SETTINGS)
    lines += [
        "",
        "What a legacy system needs follows from its declaration (`mappers/<system>`), the names from its",
        "own: `<SYSTEM>_URL` and `<SYSTEM>_KEY_SECRET` where it has a REST interface,",
        "`<SYSTEM>_FEED_SCHEDULE` where that has a change feed, `<SYSTEM>_DROP_URL` where it drops exports,",
        "`<SYSTEM>_IMPORT_URL` where it takes imports.",
        "",
        "| setting | default | what it is for |",
        "|---|---|---|",
        *map(settings_row, known(SYSTEMS)[len(SETTINGS) :]),
    ]
    lines += [
        "",
        "One of `ServiceBusConnection` and `ServiceBusConnection__fullyQualifiedNamespace` is required. In",
        "Azure it is the second; the Functions host reads `ServiceBusConnection__clientId` and",
        "`ServiceBusConnection__credential` beside it. `SSL_CERT_FILE` names the authorities to trust",
        "instead of the machine's own.",
        "",
        "The Functions host itself needs these; the sample has them, too:",
        "",
        "| setting | value in the sample |",
        "|---|---|",
        *(f"| `{name}` | `{value}` |" for name, value in PLATFORM.items()),
        "",
        "The command line reads `TANDEM_URL` and `TANDEM_TOKEN`; without them it talks to the local stack.",
        "",
    ]
    return "\n".join(lines)


def settings_surface() -> str:
    def line(name: str, default: str | None) -> str:
        return f"{name} (required)" if default is None else f"{name} = {default}".rstrip()

    return "".join(line(setting.name, setting.default) + "\n" for setting in known(SYSTEMS))


def error_codes() -> str:
    return "".join(
        f"{code}\n  cause:  {EXPLANATIONS[code].cause}\n  advice: {EXPLANATIONS[code].advice}\n"
        for code in Code
    )


def queues(root: Path) -> str:
    """The queues and their properties, and which setting names each."""
    config = json.loads((root / "infra/servicebus/config.json").read_text())
    namespace = config["UserConfig"]["Namespaces"][0]
    by_queue = {setting.default: setting.name for setting in SETTINGS if setting.name.endswith("_QUEUE")}
    lines: list[str] = []
    for queue in namespace["Queues"]:
        lines.append(f"{queue['Name']} (named by {by_queue.pop(queue['Name'])})")
        lines += [f"  {name} = {value}".rstrip(" =") for name, value in sorted(queue["Properties"].items())]
    assert by_queue == {}, "a setting names a queue that infra/servicebus/config.json does not have"
    assert namespace["Topics"] == []
    return "\n".join(lines) + "\n"


def test_functions_and_bindings(root: Path, functions: Mapping[str, list[dict[str, Any]]]) -> None:
    lines: list[str] = []
    for name, bindings in functions.items():
        lines.append(name)
        for binding in bindings:
            said = ", ".join(
                f"{key}={json.dumps(value)}"
                for key, value in sorted(binding.items())
                if key not in {"type", "name", "direction"}
            )
            lines.append(f"  {binding['direction']} {binding['name']}: {binding['type']} {said}".rstrip())

    hold(root / "tests/approved/functions.txt", "\n".join(lines) + "\n")


def test_http_routes_and_roles(
    root: Path, functions: Mapping[str, list[dict[str, Any]]], trees: Mapping[str, ast.Module]
) -> None:
    prefix = json.loads((root / "host.json").read_text())["extensions"]["http"]["routePrefix"]
    asked: dict[str, str] = {}
    for path, tree in trees.items():
        if path.startswith("shared/triggers/"):
            asked |= roles_of(tree)
    lines = [
        f"{method} /{prefix}/{binding['route']}  {asked.get(name, '(open)')}"
        for name, bindings in functions.items()
        for binding in bindings
        if binding["type"] == "httpTrigger"
        for method in binding["methods"]
    ]

    hold(root / "tests/approved/routes.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("path", "say"),
    [
        ("tests/approved/settings.txt", settings_surface),
        ("tests/approved/error_codes.txt", error_codes),
        ("local.settings.sample.json", settings_sample),
        ("docs/reference/settings.md", settings_page),
    ],
)
def test_what_is_said_in_one_place_is_said_in_the_other(
    root: Path, path: str, say: Callable[[], str]
) -> None:
    hold(root / path, say())


def test_queues(root: Path) -> None:
    hold(root / "tests/approved/queues.txt", queues(root))


def test_every_code_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Code)


def test_a_session_queue_is_all_there_is(root: Path) -> None:
    config = json.loads((root / "infra/servicebus/config.json").read_text())
    listed = config["UserConfig"]["Namespaces"][0]["Queues"]

    assert [queue["Name"] for queue in listed if not queue["Properties"]["RequiresSession"]] == []


def test_the_sample_holds_no_secret() -> None:
    """The emulator's own connection string is the one with a key in it, and its key is the word for a key."""
    sample = json.loads(settings_sample())["Values"]
    keys = [
        value
        for value in sample.values()
        if "key=" in value.lower() and "instrumentationkey" not in value.lower()
    ]

    assert [value for value in keys if "SharedAccessKey=SAS_KEY_VALUE;" not in value] == []
