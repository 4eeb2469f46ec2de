"""No line of the app is written for one legacy system: what differs is in its declaration."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from mappers import SYSTEMS
from shared.settings import known

NAMES = {system.name for system in SYSTEMS}


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name, attribute, import and text of a module, without what only explains."""
    explaining = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                yield node.lineno, word
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word):
                yield node.lineno, word
            case ast.alias(name=word):
                yield node.lineno, word
            case ast.Constant(value=str() as word) if id(node) not in explaining:
                yield node.lineno, word


def named(path: str, tree: ast.Module) -> list[str]:
    return [
        f"{path}:{line} names {name}" for line, word in words(tree) for name in NAMES if name in word.lower()
    ]


def test_the_app_names_no_legacy_system(trees: Mapping[str, ast.Module]) -> None:
    app = {path: tree for path, tree in trees.items() if path.startswith(("shared/", "function_app"))}

    assert app
    assert [found for path, tree in app.items() for found in named(path, tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        "from mappers.allegory import ALLEGORY",
        "world.allegory",
        "x = 'LEGRAND_DROP_URL'",
        "def legrand(): ...",
    ],
)
def test_a_planted_name_is_caught(line: str) -> None:
    assert named("shared/planted.py", ast.parse(line)) != []


def test_no_two_settings_share_a_name() -> None:
    names = [setting.name for setting in known(SYSTEMS)]

    assert [name for name in names if names.count(name) > 1] == []
